//! Rate cards: what a delivered message costs, by category and market, from a day on. Data, not rules of the program.
//!
//! The market is the calling code of the business's own number: the server holds people's numbers as hashes only, so the
//! recipient's country is not known to it.

use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError, RwLock},
};

use kabar_protocol::{order, wire::MessageCategory};
use serde_json::{Value, json};

use super::{date, money};
use crate::{
    app::App,
    db::{DbError, Rows, Tx, params},
    error::Failure,
    messaging::Tariff,
};

const HEADER: &str = "category,country,currency,price_minor,free_per_month";
const RATES_MAX: usize = 2_000;
/// The market of all that have no line of their own.
const OTHERS: &str = "*";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rate {
    /// A calling code with its plus, or `*`.
    country: String,
    category: MessageCategory,
    tariff: Tariff,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Card {
    pub(super) rate_card_id: u64,
    effective_ms: i64,
    rates: Vec<Rate>,
}

impl Card {
    /// The prices of a market, by currency: those of the longest calling code that `phone` begins with.
    pub(super) fn tariffs(&self, phone: &str, category: MessageCategory) -> Vec<Tariff> {
        let of_category = || self.rates.iter().filter(|rate| rate.category == category);
        let country = of_category()
            .map(|rate| rate.country.as_str())
            .filter(|country| phone.starts_with(country))
            .max_by_key(|country| country.len())
            .unwrap_or(OTHERS);
        let rates = of_category().filter(|rate| rate.country == country);
        rates.map(|rate| rate.tariff.clone()).collect()
    }
}

/// The cards in memory, newest last; read again after an import.
#[derive(Default)]
pub(super) struct Cards(RwLock<Option<Arc<Vec<Card>>>>);

/// The card in force at a time: that of the latest day; of two for one day, the one imported later.
pub(super) async fn in_force(app: &App, at_ms: i64) -> Result<Option<Card>, Failure> {
    let kept = app
        .billing
        .cards
        .0
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    let cards = match kept {
        Some(cards) => cards,
        None => {
            let cards = Arc::new(load(&mut app.db.reader().await?).await?);
            let mut kept = app.billing.cards.0.write().unwrap_or_else(PoisonError::into_inner);
            *kept = Some(Arc::clone(&cards));
            cards
        }
    };
    let past = cards.iter().filter(|card| card.effective_ms <= at_ms);
    Ok(past.max_by_key(|card| (card.effective_ms, card.rate_card_id)).cloned())
}

async fn load(tx: &mut Tx) -> Result<Vec<Card>, DbError> {
    let sql = "SELECT c.rate_card_id, c.effective_ms, r.country, r.category, r.currency, r.price, r.free_per_month \
               FROM rate_card AS c JOIN rate AS r ON r.rate_card_id = c.rate_card_id \
               ORDER BY c.rate_card_id, r.country, r.category, r.currency";
    let mut cards: Vec<Card> = Vec::new();
    for row in tx.fetch(sql, params![]).await? {
        let rate_card_id = row.get(0)?;
        if cards.last().is_none_or(|card| card.rate_card_id != rate_card_id) {
            cards.push(Card {
                rate_card_id,
                effective_ms: row.get(1)?,
                rates: Vec::new(),
            });
        }
        let rate = Rate {
            country: row.get(2)?,
            category: category(row.get(3)?),
            tariff: Tariff {
                currency: row.get(4)?,
                price: row.get(5)?,
                free_per_month: row.get(6)?,
            },
        };
        if let Some(card) = cards.last_mut() {
            card.rates.push(rate);
        }
    }
    Ok(cards)
}

pub(super) fn category(column: i64) -> MessageCategory {
    let category = i32::try_from(column).ok().and_then(|value| value.try_into().ok());
    category.unwrap_or_default()
}

/// Adds a card that is in force from a day on.
pub(crate) async fn import(app: &App, csv: &str, effective: &str) -> Result<Value, Failure> {
    let effective_ms = date::day_ms(effective)
        .ok_or_else(|| Failure::invalid("effective", "must be a day such as 2026-10-01 (UTC)"))?;
    let rates = parse(csv).map_err(|rule| Failure::invalid("file", rule))?;
    let input = (rates, effective_ms, app.now_ms());
    let card = app
        .db
        .write(input, |tx, (rates, effective_ms, now_ms)| {
            Box::pin(insert(tx, rates, *effective_ms, *now_ms))
        })
        .await?;
    *app.billing.cards.0.write().unwrap_or_else(PoisonError::into_inner) = None;
    Ok(shown(Some(&card)))
}

async fn insert(tx: &mut Tx, rates: &[Rate], effective_ms: i64, now_ms: i64) -> Result<Card, DbError> {
    let sql = "SELECT COALESCE(MAX(rate_card_id), 0) FROM rate_card";
    let row = tx.fetch_optional(sql, params![]).await?;
    let rate_card_id: u64 = row.map_or(Ok(0), |row| row.get::<u64>(0))? + 1;
    let sql = "INSERT INTO rate_card (rate_card_id, effective_ms, imported_ms) VALUES ($1, $2, $3)";
    tx.execute(sql, params![rate_card_id, effective_ms, now_ms]).await?;
    let mut rows = Rows::new(6);
    for rate in rates {
        rows.push([
            rate_card_id.into(),
            rate.country.as_str().into(),
            i64::from(rate.category as i32).into(),
            rate.tariff.currency.as_str().into(),
            rate.tariff.price.into(),
            rate.tariff.free_per_month.into(),
        ]);
    }
    let sql = "INSERT INTO rate (rate_card_id, country, category, currency, price, free_per_month) VALUES {rows} \
               ON CONFLICT DO NOTHING";
    tx.execute_rows(sql, &rows).await?;
    Ok(Card {
        rate_card_id,
        effective_ms,
        rates: rates.to_vec(),
    })
}

/// The card that is in force, now or on a day.
pub(crate) async fn show_card(app: &App, at: Option<&str>) -> Result<Value, Failure> {
    let at_ms = match at {
        Some(day) => {
            date::day_ms(day).ok_or_else(|| Failure::invalid("at", "must be a day such as 2026-10-01 (UTC)"))?
        }
        None => app.now_ms(),
    };
    Ok(shown(in_force(app, at_ms).await?.as_ref()))
}

fn shown(card: Option<&Card>) -> Value {
    let Some(card) = card else {
        return json!({ "rate_card_id": null, "effective": null, "rows": [] });
    };
    let rows = card.rates.iter().map(|rate| {
        json!({
            "category": category_name(rate.category),
            "country": rate.country,
            "currency": rate.tariff.currency,
            "price_minor": rate.tariff.price,
            "price": money::decimal(rate.tariff.price, &rate.tariff.currency),
            "free_per_month": rate.tariff.free_per_month,
        })
    });
    json!({
        "rate_card_id": card.rate_card_id.to_string(),
        "effective": date::day_text(card.effective_ms),
        "rows": rows.collect::<Vec<_>>(),
    })
}

fn category_name(category: MessageCategory) -> &'static str {
    match category {
        MessageCategory::Utility => "utility",
        MessageCategory::Authentication => "authentication",
        MessageCategory::Marketing => "marketing",
        MessageCategory::Service | MessageCategory::Unspecified => "service",
    }
}

/// A header, then a line per price; empty lines and lines that begin with # are left out.
fn parse(csv: &str) -> Result<Vec<Rate>, String> {
    let mut lines = csv
        .lines()
        .map(str::trim)
        .enumerate()
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    match lines.next() {
        Some((_, header)) if header.trim_start_matches('\u{feff}') == HEADER => {}
        _ => return Err(format!("must begin with the line {HEADER}")),
    }
    let mut rates = Vec::new();
    let mut seen = BTreeSet::new();
    for (at, line) in lines {
        let rate = rate(line).map_err(|rule| format!("line {}: {rule}", at + 1))?;
        let key = (rate.country.clone(), rate.category as i32, rate.tariff.currency.clone());
        if !seen.insert(key) {
            return Err(format!(
                "line {}: this category, country and currency has a line already",
                at + 1
            ));
        }
        rates.push(rate);
        if rates.len() > RATES_MAX {
            return Err(format!("must have at most {RATES_MAX} prices"));
        }
    }
    if rates.is_empty() {
        return Err("must have a price at least; a card that makes everything free says 0".into());
    }
    Ok(rates)
}

fn rate(line: &str) -> Result<Rate, String> {
    let columns: Vec<&str> = line.split(',').map(str::trim).collect();
    let [category, country, currency, price, free] = columns[..] else {
        return Err(format!("must have the five columns {HEADER}"));
    };
    let category = match category {
        "service" => MessageCategory::Service,
        "utility" => MessageCategory::Utility,
        "authentication" => MessageCategory::Authentication,
        "marketing" => MessageCategory::Marketing,
        _ => return Err("category must be service, utility, authentication or marketing".into()),
    };
    let calling_code = country.strip_prefix('+').is_some_and(|digits| {
        (1..=4).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0')
    });
    if country != OTHERS && !calling_code {
        return Err("country must be a calling code such as +62, or * for all others".into());
    }
    order::currency(currency).map_err(|error| format!("currency {}", error.rule))?;
    Ok(Rate {
        country: country.into(),
        category,
        tariff: Tariff {
            currency: currency.into(),
            price: whole("price_minor", price)?,
            // No column at all would be a spelling that reads as a price of its own.
            free_per_month: if free.is_empty() {
                0
            } else {
                whole("free_per_month", free)?
            },
        },
    })
}

fn whole(name: &str, text: &str) -> Result<i64, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| text.parse::<i64>().ok()).flatten();
    number
        .filter(|number| *number <= order::AMOUNT_MAX)
        .ok_or_else(|| format!("{name} must be a whole number of 0 to {}", order::AMOUNT_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(csv: &str) -> Card {
        Card {
            rate_card_id: 1,
            effective_ms: 0,
            rates: parse(csv).expect("a card"),
        }
    }

    #[test]
    fn the_examples_are_cards() {
        for csv in [
            include_str!("../../../../docs/rate-cards/october-2026.csv"),
            include_str!("../../../../docs/rate-cards/all-free.csv"),
        ] {
            assert!(!card(csv).rates.is_empty());
        }
    }

    #[test]
    fn the_longest_calling_code_is_the_market() {
        let card = card(
            "category,country,currency,price_minor,free_per_month\n\
             utility,*,USD,5,\nutility,+1,USD,4,\nutility,+1868,USD,9,\nutility,+62,USD,2,10\nutility,+62,IDR,30000,10\n",
        );
        let prices = |phone, category| -> Vec<i64> {
            let tariffs = card.tariffs(phone, category);
            tariffs.iter().map(|tariff| tariff.price).collect()
        };
        assert_eq!(prices("+12025550100", MessageCategory::Utility), [4]);
        assert_eq!(prices("+18685550100", MessageCategory::Utility), [9]);
        assert_eq!(prices("+622150001000", MessageCategory::Utility), [2, 30_000]);
        assert_eq!(prices("+4930123456", MessageCategory::Utility), [5]);
        assert_eq!(
            prices("+4930123456", MessageCategory::Marketing),
            [0; 0],
            "no line: free"
        );
    }

    #[test]
    fn a_line_that_means_nothing_is_named() {
        for (line, what) in [
            ("werbung,+62,USD,2,", "category"),
            ("utility,62,USD,2,", "country"),
            ("utility,ID,USD,2,", "country"),
            ("utility,+62,usd,2,", "currency"),
            ("utility,+62,USD,0.02,", "price_minor"),
            ("utility,+62,USD,-1,", "price_minor"),
            ("utility,+62,USD,2,x", "free_per_month"),
            ("utility,+62,USD,2", "five columns"),
            ("utility,*,USD,1,\nutility,*,USD,2,", "line 3"),
            ("", "at least"),
        ] {
            let refused = parse(&format!("{HEADER}\n{line}")).expect_err(line);
            assert!(refused.contains(what), "{line}: {refused}");
        }
        assert!(parse("utility,*,USD,1,").expect_err("no header").contains(HEADER));
    }
}
