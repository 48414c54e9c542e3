//! Frames of the server stand-in, and how the tests call those of the clients.

use kabar_protocol::wire::{self, ServerFrame, client_frame::Body as Ask, server_frame::Body as Say};

pub(super) fn frame(request_id: u64, body: Say) -> ServerFrame {
    ServerFrame {
        request_id,
        body: Some(body),
    }
}

pub(super) fn error(code: wire::error::Code, reason: &str) -> Say {
    Say::Error(wire::Error {
        code: code.into(),
        reason: reason.into(),
        message: reason.into(),
        parameter: None,
        retry_after_ms: None,
    })
}

/// How the tests call a request.
pub(super) fn name(body: &Ask) -> &'static str {
    match body {
        Ask::CreateConversation(_) => "create",
        Ask::SubmitCommit(_) => "commit",
        Ask::ResetConversation(_) => "reset",
        Ask::Send(_) => "send",
        Ask::Ack(_) => "ack",
        Ask::PublishKeyPackages(_) => "publish",
        Ask::FetchReceipts(_) => "receipts",
        Ask::Authenticate(_) => "auth",
        Ask::FetchGroupInfo(_) => "group_info",
        Ask::FetchLog(_) => "log",
        Ask::FetchDeviceList(_) => "list",
        Ask::AppendDeviceListEntry(_) => "append",
        Ask::PublishInvite(_) => "publish_invite",
        Ask::DeclineJoinRequest(_) => "decline",
        Ask::RequestJoin(_) => "request_join",
        Ask::Withdraw(_) => "withdraw",
        Ask::DeleteFile(_) => "delete_file",
        _ => "other",
    }
}
