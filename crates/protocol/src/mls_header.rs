//! The public header of an MLSMessage (RFC 9420 section 6), read without an MLS engine.
//!
//! The server uses it to refuse a message that names another group or epoch than its frame, or an application
//! message that is not encrypted. Nothing behind the header is looked at.

/// Content type inside FramedContent or PrivateMessage (RFC 9420 section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentType {
    Application,
    Proposal,
    Commit,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivateHeader<'a> {
    pub group_id: &'a [u8],
    pub epoch: u64,
    pub content_type: ContentType,
    pub authenticated_data: &'a [u8],
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an MLS PrivateMessage: {0}")]
pub struct HeaderError(&'static str);

const MLS_10: u16 = 1;
const PRIVATE_MESSAGE: u16 = 2;

/// Reads the header of `MLSMessage(PrivateMessage)`.
pub fn private_header(message: &[u8]) -> Result<PrivateHeader<'_>, HeaderError> {
    let mut reader = Reader(message);
    if reader.u16()? != MLS_10 {
        return Err(HeaderError("protocol version is not MLS 1.0"));
    }
    if reader.u16()? != PRIVATE_MESSAGE {
        return Err(HeaderError("wire format is not PrivateMessage"));
    }
    let group_id = reader.vector()?;
    let epoch = u64::from_be_bytes(reader.array()?);
    let content_type = match reader.array::<1>()?[0] {
        1 => ContentType::Application,
        2 => ContentType::Proposal,
        3 => ContentType::Commit,
        _ => return Err(HeaderError("unknown content type")),
    };
    let authenticated_data = reader.vector()?;
    Ok(PrivateHeader {
        group_id,
        epoch,
        content_type,
        authenticated_data,
    })
}

/// Writes a PrivateMessage around opaque bytes: for load generators, which need true sizes and no cryptography.
pub fn opaque_private_message(group_id: &[u8], epoch: u64, authenticated_data: &[u8], ciphertext: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + group_id.len() + authenticated_data.len() + ciphertext.len());
    out.extend(MLS_10.to_be_bytes());
    out.extend(PRIVATE_MESSAGE.to_be_bytes());
    write_vector(&mut out, group_id);
    out.extend(epoch.to_be_bytes());
    out.push(1);
    write_vector(&mut out, authenticated_data);
    write_vector(&mut out, &[0; 28]); // encrypted sender data: generation, leaf, reuse guard, tag
    write_vector(&mut out, ciphertext);
    out
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], HeaderError> {
        let (head, tail) = self.0.split_at_checked(count).ok_or(HeaderError("truncated"))?;
        self.0 = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], HeaderError> {
        self.take(N)?.try_into().map_err(|_| HeaderError("truncated"))
    }

    fn u16(&mut self) -> Result<u16, HeaderError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    /// A variable-size vector (RFC 9420 section 2.1.2): the top two bits of the length give its own size.
    fn vector(&mut self) -> Result<&'a [u8], HeaderError> {
        let [first] = self.array()?;
        let mut length = usize::from(first & 0x3f);
        let more = match first >> 6 {
            0 => 0,
            1 => 1,
            2 => 3,
            _ => return Err(HeaderError("bad vector length")),
        };
        for byte in self.take(more)? {
            length = length << 8 | usize::from(*byte);
        }
        self.take(length)
    }
}

fn write_vector(out: &mut Vec<u8>, bytes: &[u8]) {
    match u32::try_from(bytes.len()) {
        Ok(length @ 0..=0x3f) => out.extend(&length.to_be_bytes()[3..]),
        Ok(length @ 0x40..=0x3fff) => out.extend(&(length | 0x4000).to_be_bytes()[2..]),
        Ok(length) => out.extend((length | 0x8000_0000).to_be_bytes()),
        Err(_) => return,
    }
    out.extend(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opaque_message_has_the_header_that_it_was_given() {
        let aad = [5; 90];
        let message = opaque_private_message(&[7; 20], 3, &aad, &[9; 200]);
        let header = private_header(&message).expect("a header");
        assert_eq!(
            header,
            PrivateHeader {
                group_id: &[7; 20],
                epoch: 3,
                content_type: ContentType::Application,
                authenticated_data: &aad
            }
        );
    }

    #[test]
    fn truncated_or_foreign_bytes_are_refused_at_every_length() {
        let message = opaque_private_message(&[7; 20], 3, &[1; 8], &[9; 20]);
        for length in 0..40 {
            assert!(private_header(&message[..length]).is_err(), "{length}");
        }
        assert!(private_header(&[0, 1, 0, 1]).is_err(), "a PublicMessage");
        assert!(private_header(b"GET / HTTP/1.1").is_err());
    }
}
