//! kill -9 in mid-conversation: nothing acknowledged is lost, nothing is shown twice, order is kept.

mod support;

use std::sync::{
    atomic::{AtomicBool, Ordering},
    mpsc,
};

use support::{Person, Serve, directory};

/// Servers that die in the test.
const KILLS: usize = 4;
const SENDS_BETWEEN_KILLS: usize = 4;

#[test]
fn a_killed_server_loses_nothing_that_it_acknowledged() {
    let directory = directory();
    let mut server = Serve::start(directory.path());
    let address = server.address().to_owned();
    let ani = Person::register(directory.path(), "Ani", &server.url);
    let budi = Person::register(directory.path(), "Budi", &server.url);
    ani.send("@budi", "0");

    let done = AtomicBool::new(false);
    let (tell, told) = mpsc::channel();
    let (acknowledged, received, _server) = std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 1.. {
                let text = number.to_string();
                let sent = ani.run(&["--wait", "20", "send", "--to", "@budi", "--text", &text]);
                if sent.status.success() && tell.send(text).is_err() {
                    break;
                }
            }
        });
        let reader = scope.spawn(|| {
            let mut received = Vec::new();
            while !done.load(Ordering::Relaxed) {
                received.extend(printed(&budi));
            }
            received
        });
        let mut acknowledged = vec!["0".to_owned()];
        for _ in 0..KILLS {
            acknowledged.extend(told.iter().take(SENDS_BETWEEN_KILLS));
            // The next send is on its way by now.
            server.kill();
            server = Serve::start_on(directory.path(), &address, &[]);
        }
        acknowledged.extend(told.iter().take(SENDS_BETWEEN_KILLS));
        acknowledged.extend(told.try_iter());
        drop(told);
        done.store(true, Ordering::Relaxed);
        (acknowledged, reader.join().expect("reader"), server)
    });
    let mut received = received;
    received.extend(budi.texts());

    let numbers: Vec<u32> = received.iter().map(|text| text.parse().expect("a number")).collect();
    assert!(
        numbers.windows(2).all(|pair| pair[0] < pair[1]),
        "in order, none twice: {numbers:?}"
    );
    let missing: Vec<_> = acknowledged.iter().filter(|text| !received.contains(text)).collect();
    assert!(missing.is_empty(), "acknowledged and lost: {missing:?}");
    assert!(acknowledged.len() > KILLS, "the test sent something: {acknowledged:?}");
}

/// What one `receive` prints, even if the server dies meanwhile: a printed item counts as seen.
fn printed(person: &Person) -> Vec<String> {
    let output = person.run(&["--wait", "2", "receive"]);
    let lines = String::from_utf8(output.stdout).expect("UTF-8");
    let items = lines
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("a JSON line"));
    items
        .filter(|item| item["kind"] == "text")
        .filter_map(|item| item["text"].as_str().map(str::to_owned))
        .collect()
}
