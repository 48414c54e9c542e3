//! Do charges, receipts and journal agree? Every charge has a receipt that verifies, every receipt its charge, each once.

use kabar_protocol::{ids::ConversationId, receipt::Receipt};

use super::{
    Account, Kind, Report,
    charge::journal_key,
    charge_store::{self as store, CHARGED, Charge, RESERVED},
    kinds_after, posted,
};
use crate::db::{DbError, Tx};

/// How many messages were charged, and how many are reserved for.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) charged: u64,
    pub(crate) reserved: u64,
}

pub(crate) async fn verify_charges(tx: &mut Tx, report: &mut Report) -> Result<Counts, DbError> {
    let mut counts = Counts::default();
    let mut after = (0, ConversationId([0; 16]), 0);
    loop {
        let page = store::charges_after(tx, after).await?;
        let Some(last) = page.last() else { break };
        after = (last.waba_id, last.conversation, last.seq);
        let key = |charge: &Charge| (charge.waba_id, journal_key(charge.conversation, charge.seq));
        let keys: Vec<(u64, String)> = page.iter().map(key).collect();
        let journal = posted(tx, Account::Revenue, &keys).await?;
        for charge in &page {
            counts.charged += u64::from(charge.state == CHARGED);
            counts.reserved += u64::from(charge.state == RESERVED);
            let entry = journal.get(&key(charge));
            if let Some(what) = fault(charge, entry) {
                let (seq, conversation, waba_id) = (charge.seq, charge.conversation, charge.waba_id);
                report.fault(format!(
                    "message {seq} of conversation {conversation}, business {waba_id}: {what}"
                ));
            }
        }
    }
    check_journal(tx, report).await?;
    for waba_id in store::wrong_totals(tx).await? {
        report.fault(format!(
            "wallet of business {waba_id}: its balance or what it reserves is not what journal and messages add up to"
        ));
    }
    Ok(counts)
}

fn fault(charge: &Charge, entry: Option<&(String, i64)>) -> Option<&'static str> {
    let expected = (charge.state == CHARGED && charge.price > 0).then(|| (charge.currency.clone(), charge.price));
    match (expected, entry) {
        (None, None) => {}
        (Some(expected), Some(entry)) if expected == *entry => {}
        (Some(_), Some(_)) => return Some("it is journalled with another amount"),
        (Some(_), None) => return Some("it was charged, and is not in the journal"),
        (None, Some(_)) => return Some("it is in the journal, and was not charged"),
    }
    match (&charge.proof, charge.state) {
        (None, CHARGED) => Some("it was charged without a receipt"),
        (Some(proof), CHARGED) => {
            let receipt = Receipt {
                timeline: proof.timeline,
                conversation: charge.conversation,
                seq: charge.seq,
                message: charge.message,
                category: charge.category,
                rate_card_id: charge.rate_card_id,
            };
            let genuine = receipt.verify(&proof.device_key, &proof.signature);
            (!genuine).then_some("its receipt does not verify")
        }
        (Some(_), _) => Some("it has a receipt, and was not charged"),
        (None, _) => None,
    }
}

/// Every charge in the journal is a message's.
async fn check_journal(tx: &mut Tx, report: &mut Report) -> Result<(), DbError> {
    let mut after = (0, String::new());
    loop {
        let page = kinds_after(tx, &after).await?;
        let Some((waba_id, key, _)) = page.last() else { break };
        after = (*waba_id, key.clone());
        let charges = page.iter().filter(|(_, _, kind)| *kind == Some(Kind::Charge));
        let named: Vec<_> = charges
            .map(|(waba_id, key, _)| (*waba_id, key.as_str(), place(key)))
            .collect();
        let places: Vec<_> = named
            .iter()
            .filter_map(|(waba_id, _, place)| place.map(|(conversation, seq)| (*waba_id, conversation, seq)))
            .collect();
        let found = store::charges(tx, &places).await?;
        for (waba_id, key, place) in named {
            let charged = place.is_some_and(|(conversation, seq)| {
                let mut charged = found
                    .iter()
                    .filter(|charge| charge.state == CHARGED && charge.price > 0);
                charged.any(|charge| (charge.waba_id, charge.conversation, charge.seq) == (waba_id, conversation, seq))
            });
            if !charged {
                report.fault(format!(
                    "transaction {key} of business {waba_id}: no message stands for this charge"
                ));
            }
        }
    }
    Ok(())
}

fn place(key: &str) -> Option<(ConversationId, u64)> {
    let (conversation, seq) = key.strip_prefix("charge:")?.split_once(':')?;
    Some((ConversationId::from_hex(conversation)?, seq.parse().ok()?))
}
