//! What messages show beside their text, for scripts (flat JSON) and for people (lines). Must not: decide or send.

use kabar_client::api::{MessageKind, Person, Shown};
use kabar_protocol::wire::{
    Contact, Event, File, FlowOffer, Interactive, InteractiveReply, Template, interactive::Action,
    interactive_reply::Reply, template_button,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    commerce::{order_line, order_value, ticket_value, update_value},
    kinds::degrees,
    messages::who,
};
use crate::output::{Failure, to_json};

/// What can be picked in a message, as it is named on the command line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Pick {
    pub(super) id: String,
    pub(super) title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    /// Title of the section that a row stands in.
    #[serde(skip_serializing_if = "Option::is_none")]
    section: Option<String>,
}

#[derive(Debug, Serialize)]
struct Link {
    title: String,
    url: String,
}

/// A message with everything that scripts read of it in one object: no nesting by kind.
#[derive(Debug, Default, Serialize)]
struct Flat {
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    footer: Option<String>,
    buttons: Vec<Pick>,
    rows: Vec<Pick>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<Link>,
    /// Where the first link leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

/// The reply buttons of a message.
pub(super) fn buttons(shown: Option<&Shown>) -> Vec<Pick> {
    match shown {
        Some(Shown::Interactive(message)) => match &message.action {
            Some(Action::Buttons(buttons)) => buttons
                .buttons
                .iter()
                .map(|button| pick(&button.id, &button.title))
                .collect(),
            _ => Vec::new(),
        },
        Some(Shown::Template(message)) => {
            let quick_reply = |button: &kabar_protocol::wire::TemplateButton| match &button.action {
                Some(template_button::Action::Payload(payload)) => Some(pick(payload, &button.text)),
                _ => None,
            };
            message.buttons.iter().filter_map(quick_reply).collect()
        }
        _ => Vec::new(),
    }
}

/// The rows of a list message.
pub(super) fn rows(shown: Option<&Shown>) -> Vec<Pick> {
    let Some(Shown::Interactive(Interactive {
        action: Some(Action::List(list)),
        ..
    })) = shown
    else {
        return Vec::new();
    };
    let rows = list.sections.iter().flat_map(|section| {
        let title = Some(section.title.clone()).filter(|title| !title.is_empty());
        section.rows.iter().map(move |row| Pick {
            description: row.description.clone(),
            section: title.clone(),
            ..pick(&row.id, &row.title)
        })
    });
    rows.collect()
}

fn pick(id: &str, title: &str) -> Pick {
    Pick {
        id: id.to_owned(),
        title: title.to_owned(),
        description: None,
        section: None,
    }
}

fn links(shown: &Shown) -> Vec<Link> {
    let link = |title: &str, url: &str| Link {
        title: title.to_owned(),
        url: url.to_owned(),
    };
    match shown {
        Shown::Interactive(Interactive {
            action: Some(Action::CtaUrl(cta)),
            ..
        }) => vec![link(&cta.display_text, &cta.url)],
        Shown::Template(message) => {
            let of_button = |button: &kabar_protocol::wire::TemplateButton| match &button.action {
                Some(template_button::Action::Url(url)) => Some(link(&button.text, url)),
                _ => None,
            };
            message.buttons.iter().filter_map(of_button).collect()
        }
        _ => Vec::new(),
    }
}

fn header_and_footer(shown: &Shown) -> (Option<String>, Option<String>) {
    match shown {
        Shown::Interactive(Interactive { header, footer, .. }) | Shown::Template(Template { header, footer, .. }) => {
            (header.clone(), footer.clone())
        }
        _ => (None, None),
    }
}

/// `value` (a message or an item of the feed) for scripts: what it shows lies beside its text.
pub(super) fn flat(value: &impl Serialize, shown: Option<&Shown>) -> Result<Value, Failure> {
    let mut value = to_json(value)?;
    let (Some(object), Some(shown)) = (value.as_object_mut(), shown) else {
        return Ok(value);
    };
    match shown {
        // One object of plain fields already.
        Shown::Text(_) | Shown::Event(_) | Shown::Poll(_) | Shown::Contacts(_) => {}
        Shown::Location(location) => {
            let (latitude, longitude) = degrees(location);
            let place = json!({
                "latitude": latitude,
                "longitude": longitude,
                "name": location.name,
                "address": location.address,
            });
            object.insert("location".into(), place);
        }
        Shown::Ticket(ticket) => {
            object.insert("ticket".into(), ticket_value(ticket));
        }
        Shown::File(file) => {
            object.insert("file".into(), file_value(file));
        }
        Shown::InteractiveReply(message) => {
            object.remove("interactive_reply");
            if let Some(reply) = picked(message) {
                object.insert("reply".into(), to_json(&reply)?);
            }
        }
        Shown::Interactive(message) => {
            lay_beside(object, "interactive", shown)?;
            match &message.action {
                Some(Action::OrderDetails(order)) => object.insert("order".into(), order_value(order)),
                Some(Action::OrderStatus(update)) => object.insert("order_status".into(), update_value(update)),
                Some(Action::Flow(offer)) => lay_flow(object, offer),
                _ => None,
            };
        }
        Shown::Template(template) => {
            lay_beside(object, "template", shown)?;
            object.insert(
                "template".into(),
                json!({"name": template.name, "language": template.language}),
            );
        }
    }
    Ok(value)
}

/// When and where, as far as a terminal without a calendar says it.
fn event_line(event: &Event) -> String {
    let canceled = if event.canceled { ", canceled" } else { "" };
    let place = match event.place.as_str() {
        "" => String::new(),
        place => format!(", {place}"),
    };
    format!(
        "  event, begins at {} ms ({}){place}{canceled}",
        event.starts_ms, event.time_zone
    )
}

/// For people: what there is beside the text of what a person wrote.
fn kind_lines(shown: &Shown) -> Vec<String> {
    match shown {
        Shown::File(file) => vec![format!(
            "  file {} ({}, {} bytes)",
            file.name, file.mime_type, file.size_bytes
        )],
        Shown::Event(event) => vec![event_line(event)],
        Shown::Poll(poll) => {
            let state = if poll.closed { "poll, closed" } else { "poll" };
            let options = poll.options.iter().enumerate();
            let options = options.map(|(index, option)| format!("  option {index}: {option}"));
            std::iter::once(format!("  {state}")).chain(options).collect()
        }
        Shown::Location(location) => {
            let (latitude, longitude) = degrees(location);
            let address = match location.address.as_str() {
                "" => String::new(),
                address => format!(", {address}"),
            };
            vec![format!("  at {latitude}, {longitude}{address}")]
        }
        Shown::Contacts(cards) => cards.people.iter().map(card_line).collect(),
        _ => Vec::new(),
    }
}

fn card_line(card: &Contact) -> String {
    let ways: Vec<&str> = card.phones.iter().chain(&card.emails).map(String::as_str).collect();
    format!("  card of {}: {}", card.name, ways.join(", "))
}

/// A file without its key and its address: what opens it stays in the home.
fn file_value(file: &File) -> Value {
    let mut value = json!({ "name": file.name, "mime_type": file.mime_type, "size_bytes": file.size_bytes, "caption": file.caption });
    if file.duration_ms > 0 {
        value["duration_ms"] = json!(file.duration_ms);
    }
    if file.pages > 0 {
        value["pages"] = json!(file.pages);
    }
    if !file.album.is_empty() {
        value["album"] = json!(hex::encode(&file.album));
    }
    for (name, holds) in [("voice", file.voice), ("view_once", file.view_once)] {
        if holds {
            value[name] = json!(true);
        }
    }
    value
}

fn lay_beside(object: &mut Map<String, Value>, kind: &str, shown: &Shown) -> Result<(), Failure> {
    object.remove(kind);
    let (header, footer) = header_and_footer(shown);
    let links = links(shown);
    let flat = Flat {
        header,
        footer,
        buttons: buttons(Some(shown)),
        rows: rows(Some(shown)),
        url: links.first().map(|link| link.url.clone()),
        links,
    };
    if let Value::Object(fields) = to_json(&flat)? {
        object.extend(fields);
    }
    Ok(())
}

/// A flow is filled in, not tapped: a kind of its own for scripts.
fn lay_flow(object: &mut Map<String, Value>, offer: &FlowOffer) -> Option<Value> {
    object.insert("kind".into(), "flow".into());
    let flow = json!({ "flow_id": offer.flow_id, "cta": offer.cta });
    object.insert("flow".into(), flow)
}

fn picked(message: &InteractiveReply) -> Option<Pick> {
    match message.reply.as_ref()? {
        Reply::Button(button) => Some(pick(&button.id, &button.title)),
        Reply::List(row) => Some(Pick {
            description: row.description.clone(),
            ..pick(&row.id, &row.title)
        }),
        // A completed flow has no id of its own.
        Reply::Flow(flow) => Some(pick(&flow.name, &flow.body)),
    }
}

/// For people: what happened to a group. `None` of everything else.
pub(super) fn notice(kind: MessageKind, from: &str, about: &[Person], text: Option<&str>) -> Option<String> {
    let names: Vec<String> = about.iter().map(who).collect();
    let names = names.join(", ");
    let text = text.unwrap_or_default();
    // Nobody knows who did it.
    let itself = names == from;
    Some(match kind {
        MessageKind::NoticeGroupCreated => format!("* {from} made this group"),
        MessageKind::NoticeGroupName => format!("* {from} called this group {text}"),
        MessageKind::NoticeGroupDescription => format!("* {from} described this group: {text}"),
        MessageKind::NoticeGroupPhoto => format!("* {from} changed the picture"),
        MessageKind::NoticeGroupSettings => format!("* {from} set {text}"),
        MessageKind::NoticeAdded if itself => format!("* {names} came in"),
        MessageKind::NoticeAdded => format!("* {from} added {names}"),
        MessageKind::NoticeRemoved if itself => format!("* {names} was removed"),
        MessageKind::NoticeRemoved => format!("* {from} removed {names}"),
        MessageKind::NoticeLeft => format!("* {names} left"),
        MessageKind::NoticeRole if itself => format!("* {names} is {text} now"),
        MessageKind::NoticeRole => format!("* {from} made {names} {text}"),
        MessageKind::NoticePinned => format!("* {from} pinned a message"),
        MessageKind::NoticeUnpinned => format!("* {from} took a pinned message down"),
        MessageKind::NoticeTimer if text == "0" => format!("* {from} has messages stay from now on"),
        MessageKind::NoticeTimer => format!("* {from} has messages vanish after {text} seconds from now on"),
        MessageKind::NoticeHistory => format!("* {from} has shown who came in the last {text} messages"),
        _ => return None,
    })
}

/// For people: who says what, and below it what can be picked, with the ids that `tap` and `list-select` take.
pub(super) fn for_people(who: &str, automated: bool, text: &str, shown: Option<&Shown>) -> String {
    let who = if automated {
        format!("{who} (automated)")
    } else {
        who.to_owned()
    };
    let (header, footer) = shown.map(header_and_footer).unwrap_or_default();
    let mut lines = vec![format!("{who}: {}", header.as_deref().unwrap_or(text))];
    if header.is_some() {
        lines.push(format!("  {text}"));
    }
    lines.extend(shown.into_iter().flat_map(kind_lines));
    lines.extend(footer.map(|footer| format!("  {footer}")));
    if let Some(Shown::Interactive(Interactive {
        action: Some(Action::OrderDetails(order)),
        ..
    })) = shown
    {
        lines.push(order_line(order));
    }
    lines.extend(
        buttons(shown)
            .iter()
            .map(|pick| format!("  button {}: {}", pick.id, pick.title)),
    );
    lines.extend(rows(shown).iter().map(|pick| {
        let description = pick.description.as_ref().map(|text| format!(" ({text})"));
        format!("  row {}: {}{}", pick.id, pick.title, description.unwrap_or_default())
    }));
    let links = shown.map(links).unwrap_or_default();
    lines.extend(links.iter().map(|link| format!("  {}: {}", link.title, link.url)));
    lines.join("\n")
}
