//! What people say to each other.

use kabar_protocol::wire::{self, Content, Profile, content::Body};

use crate::{ACCOUNT, content_of, encodes};

/// Another message, that this one is about.
fn message() -> Option<bytes::Bytes> {
    Some(vec![2; 32].into())
}

#[test]
fn texts_and_receipts() {
    let text = Content {
        in_reply_to: message(),
        expires_at_ms: Some(1_790_000_060_000),
        profile: Some(Profile {
            name: "Ani".into(),
            version: 2,
        }),
        automated: true,
        ..content_of(Body::Text(wire::Text { body: "halo".into() }))
    };
    encodes(
        "a text",
        &text,
        "0a10010101010101010101010101010101011080d8c1a28c342220020202020202020202020202020202020202020202020202020202020202020228e0acc5a28c3452060a0468616c6ff201070a03416e691002f80101",
    );
    encodes(
        "a read receipt",
        &content_of(Body::ReadUpTo(wire::ReadUpTo { seq: 300 })),
        "0a10010101010101010101010101010101011080d8c1a28c345a0308ac02",
    );
}

#[test]
fn what_is_done_to_a_message() {
    let edited = Content {
        replaces: message(),
        ..content_of(Body::Text(wire::Text { body: "hai".into() }))
    };
    encodes(
        "an edit",
        &edited,
        "0a10010101010101010101010101010101011080d8c1a28c341a20020202020202020202020202020202020202020202020202020202020202020252050a03686169",
    );
    let deleted = Content {
        replaces: message(),
        ..content_of(Body::Deleted(wire::Empty {}))
    };
    encodes(
        "a deletion",
        &deleted,
        "0a10010101010101010101010101010101011080d8c1a28c341a2002020202020202020202020202020202020202020202020202020202020202026200",
    );
    let reaction = wire::Reaction { emoji: "👍".into() };
    encodes(
        "a reaction",
        &content_of(Body::Reaction(reaction)),
        "0a10010101010101010101010101010101011080d8c1a28c346a060a04f09f918d",
    );
    let taken_back = Content {
        in_reply_to: message(),
        ..content_of(Body::Reaction(wire::Reaction::default()))
    };
    encodes(
        "a reaction that is taken back",
        &taken_back,
        "0a10010101010101010101010101010101011080d8c1a28c34222002020202020202020202020202020202020202020202020202020202020202026a00",
    );
}

#[test]
fn files() {
    let file = wire::File {
        name: "pantai.jpg".into(),
        mime_type: "image/jpeg".into(),
        size_bytes: 70_000,
        key: vec![3; 32].into(),
        location: "EBESExQ".into(),
        sha256: vec![4; 32].into(),
        ciphertext_sha256: vec![5; 32].into(),
        caption: "kemarin".into(),
        width: 1_600,
        height: 1_200,
        preview: vec![6; 4].into(),
        ..wire::File::default()
    };
    encodes(
        "a picture",
        &content_of(Body::File(file.clone())),
        "0a10010101010101010101010101010101011080d8c1a28c34a201a0010a0a70616e7461692e6a7067120a696d6167652f6a70656718f0a204222003030303030303030303030303030303030303030303030303030303030303032a0745424553457851322004040404040404040404040404040404040404040404040404040404040404043a20050505050505050505050505050505050505050505050505050505050505050542076b656d6172696e48c00c50b0095a0406060606",
    );
    let plain = wire::File {
        caption: String::new(),
        width: 0,
        height: 0,
        preview: Default::default(),
        ..file
    };
    encodes(
        "a file without a caption and a preview",
        &content_of(Body::File(plain)),
        "0a10010101010101010101010101010101011080d8c1a28c34a2018b010a0a70616e7461692e6a7067120a696d6167652f6a70656718f0a204222003030303030303030303030303030303030303030303030303030303030303032a0745424553457851322004040404040404040404040404040404040404040404040404040404040404043a200505050505050505050505050505050505050505050505050505050505050505",
    );
}

#[test]
fn invitations_and_their_answers() {
    let event = wire::Event {
        title: "Syukuran".into(),
        text: "Bawa keluarga".into(),
        place: "Rumah Ani".into(),
        starts_ms: 1_790_100_000_000,
        ends_ms: 1_790_110_000_000,
        time_zone: "Asia/Jakarta".into(),
        guests_max: 4,
        canceled: false,
    };
    encodes(
        "an invitation",
        &content_of(Body::Event(event.clone())),
        "0a10010101010101010101010101010101011080d8c1a28c34aa01420a085379756b7572616e120d42617761206b656c75617267611a0952756d616820416e6920809a99d28c342880c7fbd68c34320c417369612f4a616b617274613804",
    );
    let canceled = Content {
        replaces: message(),
        ..content_of(Body::Event(wire::Event {
            canceled: true,
            ..event
        }))
    };
    encodes(
        "an invitation that is called off",
        &canceled,
        "0a10010101010101010101010101010101011080d8c1a28c341a200202020202020202020202020202020202020202020202020202020202020202aa01440a085379756b7572616e120d42617761206b656c75617267611a0952756d616820416e6920809a99d28c342880c7fbd68c34320c417369612f4a616b6172746138044001",
    );
    for (name, answer, guests, pinned) in [
        (
            "going",
            wire::rsvp::Answer::Going,
            2,
            "0a10010101010101010101010101010101011080d8c1a28c3422200202020202020202020202020202020202020202020202020202020202020202b2010408011002",
        ),
        (
            "maybe",
            wire::rsvp::Answer::Maybe,
            0,
            "0a10010101010101010101010101010101011080d8c1a28c3422200202020202020202020202020202020202020202020202020202020202020202b201020802",
        ),
        (
            "no",
            wire::rsvp::Answer::No,
            0,
            "0a10010101010101010101010101010101011080d8c1a28c3422200202020202020202020202020202020202020202020202020202020202020202b201020803",
        ),
        (
            "taken back",
            wire::rsvp::Answer::Unspecified,
            0,
            "0a10010101010101010101010101010101011080d8c1a28c3422200202020202020202020202020202020202020202020202020202020202020202b20100",
        ),
    ] {
        let rsvp = wire::Rsvp {
            answer: answer.into(),
            guests,
        };
        let content = Content {
            in_reply_to: message(),
            ..content_of(Body::Rsvp(rsvp))
        };
        encodes(name, &content, pinned);
    }
}

#[test]
fn what_a_group_is_called() {
    let info = wire::GroupInfo {
        version: 3,
        name: "Keluarga".into(),
        description: "Kabar keluarga besar".into(),
        photo: vec![7; 4].into(),
        names: vec![wire::KnownName {
            account_id: ACCOUNT.to_bytes(),
            name: "Ani".into(),
        }],
        timer_seconds: 0,
    };
    let timed = wire::GroupInfo {
        timer_seconds: 86_400,
        ..wire::GroupInfo::default()
    };
    encodes(
        "the timer of a group",
        &content_of(Body::GroupInfo(timed)),
        "0a10010101010101010101010101010101011080d8c1a28c34c202043080a305",
    );
    encodes(
        "name and picture of a group",
        &content_of(Body::GroupInfo(info)),
        "0a10010101010101010101010101010101011080d8c1a28c34c20241080312084b656c75617267611a144b61626172206b656c75617267612062657361722204070707072a170a10a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a11203416e69",
    );
}

#[test]
fn polls_places_and_cards() {
    let poll = wire::Poll {
        question: "Makan?".into(),
        options: vec!["Padang".into(), "Sunda".into()],
        several: true,
        closed: true,
    };
    encodes(
        "a poll",
        &content_of(Body::Poll(poll)),
        "0a10010101010101010101010101010101011080d8c1a28c34ba011b0a064d616b616e3f1206506164616e67120553756e646118012001",
    );
    let vote = Content {
        in_reply_to: message(),
        ..content_of(Body::Vote(wire::Vote { options: vec![0, 1] }))
    };
    encodes(
        "a vote",
        &vote,
        "0a10010101010101010101010101010101011080d8c1a28c3422200202020202020202020202020202020202020202020202020202020202020202c201040a020001",
    );
    let place = wire::Location {
        latitude_e7: -61_753_924,
        longitude_e7: 1_068_271_528,
        name: "Monas".into(),
        address: "Gambir".into(),
    };
    encodes(
        "a place",
        &content_of(Body::Location(place)),
        "0a10010101010101010101010101010101011080d8c1a28c34ca011a0887a9f23a10d09ee4fa071a054d6f6e6173220647616d626972",
    );
    let card = wire::Contact {
        name: "Sari".into(),
        phones: vec!["+62 21 555".into()],
        emails: vec!["sari@example.com".into()],
        organization: "Klinik".into(),
        account_id: vec![7; 16].into(),
    };
    let cards = wire::Contacts { people: vec![card] };
    encodes(
        "a card",
        &content_of(Body::Contacts(cards)),
        "0a10010101010101010101010101010101011080d8c1a28c34d201400a3e0a0453617269120a2b3632203231203535351a1073617269406578616d706c652e636f6d22064b6c696e696b2a1007070707070707070707070707070707",
    );
}

#[test]
fn what_is_said_of_messages_and_of_the_chat() {
    let spoken_to = Content {
        mentions: vec![
            wire::Mention {
                start: 0,
                length: 4,
                account_id: vec![7; 16].into(),
            },
            wire::Mention {
                start: 5,
                length: 4,
                account_id: Default::default(),
            },
        ],
        ..content_of(Body::Text(wire::Text {
            body: "@Ani @all".into(),
        }))
    };
    encodes(
        "a text that speaks to members",
        &spoken_to,
        "0a10010101010101010101010101010101011080d8c1a28c34520b0a0940416e692040616c6c8a021410041a10070707070707070707070707070707078a020408051004",
    );
    let pin = wire::Pin {
        message_id: vec![2; 32].into(),
        until_ms: 1_790_000_060_000,
    };
    encodes(
        "a message put to the top",
        &content_of(Body::Pin(pin)),
        "0a10010101010101010101010101010101011080d8c1a28c34da01290a20020202020202020202020202020202020202020202020202020202020202020210e0acc5a28c34",
    );
    let timer = wire::Timer { seconds: 86_400 };
    encodes(
        "a timer",
        &content_of(Body::Timer(timer)),
        "0a10010101010101010101010101010101011080d8c1a28c34e201040880a305",
    );
    let voice = wire::File {
        duration_ms: 3_200,
        voice: true,
        waveform: vec![1, 2, 3].into(),
        pages: 2,
        album: vec![8; 16].into(),
        view_once: true,
        ..wire::File::default()
    };
    encodes(
        "what a file says of sound, pages, album and once",
        &content_of(Body::File(voice)),
        "0a10010101010101010101010101010101011080d8c1a28c34a2012260801968017203010203780282011008080808080808080808080808080808880101",
    );
    encodes(
        "that a file was looked at",
        &content_of(Body::Opened(wire::Empty {})),
        "0a10010101010101010101010101010101011080d8c1a28c34ea0100",
    );
}
