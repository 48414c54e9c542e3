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

#[test]
fn a_violation_names_its_place() {
    let broken = |at: &str, value: Value| flow(|flow| *flow.pointer_mut(at).expect("there") = value);
    let footer = "/screens/0/layout/children/1";
    let action = |name: &str, value: Value| broken(&format!("{footer}/on-click-action/{name}"), value);
    let screen = serde_json::from_str::<Value>(FIRST_JSON).expect("JSON")["screens"][0].clone();
    let option = json!({ "id": "1", "title": "T" });
    let source =
        |source: Value| with_component(json!({ "type": "Dropdown", "name": "a", "label": "A", "data-source": source }));
    for (text, error, path) in [
        (broken("/version", json!("2.1")), "INVALID_PROPERTY_VALUE", "version"),
        (broken("/screens", json!([])), "INVALID_PROPERTY_VALUE", "screens"),
        (
            broken("/screens", json!(vec![screen.clone(); 21])),
            "INVALID_PROPERTY_VALUE",
            "screens",
        ),
        (
            broken("/screens", json!(vec![screen; 2])),
            "DUPLICATE_SCREEN_ID",
            "screens[1].id",
        ),
        (
            broken("/screens/0/id", json!("SUCCESS")),
            "INVALID_PROPERTY_VALUE",
            "screens[0].id",
        ),
        (
            broken("/screens/0/layout/type", json!("Grid")),
            "INVALID_PROPERTY_VALUE",
            "screens[0].layout.type",
        ),
        (
            broken("/screens/0/layout/children/0/type", json!("Switch")),
            "INVALID_COMPONENT",
            "screens[0].layout.children[0].type",
        ),
        (
            broken(footer, json!({ "type": "Footer", "label": "x" })),
            "MISSING_REQUIRED_PROPERTY",
            "screens[0].layout.children[1].on-click-action",
        ),
        (
            action("name", json!("jump")),
            "INVALID_PROPERTY_VALUE",
            "screens[0].layout.children[1].on-click-action.name",
        ),
        (
            action("payload", json!([])),
            "INVALID_PROPERTY_VALUE",
            "screens[0].layout.children[1].on-click-action.payload",
        ),
        (
            source(json!([option.clone(), option])),
            "INVALID_PROPERTY_VALUE",
            "screens[0].layout.children[0].data-source[1].id",
        ),
        (
            source(json!("x")),
            "INVALID_PROPERTY_VALUE",
            "screens[0].layout.children[0].data-source",
        ),
        (
            with_component(json!({ "type": "SeatMap", "name": "k", "label": "K",
            "rows": [{ "label": "A", "seats": [{ "id": "A1", "state": "taken" }] }] })),
            "INVALID_PROPERTY_VALUE",
            "screens[0].layout.children[0].rows[0].seats[0].state",
        ),
    ] {
        let problems = check(&text);
        let [problem] = problems.as_slice() else {
            panic!("{path}: {problems:?}")
        };
        assert_eq!((problem.error, problem.path.as_str()), (error, path));
        let value = problem.value();
        let line = usize::try_from(value["line_start"].as_u64().expect("a number")).expect("small");
        assert!((1..=text.lines().count()).contains(&line));
        assert_eq!(value["pointers"][0]["path"], path);
    }
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
