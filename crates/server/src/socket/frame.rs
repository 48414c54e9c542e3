//! Encoding of the frames that the server sends. Deliveries are encoded once for all recipients.
//!
//! A delivery's `envelope` is the encoding of a `Deliver` without its cursor: protobuf fields may come in any order,
//! so a device's cursor is put in front and the rest is shared.

use bytes::{BufMut as _, Bytes, BytesMut};
use kabar_protocol::wire::{self, server_frame::Body};
use prost::{
    Message as _,
    encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len},
};

use crate::error::Failure;

/// Field numbers from socket.proto and messaging.proto; a test holds them to the generated code.
const SERVER_FRAME_DELIVER: u32 = 48;
const DELIVER_CURSOR: u32 = 1;

pub(crate) fn response(request_id: u64, body: Body) -> Bytes {
    let frame = wire::ServerFrame {
        request_id,
        body: Some(body),
    };
    frame.encode_to_vec().into()
}

pub(crate) fn push(body: Body) -> Bytes {
    response(0, body)
}

pub(crate) fn failure(request_id: u64, failure: Failure) -> Bytes {
    response(request_id, Body::Error(failure.into_wire()))
}

/// `ServerFrame { deliver }` of a shared envelope.
pub(crate) fn deliver(cursor: u64, envelope: &[u8]) -> Bytes {
    let cursor_bytes = key_len(DELIVER_CURSOR) + encoded_len_varint(cursor);
    let body_bytes = cursor_bytes + envelope.len();
    let prefix_bytes = key_len(SERVER_FRAME_DELIVER) + encoded_len_varint(body_bytes as u64);
    let mut out = BytesMut::with_capacity(prefix_bytes + body_bytes);
    encode_key(SERVER_FRAME_DELIVER, WireType::LengthDelimited, &mut out);
    encode_varint(body_bytes as u64, &mut out);
    encode_key(DELIVER_CURSOR, WireType::Varint, &mut out);
    encode_varint(cursor, &mut out);
    out.put_slice(envelope);
    out.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_decodes_to_its_envelope_and_cursor() {
        let envelope = wire::Deliver {
            conversation_id: vec![7; 16].into(),
            seq: 9,
            payload: vec![1; 300].into(),
            ..Default::default()
        };
        let frame = wire::ServerFrame::decode(deliver(70_000, &envelope.encode_to_vec())).expect("a frame");
        let expected = wire::Deliver {
            cursor: 70_000,
            ..envelope
        };
        assert_eq!(frame.body, Some(Body::Deliver(expected)));
        assert_eq!(frame.request_id, 0);
    }
}
