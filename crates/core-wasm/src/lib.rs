//! The core's bindings for the browser: one method per event, outputs as plain JavaScript objects. Frames, keys and
//! values cross as `Uint8Array`, commands, replies and notifications as JSON text. No logic lives here.

pub mod files;

use js_sys::{Array, Object, Reflect, Uint8Array};
use kabar_core::{
    Core, CoreConfig,
    api::{ApiError, Event, Output, Write},
};
use prost::Message as _;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const OUTPUTS: &str = r#"
/** What the shell has to do, in this order (crates/core/src/api.rs says it in full). Times in milliseconds. */
export type CoreOutput =
  | { type: 'batch'; id: number; writes: { key: Uint8Array<ArrayBuffer>; value: Uint8Array<ArrayBuffer> | null }[] }
  | { type: 'scan'; id: number; prefix: Uint8Array<ArrayBuffer>; from: Uint8Array<ArrayBuffer>; limit: number; reverse: boolean }
  | { type: 'connect'; delay_ms: number }
  | { type: 'disconnect' }
  | { type: 'send'; frame: Uint8Array<ArrayBuffer> }
  | { type: 'reply'; id: number; json: string }
  | { type: 'notify'; json: string }
  | { type: 'wake_at'; time: number };
"#;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(typescript_type = "CoreOutput[]")]
    pub type Outputs;

    #[wasm_bindgen(typescript_type = "[key: Uint8Array, value: Uint8Array][]")]
    pub type Rows;

    #[wasm_bindgen(js_namespace = console, js_name = error)]
    fn console_error(text: &str);
}

/// Reports a panic before the module traps: the shell then sees only "unreachable".
#[wasm_bindgen(start)]
pub fn main() {
    std::panic::set_hook(Box::new(|panic| console_error(&panic.to_string())));
}

/// What a link into a group shows, for whoever has no account yet: `{name, description, inviter, photo}` as JSON, the photo in hex.
/// `sealed` is the preview as the server has it; `undefined` if it does not open with this link.
#[wasm_bindgen(js_name = openInvitePreview)]
pub fn open_invite_preview(link: &str, sealed: &[u8]) -> Option<String> {
    let preview = kabar_core::open_preview(link, sealed)?;
    let shown = serde_json::json!({
        "name": preview.name,
        "description": preview.description,
        "inviter": preview.inviter,
        "photo": hex::encode(&preview.photo),
    });
    Some(shown.to_string())
}

/// One account's client on one device. `now` is always `Date.now()`.
#[wasm_bindgen(js_name = Core)]
pub struct JsCore(Core);

#[wasm_bindgen(js_class = Core)]
impl JsCore {
    #[wasm_bindgen(constructor)]
    #[allow(clippy::new_without_default)] // a JavaScript constructor
    pub fn new() -> Self {
        Self(Core::new(CoreConfig {
            feed: false,
            rng_seed: None,
        }))
    }

    pub fn start(&mut self, now: f64) -> Outputs {
        outputs(self.0.start(time(now)))
    }

    pub fn connected(&mut self, now: f64) -> Outputs {
        self.handle(Event::Connected, now)
    }

    pub fn disconnected(&mut self, now: f64) -> Outputs {
        self.handle(Event::Disconnected, now)
    }

    pub fn wake(&mut self, now: f64) -> Outputs {
        self.handle(Event::Wake, now)
    }

    /// Throws an error named `FrameError` when the bytes are no frame of the protocol.
    pub fn frame(&mut self, bytes: &[u8], now: f64) -> Result<Outputs, JsValue> {
        let frame = prost::Message::decode(bytes).map_err(|error| {
            let thrown = js_sys::Error::new(&error.to_string());
            thrown.set_name("FrameError");
            JsValue::from(thrown)
        })?;
        Ok(self.handle(Event::Frame(frame), now))
    }

    pub fn committed(&mut self, id: f64, now: f64) -> Outputs {
        self.handle(Event::Committed { batch_id: whole(id) }, now)
    }

    pub fn failed(&mut self, id: f64, error: String, now: f64) -> Outputs {
        self.handle(
            Event::Failed {
                batch_id: whole(id),
                error,
            },
            now,
        )
    }

    pub fn scanned(&mut self, id: f64, rows: Rows, now: f64) -> Outputs {
        let rows = Array::from(&rows)
            .iter()
            .map(|row| {
                let row = Array::from(&row);
                (bytes(&row.get(0)), bytes(&row.get(1)))
            })
            .collect();
        self.handle(
            Event::Scanned {
                scan_id: whole(id),
                rows,
            },
            now,
        )
    }

    /// `json` is a Command. One that does not parse is answered like any other refused command.
    pub fn command(&mut self, id: f64, json: &str, now: f64) -> Outputs {
        let command_id = whole(id);
        match serde_json::from_str(json) {
            Ok(command) => self.handle(Event::Command { command_id, command }, now),
            Err(error) => outputs(vec![Output::Reply {
                command_id,
                result: Err(ApiError {
                    code: "command_malformed".into(),
                    message: error.to_string(),
                    parameter: None,
                    retry_after_ms: None,
                }),
            }]),
        }
    }

    fn handle(&mut self, event: Event, now: f64) -> Outputs {
        outputs(self.0.handle(event, time(now)))
    }
}

/// What a ticket says, as JSON, if the issuer's key (hex) signed it. Needs neither an account nor a network.
#[wasm_bindgen(js_name = verifyTicket)]
pub fn verify_ticket(token: &str, issuer_key: &str) -> Option<String> {
    let key = hex::decode(issuer_key).ok()?.try_into().ok()?;
    let body = kabar_protocol::ticket::verify(token, &key)?;
    json(&VerifiedTicket {
        ticket_id: body.ticket_id,
        issuer: body.issuer,
        title: body.title,
        place: body.place,
        starts_at: body.starts_ms,
    })
}

#[derive(serde::Serialize)]
struct VerifiedTicket {
    ticket_id: String,
    issuer: String,
    title: String,
    place: String,
    starts_at: i64,
}

fn outputs(list: Vec<Output>) -> Outputs {
    let array: Array = list.into_iter().map(output).collect();
    JsValue::from(array).unchecked_into()
}

fn output(output: Output) -> JsValue {
    match output {
        Output::Batch { batch_id, writes } => {
            let writes: Array = writes.into_iter().map(write).collect();
            object("batch", &[("id", number(batch_id)), ("writes", writes.into())])
        }
        Output::Scan {
            scan_id,
            prefix,
            from,
            limit,
            reverse,
        } => object(
            "scan",
            &[
                ("id", number(scan_id)),
                ("prefix", array(&prefix)),
                ("from", array(&from)),
                ("limit", limit.into()),
                ("reverse", reverse.into()),
            ],
        ),
        Output::Connect { delay_ms } => object("connect", &[("delay_ms", number(delay_ms))]),
        Output::Disconnect => object("disconnect", &[]),
        Output::Send(frame) => object("send", &[("frame", array(&frame.encode_to_vec()))]),
        Output::Reply { command_id, result } => {
            let json = match &result {
                Ok(reply) => json(reply).map(|text| format!(r#"{{"ok":{text}}}"#)),
                Err(error) => json(error).map(|text| format!(r#"{{"error":{text}}}"#)),
            };
            object("reply", &[("id", number(command_id)), ("json", json.into())])
        }
        Output::Notify(notification) => object("notify", &[("json", json(&notification).into())]),
        #[allow(clippy::cast_precision_loss)] // a time of this age of the world fits
        Output::WakeAt(time) => object("wake_at", &[("time", JsValue::from_f64(time as f64))]),
    }
}

fn write(write: Write) -> JsValue {
    let (key, value) = match write {
        Write::Put(key, value) => (key, array(&value)),
        Write::Delete(key) => (key, JsValue::NULL),
    };
    let row = Object::new();
    set(&row, "key", &array(&key));
    set(&row, "value", &value);
    row.into()
}

fn object(kind: &str, fields: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    set(&object, "type", &kind.into());
    for (name, value) in fields {
        set(&object, name, value);
    }
    object.into()
}

/// Setting a property of a fresh plain object cannot fail.
fn set(object: &Object, name: &str, value: &JsValue) {
    let _ = Reflect::set(object, &name.into(), value);
}

/// Serialising core's own types to text cannot fail; if it ever did, `undefined` makes the shell stop at once.
fn json(value: &impl serde::Serialize) -> Option<String> {
    serde_json::to_string(value).ok()
}

fn array(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}

fn bytes(value: &JsValue) -> Vec<u8> {
    Uint8Array::new(value).to_vec()
}

/// Ids and delays are counters far below 2^53.
#[allow(clippy::cast_precision_loss)]
fn number(value: u64) -> JsValue {
    JsValue::from_f64(value as f64)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole(value: f64) -> u64 {
    value as u64
}

#[allow(clippy::cast_possible_truncation)]
fn time(now: f64) -> i64 {
    now as i64
}
