//! Accounts, devices, the directory, KeyPackages, phone numbers.

use ed25519_dalek::SigningKey;
use kabar_protocol::{
    device_list::{DeviceList, signed_entry},
    ids::DeviceId,
    wire::{
        self, DeviceListEntry, DeviceListEntryBody, append_device_list_entry_outcome as appended,
        client_frame::Body as Request,
        deliver::Kind,
        device_list_entry_body::{Change, RevokeDevice},
        find_account::Who,
        find_account_outcome as found, register_outcome as registered, request_phone_code_outcome as requested,
        send_outcome as sent,
        server_frame::Body as Response,
        submit_commit_outcome as submitted, verify_phone_outcome as verified,
    },
};
use kabar_server::admin::{self, Command};

use crate::{
    device::{Device, device_key, random},
    on_each_engine,
    socket::Socket,
    start, start_with,
};

fn next(list: &DeviceList, change: Change, signer: &SigningKey, added: Option<&SigningKey>) -> DeviceListEntry {
    let body = DeviceListEntryBody {
        version: list.version + 1,
        previous_hash: list.head_hash().to_vec().into(),
        time_ms: 0,
        change: Some(change),
    };
    signed_entry(&body, signer, added)
}

async fn append(device: &mut Device, entry: DeviceListEntry) -> appended::Outcome {
    let request = wire::AppendDeviceListEntry { entry: Some(entry) };
    match device.socket.request(Request::AppendDeviceListEntry(request)).await {
        Response::AppendDeviceListEntry(outcome) => outcome.outcome.expect("an outcome"),
        other => panic!("{other:?}"),
    }
}

/// A second device of the account, on its own socket.
pub(crate) async fn link(server: &kabar_server::Server, device: &mut Device) -> Device {
    let key = SigningKey::from_bytes(&random());
    let entry = next(
        &device.list,
        Change::AddDevice(device_key(&key)),
        &device.key,
        Some(&key),
    );
    device.list.append(&entry).expect("continues the chain");
    let outcome = append(device, entry).await;
    assert!(matches!(outcome, appended::Outcome::Appended(_)), "{outcome:?}");
    let mut second = Device::new(Socket::open(server).await, device.list.clone(), key);
    let session = second.authenticate(0).await;
    assert!(matches!(session, Response::Session(_)), "{session:?}");
    second.socket.queue_empty().await;
    second
}

async fn find(device: &mut Device, who: Who) -> Option<wire::find_account_outcome::Found> {
    let request = wire::FindAccount { who: Some(who) };
    match device.socket.request(Request::FindAccount(request)).await {
        Response::FindAccount(outcome) => match outcome.outcome.expect("an outcome") {
            found::Outcome::Found(found) => Some(found),
            found::Outcome::NotFound(_) => None,
        },
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_username_is_one_persons_and_is_found_by_exact_match() {
    for test in on_each_engine().await {
        let ani = Device::register(&test.server, Some("Ani.Dewi")).await;
        let mut budi = Device::register(&test.server, None).await;
        let found = find(&mut budi, Who::Username("ani.dewi".into())).await.expect("found");
        assert_eq!(found.account_id, ani.account.to_bytes());
        assert_eq!(find(&mut budi, Who::Username("ani.dew".into())).await, None);
        let request = |name: Option<&str>| {
            Request::SetUsername(wire::SetUsername {
                username: name.map(Into::into),
            })
        };
        let mut set = async |name| match budi.socket.request(request(name)).await {
            Response::SetUsername(outcome) => outcome.outcome.expect("an outcome"),
            other => panic!("{other:?}"),
        };
        use wire::set_username_outcome::Outcome;
        assert!(matches!(set(Some("ani.dewi")).await, Outcome::Taken(_)));
        assert!(matches!(set(Some("budi_1")).await, Outcome::Done(_)));
        assert!(matches!(set(Some("budi_2")).await, Outcome::Done(_)));
        let mut citra = Device::register(&test.server, Some("budi_1")).await;
        let found = find(&mut citra, Who::Username("budi_2".into())).await.expect("found");
        assert_eq!(found.account_id, budi.account.to_bytes());
    }
}

#[tokio::test]
async fn registration_follows_the_mode() {
    let test = start_with(|config| config.registration.mode = kabar_server::config::RegistrationMode::Invite).await;
    let refused = async |invite: Option<&str>, test: &crate::TestServer| {
        let mut device = Device::fresh(&test.server).await;
        device.try_register(None, invite).await
    };
    use registered::refused::Reason;
    assert_eq!(refused(None, &test).await, Err(Reason::InviteRequired));
    assert_eq!(refused(Some("ABCD"), &test).await, Err(Reason::InviteInvalid));
    let command = Command::InviteCreate {
        uses: 1,
        expires_days: 1,
    };
    let made = admin::run(test.server.app(), command).await.expect("a code");
    let code = made["code"].as_str().expect("a code").to_owned();
    assert_eq!(refused(Some(&code.to_lowercase()), &test).await, Ok(()));
    assert_eq!(refused(Some(&code), &test).await, Err(Reason::InviteInvalid), "used up");
}

#[tokio::test]
async fn a_phone_number_is_proved_by_its_code() {
    for test in on_each_engine().await {
        let mut ani = Device::register(&test.server, None).await;
        let mut budi = Device::register(&test.server, None).await;
        let phone = "+62 812 3456 7890";
        assert!(matches!(ask_code(&mut ani, phone).await, requested::Outcome::Sent(_)));
        assert!(matches!(
            ask_code(&mut ani, phone).await,
            requested::Outcome::TooSoon(_)
        ));
        let code = pending_code(&test, phone).await;
        assert!(matches!(
            try_code(&mut budi, phone, &code).await,
            verified::Outcome::Expired(_)
        ));
        let wrong = if code == "000000" { "000001" } else { "000000" };
        assert!(matches!(
            try_code(&mut ani, phone, wrong).await,
            verified::Outcome::WrongCode(left) if left.attempts_left == 4
        ));
        assert!(matches!(
            try_code(&mut ani, phone, &code).await,
            verified::Outcome::Verified(_)
        ));
        let found = find(&mut budi, Who::Phone(phone.into())).await.expect("found");
        assert_eq!(found.account_id, ani.account.to_bytes());
        assert!(ani.reconnect(&test.server, 0).await.phone_verified);

        assert!(matches!(ask_code(&mut budi, phone).await, requested::Outcome::Sent(_)));
        let code = pending_code(&test, phone).await;
        assert!(matches!(
            try_code(&mut budi, phone, &code).await,
            verified::Outcome::Verified(_)
        ));
        let found = find(&mut ani, Who::Phone(phone.into())).await.expect("found");
        assert_eq!(found.account_id, budi.account.to_bytes(), "the newest prover has it");
        assert!(!ani.reconnect(&test.server, 0).await.phone_verified);
    }
}

#[tokio::test]
async fn five_wrong_guesses_lock_a_number_for_an_hour() {
    let test = start().await;
    let mut ani = Device::register(&test.server, None).await;
    let phone = "+6281299990000";
    ask_code(&mut ani, phone).await;
    let code = pending_code(&test, phone).await;
    let wrong = if code == "111111" { "222222" } else { "111111" };
    for left in (1..=4).rev() {
        assert!(matches!(
            try_code(&mut ani, phone, wrong).await,
            verified::Outcome::WrongCode(wrong) if wrong.attempts_left == left
        ));
    }
    assert!(matches!(
        try_code(&mut ani, phone, wrong).await,
        verified::Outcome::Locked(_)
    ));
    assert!(matches!(
        try_code(&mut ani, phone, &code).await,
        verified::Outcome::Locked(_)
    ));
    test.clock.advance(61_000);
    assert!(matches!(ask_code(&mut ani, phone).await, requested::Outcome::Locked(_)));
    test.clock.advance(3_600_000);
    assert!(matches!(ask_code(&mut ani, phone).await, requested::Outcome::Sent(_)));
    let code = pending_code(&test, phone).await;
    test.clock.advance(601_000);
    assert!(matches!(
        try_code(&mut ani, phone, &code).await,
        verified::Outcome::Expired(_)
    ));
}

async fn ask_code(device: &mut Device, phone: &str) -> requested::Outcome {
    let request = wire::RequestPhoneCode { phone: phone.into() };
    match device.socket.request(Request::RequestPhoneCode(request)).await {
        Response::RequestPhoneCode(outcome) => outcome.outcome.expect("an outcome"),
        other => panic!("{other:?}"),
    }
}

async fn try_code(device: &mut Device, phone: &str, code: &str) -> verified::Outcome {
    let request = wire::VerifyPhone {
        phone: phone.into(),
        code: code.into(),
    };
    match device.socket.request(Request::VerifyPhone(request)).await {
        Response::VerifyPhone(outcome) => outcome.outcome.expect("an outcome"),
        other => panic!("{other:?}"),
    }
}

async fn pending_code(test: &crate::TestServer, phone: &str) -> String {
    let command = Command::RegistrationCode { phone: phone.into() };
    let answer = admin::run(test.server.app(), command).await.expect("a code");
    answer["code"].as_str().expect("six digits").to_owned()
}

#[tokio::test]
async fn key_packages_are_handed_out_once_and_the_last_resort_stays() {
    for test in on_each_engine().await {
        let mut ani = Device::register(&test.server, None).await;
        let mut budi = Device::register(&test.server, None).await;
        let without = ani.claim(budi.account).await;
        assert_eq!(without.devices_without, [budi.id.to_bytes()]);
        budi.publish_key_packages(2).await;
        let mut seen = Vec::new();
        for last_resort in [false, false, true, true] {
            let mut claimed = ani.claim(budi.account).await;
            let package = claimed.key_packages.pop().expect("a package");
            assert_eq!(package.last_resort, last_resort);
            seen.push(package.key_package);
        }
        assert_ne!(seen[0], seen[1]);
        assert_eq!(seen[2], seen[3]);
        let foreign = wire::PublishKeyPackages {
            key_packages: vec![ani.key_package(false).into()],
            last_resort: None,
        };
        match budi.socket.request(Request::PublishKeyPackages(foreign)).await {
            Response::Error(error) => assert_eq!(error.reason, "key_package"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_revoked_device_is_out_and_its_leaf_must_go_first() {
    for test in on_each_engine().await {
        let mut ani = Device::register(&test.server, None).await;
        let mut budi = Device::register(&test.server, None).await;
        let mut tablet = link(&test.server, &mut budi).await;
        budi.publish_key_packages(1).await;
        tablet.publish_key_packages(1).await;
        let id = ani.create_direct(budi.account).await;
        for device in [&mut budi, &mut tablet] {
            assert_eq!(device.socket.delivered().await.kind(), Kind::Welcome);
        }
        let message = ani.message(id, 1, 5);
        ani.sent(message).await;
        assert_eq!(budi.socket.delivered().await.seq, 2);

        let change = Change::RevokeDevice(RevokeDevice {
            device_id: tablet.id.to_bytes(),
        });
        let entry = next(&budi.list, change, &budi.key, None);
        assert!(matches!(
            append(&mut budi, entry.clone()).await,
            appended::Outcome::Appended(_)
        ));
        assert!(
            matches!(append(&mut budi, entry).await, appended::Outcome::Conflict(head) if head.version == 2),
            "somebody was first"
        );
        assert_eq!(tablet.socket.last_error().await, "device_revoked");
        tablet.socket = Socket::open(&test.server).await;
        match tablet.authenticate(0).await {
            Response::Error(error) => assert_eq!(error.reason, "device_revoked"),
            other => panic!("{other:?}"),
        }

        let message = ani.message(id, 1, 5);
        match ani.send(message.clone()).await {
            sent::Outcome::PendingRemoval(pending) => assert_eq!(pending.devices[0].device_id, tablet.id.to_bytes()),
            other => panic!("{other:?}"),
        }
        let removal = ani.remove(id, &[tablet.id]);
        let outcome = ani.submit(id, 1, removal).await;
        assert!(matches!(outcome, submitted::Outcome::Accepted(_)), "{outcome:?}");
        ani.merge(id);
        let message = ani.message(id, 2, 5);
        assert_eq!(ani.sent(message).await.seq, 4);
        assert_eq!(budi.socket.delivered().await.kind(), Kind::Commit);
        assert_eq!(budi.socket.delivered().await.seq, 4);
    }
}

#[tokio::test]
async fn a_group_without_all_current_devices_is_stale() {
    let test = start().await;
    let mut ani = Device::register(&test.server, None).await;
    let mut budi = Device::register(&test.server, None).await;
    budi.publish_key_packages(1).await;
    let claimed = ani.claim(budi.account).await;
    let mut tablet = link(&test.server, &mut budi).await;
    tablet.publish_key_packages(1).await;
    let (id, bundle) = ani.direct_group(budi.account, &claimed.key_packages);
    use wire::create_conversation_outcome::Outcome;
    match ani.create(id, bundle, None).await {
        Outcome::DeviceListStale(stale) => assert_eq!(stale.account_ids, [budi.account.to_bytes()]),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn only_a_devices_own_signature_over_this_nonce_opens_a_session() {
    let test = start().await;
    let mut ani = Device::register(&test.server, None).await;
    let stale = ani.sign_challenge();
    ani.socket = Socket::open(&test.server).await;
    let request = |account: Vec<u8>, device: Vec<u8>, signature: Vec<u8>, version| {
        Request::Authenticate(wire::Authenticate {
            version,
            account_id: account.into(),
            device_id: device.into(),
            signature: signature.into(),
            ..Default::default()
        })
    };
    let (account, device) = (ani.account.as_slice().to_vec(), ani.id.as_slice().to_vec());
    let other = DeviceId([7; 16]).as_slice().to_vec();
    let good = ani.sign_challenge();
    let cases = [
        (request(account.clone(), device.clone(), stale, 1), "signature_invalid"),
        (request(vec![9; 16], device.clone(), good.clone(), 1), "account_unknown"),
        (request(account.clone(), other, good.clone(), 1), "device_unknown"),
        (
            request(account.clone(), device.clone(), good.clone(), 9),
            "version_unsupported",
        ),
        (request(vec![1], device.clone(), good.clone(), 1), "parameter_invalid"),
        (Request::Typing(wire::Typing::default()), "session_required"),
    ];
    for (request, reason) in cases {
        match ani.socket.request(request).await {
            Response::Error(error) => assert_eq!(error.reason, reason),
            other => panic!("{other:?}"),
        }
    }
    let answer = ani.socket.request(request(account, device, good, 1)).await;
    assert!(matches!(answer, Response::Session(_)), "{answer:?}");
}

#[tokio::test]
async fn a_second_socket_of_a_device_replaces_the_first() {
    let test = start().await;
    let mut ani = Device::register(&test.server, None).await;
    let mut first = std::mem::replace(&mut ani.socket, Socket::open(&test.server).await);
    assert!(matches!(ani.authenticate(0).await, Response::Session(_)));
    assert_eq!(first.last_error().await, "session_replaced");
    ani.socket.queue_empty().await;
}

#[tokio::test]
async fn the_operator_is_shown_an_account_but_no_secrets() {
    let test = start().await;
    let ani = Device::register(&test.server, Some("ani")).await;
    let data = test.config.server.data.clone();
    let command = Command::UserShow { who: "@ani".into() };
    let shown = admin::call(&data, command.clone())
        .await
        .expect("over the admin socket");
    assert_eq!(shown["account_id"], ani.account.to_string());
    assert_eq!(shown["devices"][0]["online"], true);
    test.server.shutdown().await;
    let shown = admin::call(&data, command).await.expect("on the data itself");
    assert_eq!(shown["devices"][0]["online"], false);
}
