//! Flows of a business: what their JSON must be, and the endpoints that answer for their screens.
//!
//! The screens travel inside the message. What a person enters goes to the endpoint of the business's choice, sealed to
//! the business's own key (docs/FLOWS.md).

mod ask;
#[cfg(test)]
mod ask_tests;
pub(crate) mod check;
mod desk;
mod envelope;
mod place;
#[cfg(test)]
mod tests;

pub(crate) use self::{desk::Desk, envelope::public_key};

/// What a flow has until its JSON comes: it can be published and shows that it works.
pub(crate) const FIRST_JSON: &str = r#"{
  "version": "7.0",
  "screens": [
    {
      "id": "WELCOME_SCREEN",
      "title": "Welcome",
      "terminal": true,
      "success": true,
      "data": {},
      "layout": {
        "type": "SingleColumnLayout",
        "children": [
          { "type": "TextHeading", "text": "Hello World" },
          { "type": "Footer", "label": "Complete", "on-click-action": { "name": "complete", "payload": {} } }
        ]
      }
    }
  ]
}
"#;
