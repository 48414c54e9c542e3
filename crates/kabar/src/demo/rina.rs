//! Tante Rina, who invites everybody that Halo meets to her family's feast: once, and nobody else.

use std::path::PathBuf;

use kabar_client::{
    Client,
    api::{Command, Reply, Shown},
};
use kabar_protocol::wire;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    Met,
    person::{self, ANSWER_TIMEOUT},
};
use crate::output::Failure;

const USERNAME: &str = "tante.rina";
const NAME: &str = "Tante Rina (demo)";
const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;
/// Western Indonesia, where the feast is; it knows no summer time.
const ZONE: &str = "Asia/Jakarta";
const ZONE_MS: i64 = 7 * HOUR_MS;

pub(super) async fn play(home: PathBuf, server: String, meets: mpsc::Receiver<Met>, stop: CancellationToken) {
    person::missed("Tante Rina", live(home, server, meets, stop).await);
}

async fn live(
    home: PathBuf,
    server: String,
    mut meets: mpsc::Receiver<Met>,
    stop: CancellationToken,
) -> Result<(), Failure> {
    // Nobody to invite, nothing to do: she signs up when Halo meets the first person.
    let first = tokio::select! {
        () = stop.cancelled() => None,
        met = meets.recv() => met,
    };
    let Some(first) = first else { return Ok(()) };
    let client = person::open(home, server, NAME, USERNAME).await?;
    let inviting = async {
        let mut met = Some(first);
        while let Some(somebody) = met {
            person::missed("Tante Rina", invite(&client, &somebody).await);
            met = meets.recv().await;
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = inviting => {}
    }
    client.close().await;
    Ok(())
}

/// Her own list of chats remembers whom she has written to.
async fn invite(client: &Client, met: &Met) -> Result<(), Failure> {
    let Reply::Chats { chats } = client.command(Command::ListChats, ANSWER_TIMEOUT).await? else {
        return Ok(());
    };
    if chats.iter().any(|chat| chat.peer.account_id == met.account) {
        return Ok(());
    }
    let send = Command::Send {
        to: met.account.to_string(),
        content: Shown::Event(invitation(met.time_ms)),
        reply_to: None,
        wait: false,
        business: None,
        mentions: Vec::new(),
    };
    client.command(send, ANSWER_TIMEOUT).await?;
    Ok(())
}

fn invitation(now_ms: i64) -> wire::Event {
    let starts_ms = feast_day(now_ms + ZONE_MS) * DAY_MS + 11 * HOUR_MS - ZONE_MS;
    wire::Event {
        title: "Syukuran rumah baru (demo)".into(),
        text: "Undangan keluarga: datang ya, makan siang bersama. Busnya ada di Bus Mudik.\n\
               Family invitation: our house-warming, with lunch."
            .into(),
        place: "Jalan Melati 12, Yogyakarta".into(),
        starts_ms,
        ends_ms: starts_ms + 3 * HOUR_MS,
        time_zone: ZONE.into(),
        guests_max: 4,
        canceled: false,
    }
}

/// Days since 1970, a Thursday: the Saturday in two to three weeks.
fn feast_day(local_ms: i64) -> i64 {
    let today = local_ms / DAY_MS;
    today + (2 - today).rem_euclid(7) + 14
}

#[cfg(test)]
mod tests {
    use kabar_protocol::event;

    use super::*;

    #[test]
    fn it_is_a_saturday_in_two_to_three_weeks() {
        for today in 20_000..20_014 {
            let feast = feast_day(today * DAY_MS);
            assert_eq!(feast % 7, 2, "the day after a Friday");
            assert!((14..21).contains(&(feast - today)), "{today}");
        }
    }

    #[test]
    fn it_begins_at_eleven_where_it_is_and_says_that_it_is_a_demo() {
        // 22 November 2026, 13:11 in Jakarta.
        let invitation = invitation(1_795_327_909_089);
        assert_eq!(event::event(&invitation), Ok(()));
        // 12 December 2026, 04:00 UTC.
        assert_eq!(invitation.starts_ms, 1_797_048_000_000);
        assert!(invitation.title.contains("demo"), "{}", invitation.title);
    }
}
