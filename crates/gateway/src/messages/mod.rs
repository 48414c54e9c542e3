//! Messages that a company sends: the request, checked and typed, and the message ids of the API.
//!
//! Pure: whether the recipient exists, the window is open or the template is approved is decided by whoever sends.

mod flow;
mod interactive;
mod media;
pub mod order;
pub mod request;
mod template;
pub mod wamid;

pub use flow::{FlowName, FlowSend};
pub use media::{Media, MediaKind, MediaSource};
pub use request::{Content, Recipient, Request, Send};
pub use template::{ButtonParameter, TemplateParameters, TemplateSend};
