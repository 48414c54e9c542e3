//! Tante Rina, who invites everybody that Halo meets to her family's feast: once, and nobody else.

use std::path::PathBuf;

use kabar_client::{
    Client,
    api::{Command, Reply},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    Met,
    person::{self, ANSWER_TIMEOUT},
};
use crate::output::Failure;

const USERNAME: &str = "tante.rina";
const NAME: &str = "Tante Rina (demo)";
const DAY_S: u64 = 86_400;
/// Western Indonesia, where the feast is.
const ZONE_S: u64 = 7 * 3_600;
const MONTHS: [&str; 12] = [
    "Januari",
    "Februari",
    "Maret",
    "April",
    "Mei",
    "Juni",
    "Juli",
    "Agustus",
    "September",
    "Oktober",
    "November",
    "Desember",
];

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
    let send = Command::SendText {
        to: met.account.to_string(),
        text: invitation(met.time_ms),
        reply_to: None,
        wait: false,
    };
    client.command(send, ANSWER_TIMEOUT).await?;
    Ok(())
}

fn invitation(now_ms: i64) -> String {
    let now_s = u64::try_from(now_ms / 1_000).unwrap_or_default();
    let (day, month, year) = date(saturday_after_next(now_s + ZONE_S));
    format!(
        "Undangan keluarga (demo): syukuran rumah baru kami, Sabtu {day} {month} {year} pukul 11.00, Jalan Melati 12, \
         Yogyakarta. Bisa datang? Busnya ada di Bus Mudik.\n\
         Family invitation (demo): our house-warming, that Saturday at 11:00, Jalan Melati 12, Yogyakarta."
    )
}

/// Days since 1970, a Thursday: the Saturday a week after the next.
fn saturday_after_next(local_s: u64) -> u64 {
    let today = local_s / DAY_S;
    today + (2 + 7 - today % 7) % 7 + 7
}

/// Day, month and year of a day since 1970 (civil from days, by eras of 400 years that begin in March).
fn date(days: u64) -> (u64, &'static str, u64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = usize::try_from((from_march + 2) % 12).unwrap_or_default();
    let year = year_of_era + era * 400 + u64::from(month < 2);
    (day, MONTHS.get(month).copied().unwrap_or_default(), year)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_days() {
        assert_eq!(date(0), (1, "Januari", 1970));
        assert_eq!(date(19_782), (29, "Februari", 2024));
        assert_eq!(date(20_818), (31, "Desember", 2026));
    }

    #[test]
    fn it_is_a_saturday_in_one_to_two_weeks() {
        for today in 20_000..20_014 {
            let feast = saturday_after_next(today * DAY_S);
            assert_eq!(feast % 7, 2, "the day after a Friday");
            assert!((7..14).contains(&(feast - today)), "{today}");
        }
    }

    #[test]
    fn it_says_that_it_is_a_demo() {
        let invitation = invitation(1_795_353_109_089);
        assert!(invitation.starts_with("Undangan keluarga (demo)"), "{invitation}");
        assert!(invitation.contains("Sabtu 5 Desember 2026"), "{invitation}");
    }
}
