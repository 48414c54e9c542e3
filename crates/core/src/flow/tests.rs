//! A booking, as a person goes through it.

use serde_json::{Map, Value, json};

use super::*;

fn object(value: Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

fn booking() -> Flow {
    let flow = json!({ "version": "7.0", "screens": [
        { "id": "NAMA", "title": "Pesan", "layout": { "type": "SingleColumnLayout", "children": [
            { "type": "TextHeading", "text": "Halo ${data.film}, pilih jam" },
            { "type": "Form", "name": "f", "init-values": { "kota": "jkt" }, "children": [
                { "type": "TextInput", "name": "nama", "label": "Nama", "required": true },
                { "type": "Dropdown", "name": "kota", "label": "Kota", "data-source": [
                    { "id": "jkt", "title": "Jakarta" }, { "id": "bdg", "title": "Bandung" } ] },
                { "type": "OptIn", "name": "kabar", "label": "Kabari saya" },
                { "type": "TextInput", "name": "rahasia", "label": "x", "required": true, "visible": false }
            ] },
            { "type": "Footer", "label": "Lanjut", "on-click-action": { "name": "navigate",
                "next": { "type": "screen", "name": "KURSI" },
                "payload": { "nama": "${form.nama}", "rows": "${data.rows}" } } }
        ] } },
        { "id": "KURSI", "terminal": true, "layout": { "type": "SingleColumnLayout", "children": [
            { "type": "SeatMap", "name": "kursi", "label": "Kursi", "rows": "${data.rows}", "min-seats": 1,
                "max-seats": "${data.most}" },
            { "type": "Footer", "label": "Pesan", "on-click-action": { "name": "complete", "payload": {
                "untuk": "${data.nama}", "kota": "${screen.NAMA.form.kota}", "kursi": "${form.kursi}" } } }
        ] } }
    ] });
    Flow::parse(&flow.to_string()).expect("a flow")
}

fn rows() -> Value {
    json!([{ "label": "A", "seats": [
        { "id": "A1", "state": "free", "price": 25000 }, { "id": "A2", "state": "sold" }, { "state": "gap" },
        { "id": "A3", "state": "free" } ] }])
}

#[test]
fn a_person_goes_through_a_booking() {
    let flow = booking();
    let mut earlier = Map::new();
    assert_eq!(flow.first(), "NAMA");
    let data = object(json!({ "film": "Laskar", "rows": rows() }));
    let screen = flow.screen("NAMA", data, &earlier).expect("a screen");
    assert_eq!(screen.components[0]["text"], "Halo Laskar, pilih jam");
    let names: Vec<_> = screen.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["nama", "kota", "kabar"], "what is hidden is not asked");
    let form = screen
        .fill(&object(json!({ "nama": "Ani ${data.film}" })))
        .expect("filled");
    assert_eq!(
        form,
        object(json!({ "nama": "Ani ${data.film}", "kota": "jkt", "kabar": false }))
    );
    remember(&mut earlier, &screen, &form);
    let Ok(Action::Navigate { screen, payload }) = screen.press(&form, &earlier) else {
        panic!("does not lead on")
    };
    assert_eq!(screen, "KURSI");
    assert_eq!(payload["nama"], "Ani ${data.film}", "what was entered is no reference");

    let screen = flow.screen("KURSI", payload, &earlier).expect("a screen");
    let free: Vec<_> = screen.fields[0].options.iter().map(|seat| seat.id.as_str()).collect();
    assert_eq!(free, ["A1", "A3"]);
    assert!(screen.fields[0].required && screen.terminal);
    let form = screen.fill(&object(json!({ "kursi": ["A1", "A3"] }))).expect("filled");
    let Ok(Action::Complete { payload }) = screen.press(&form, &earlier) else {
        panic!("does not end")
    };
    assert_eq!(
        Value::Object(payload),
        json!({ "untuk": "Ani ${data.film}", "kota": "jkt", "kursi": ["A1", "A3"] })
    );
}

#[test]
fn an_answer_that_breaks_a_rule_is_named() {
    let flow = booking();
    let earlier = Map::new();
    let first = flow.screen("NAMA", Map::new(), &earlier).expect("a screen");
    let second = flow.screen("KURSI", object(json!({ "rows": rows(), "most": 1 })), &earlier);
    let second = second.expect("a screen");
    for (screen, answers, named) in [
        (&first, json!({}), "nama is required (Nama)"),
        (&first, json!({ "nama": "  " }), "nama is required (Nama)"),
        (&first, json!({ "nama": ["x"] }), "nama must be a text"),
        (
            &first,
            json!({ "nama": "x".repeat(81) }),
            "nama must have 0 to 80 characters, has 81",
        ),
        (
            &first,
            json!({ "nama": "x", "kota": "sby" }),
            "kota must be of: jkt, bdg",
        ),
        (
            &first,
            json!({ "nama": "x", "kabar": "ya" }),
            "kabar must be true or false",
        ),
        (
            &first,
            json!({ "nama": "x", "umur": 3 }),
            "umur is not asked for by screen NAMA",
        ),
        (
            &first,
            json!({ "nama": "x", "rahasia": "y" }),
            "rahasia is not asked for by screen NAMA",
        ),
        (&second, json!({}), "kursi is required (Kursi)"),
        (&second, json!({ "kursi": ["A2"] }), "kursi must be of: A1, A3"),
        (
            &second,
            json!({ "kursi": ["A1", "A1"] }),
            "kursi must name each id once",
        ),
        (
            &second,
            json!({ "kursi": ["A1", "A3"] }),
            "kursi must have 1 to 1 entries, has 2",
        ),
    ] {
        let problem = screen.fill(&object(answers)).expect_err("refused");
        assert_eq!(problem.to_string(), named);
    }
}

#[test]
fn kinds_of_text_and_days_are_looked_at() {
    let component = |component: Value| {
        let flow = json!({ "screens": [{ "id": "A", "layout": { "children": [component] } }] });
        Flow::parse(&flow.to_string()).expect("a flow")
    };
    let fill = |flow: &Flow, answer: Value| {
        let screen = flow.screen("A", Map::new(), &Map::new()).expect("a screen");
        screen.fill(&object(json!({ "a": answer })))
    };
    let number = component(json!({ "type": "TextInput", "name": "a", "input-type": "number" }));
    assert_eq!(fill(&number, json!(7)).expect("filled")["a"], "7");
    assert!(fill(&number, json!("tujuh")).is_err());
    let day = component(
        json!({ "type": "DatePicker", "name": "a", "min-date": "2026-01-10", "max-date": "2026-01-20",
        "unavailable-dates": ["2026-01-15"] }),
    );
    assert!(fill(&day, json!("2026-01-12")).is_ok());
    for other in ["2026-01-09", "2026-01-21", "2026-01-15"] {
        assert!(fill(&day, json!(other)).is_err(), "{other}");
    }
    let group = component(json!({ "type": "CheckboxGroup", "name": "a", "max-selected-items": 1,
        "data-source": [{ "id": "1", "title": "A" }, { "id": "2", "title": "B", "enabled": false }] }));
    assert_eq!(fill(&group, json!("1")).expect("filled")["a"], json!(["1"]));
    assert!(fill(&group, json!(["2"])).is_err());
}

#[test]
fn references_keep_types_and_miss_in_silence() {
    let data = object(json!({ "n": 5, "list": [{ "x": true }], "text": "T" }));
    let none = Map::new();
    let scope = Scope {
        form: &none,
        data: &data,
        screens: &none,
    };
    for (from, to) in [
        (json!("${data.n}"), json!(5)),
        (json!("${data.list.0.x}"), json!(true)),
        (json!("${data.none}"), Value::Null),
        (json!("${other.n}"), Value::Null),
        (json!("n=${data.n}, ${data.text}${data.none}!"), json!("n=5, T!")),
        (json!("${data.n} and ${data.n}"), json!("5 and 5")),
        (json!("open ${data.n"), json!("open ${data.n")),
        (json!({ "a": ["${data.n}"] }), json!({ "a": [5] })),
    ] {
        assert_eq!(resolve(&from, &scope), to, "{from}");
    }
}

#[test]
fn what_a_business_gets_wrong_is_said() {
    for json in ["", "[]", "{}", r#"{"screens":[]}"#] {
        assert!(matches!(Flow::parse(json), Err(FlowProblem::Flow(_))), "{json}");
    }
    let flow = Flow::parse(r#"{"screens":[{"id":"A"},{"layout":7},3]}"#).expect("a flow");
    assert_eq!(
        flow.screen("B", Map::new(), &Map::new()),
        Err(FlowProblem::Screen("B".into()))
    );
    let screen = flow.screen("A", Map::new(), &Map::new()).expect("a screen");
    assert!(matches!(
        screen.press(&Map::new(), &Map::new()),
        Err(FlowProblem::Flow(_))
    ));
}
