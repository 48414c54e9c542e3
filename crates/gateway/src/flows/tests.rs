//! Flows that can be published, and what is said of those that cannot.

use kabar_protocol::limits::FLOW_JSON_BYTES_MAX;
use serde_json::{Value, json};

use super::{
    FIRST_JSON,
    check::{check, needs_endpoint},
};

fn flow(change: impl FnOnce(&mut Value)) -> String {
    let mut flow: Value = serde_json::from_str(FIRST_JSON).expect("JSON");
    change(&mut flow);
    serde_json::to_string_pretty(&flow).expect("JSON")
}

fn with_component(component: Value) -> String {
    flow(|flow| {
        let children = flow.pointer_mut("/screens/0/layout/children").expect("children");
        children.as_array_mut().expect("a list").insert(0, component);
    })
}

#[test]
fn what_a_new_flow_has_is_right() {
    assert_eq!(check(FIRST_JSON), []);
    assert!(!needs_endpoint(FIRST_JSON));
}

#[test]
fn every_component_of_a_booking_is_right() {
    let seats =
        json!([{ "label": "A", "seats": [{ "id": "A1", "state": "free", "price": 25000 }, { "state": "gap" }] }]);
    for component in [
        json!({ "type": "TextInput", "name": "nama", "label": "Nama", "input-type": "text" }),
        json!({ "type": "Dropdown", "name": "jam", "label": "Jam", "data-source": "${data.jam}" }),
        json!({ "type": "RadioButtonsGroup", "name": "jam", "data-source": [{ "id": "1", "title": "19.00" }] }),
        json!({ "type": "DatePicker", "name": "hari", "label": "Hari" }),
        json!({ "type": "OptIn", "name": "setuju", "label": "Setuju" }),
        json!({ "type": "SeatMap", "name": "kursi", "label": "Kursi", "rows": "${data.rows}", "min-seats": 1,
            "max-seats": 6, "currency": "IDR", "hold-seconds": "${data.hold_seconds}" }),
        json!({ "type": "SeatMap", "name": "kursi", "label": "Kursi", "rows": seats }),
        json!({ "type": "Form", "name": "f", "children": [{ "type": "TextArea", "name": "a", "label": "A" }] }),
    ] {
        let problems = check(&with_component(component.clone()));
        assert_eq!(problems, [], "{component}");
    }
}

/// The JSON of a new flow with something else at `at`.
fn broken(at: &str, value: Value) -> String {
    flow(|flow| *flow.pointer_mut(at).expect("there") = value)
}

/// The only violation of a flow is this one, at this place.
fn violates(text: &str, error: &str, path: &str) {
    let problems = check(text);
    let [problem] = problems.as_slice() else {
        panic!("{path}: {problems:?}")
    };
    assert_eq!((problem.error, problem.path.as_str()), (error, path));
    let value = problem.value();
    let line = usize::try_from(value["line_start"].as_u64().expect("a number")).expect("small");
    assert!((1..=text.lines().count()).contains(&line));
    assert_eq!(value["pointers"][0]["path"], path);
}

#[test]
fn a_broken_screen_names_its_place() {
    let screen = serde_json::from_str::<Value>(FIRST_JSON).expect("JSON")["screens"][0].clone();
    let invalid = "INVALID_PROPERTY_VALUE";
    violates(&broken("/version", json!("2.1")), invalid, "version");
    violates(&broken("/screens", json!([])), invalid, "screens");
    violates(&broken("/screens", json!(vec![screen.clone(); 21])), invalid, "screens");
    violates(
        &broken("/screens", json!(vec![screen; 2])),
        "DUPLICATE_SCREEN_ID",
        "screens[1].id",
    );
    violates(&broken("/screens/0/id", json!("SUCCESS")), invalid, "screens[0].id");
    let layout = broken("/screens/0/layout/type", json!("Grid"));
    violates(&layout, invalid, "screens[0].layout.type");
    let unknown = broken("/screens/0/layout/children/0/type", json!("Switch"));
    violates(&unknown, "INVALID_COMPONENT", "screens[0].layout.children[0].type");
}

#[test]
fn a_broken_component_names_its_place() {
    let footer = "/screens/0/layout/children/1";
    let place = "screens[0].layout.children[1].on-click-action";
    let invalid = "INVALID_PROPERTY_VALUE";
    let bare = broken(footer, json!({ "type": "Footer", "label": "x" }));
    violates(&bare, "MISSING_REQUIRED_PROPERTY", place);
    for (name, value) in [("name", json!("jump")), ("payload", json!([]))] {
        let text = broken(&format!("{footer}/on-click-action/{name}"), value);
        violates(&text, invalid, &format!("{place}.{name}"));
    }
    let place = "screens[0].layout.children[0]";
    let option = json!({ "id": "1", "title": "T" });
    let source =
        |source: Value| with_component(json!({ "type": "Dropdown", "name": "a", "label": "A", "data-source": source }));
    let twice = source(json!([option.clone(), option]));
    violates(&twice, invalid, &format!("{place}.data-source[1].id"));
    violates(&source(json!("x")), invalid, &format!("{place}.data-source"));
    let rows = json!([{ "label": "A", "seats": [{ "id": "A1", "state": "taken" }] }]);
    let map = with_component(json!({ "type": "SeatMap", "name": "k", "label": "K", "rows": rows }));
    violates(&map, invalid, &format!("{place}.rows[0].seats[0].state"));
}

#[test]
fn text_that_is_no_flow_is_refused_as_a_whole() {
    let large = format!("{{\"version\": \"{}\"}}", "x".repeat(FLOW_JSON_BYTES_MAX));
    for (text, error) in [
        ("{", "INVALID_FLOW_JSON"),
        ("[]", "INVALID_FLOW_JSON"),
        (large.as_str(), "FLOW_JSON_TOO_LARGE"),
    ] {
        assert_eq!(check(text).first().map(|problem| problem.error), Some(error));
    }
}

#[test]
fn a_flow_that_exchanges_data_needs_an_endpoint() {
    let exchange = flow(|flow| {
        *flow
            .pointer_mut("/screens/0/layout/children/1/on-click-action/name")
            .expect("there") = json!("data_exchange");
    });
    assert!(needs_endpoint(&exchange));
    assert!(needs_endpoint(&flow(|flow| flow["data_api_version"] = json!("3.0"))));
}
