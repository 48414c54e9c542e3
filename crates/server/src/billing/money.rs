//! Decimal text to integer minor units and back. Never through a floating-point number.

use kabar_protocol::order;

/// `100.5` in USD is 10050. More digits than the currency has are refused, not rounded.
pub(super) fn minor_units(text: &str, currency: &str) -> Result<i64, String> {
    let digits = order::exponent(currency);
    let form = || match digits {
        0 => format!("must be digits only, such as 10000: {currency} has no decimals"),
        _ => format!("must be digits with at most {digits} decimals, such as 100.00"),
    };
    let (whole, fraction) = match text.split_once('.') {
        Some((_, "")) => return Err(form()),
        Some((whole, fraction)) => (whole, fraction),
        None => (text, ""),
    };
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let missing = usize::try_from(digits)
        .ok()
        .and_then(|digits| digits.checked_sub(fraction.len()))
        .ok_or_else(form)?;
    if whole.is_empty() || !plain(whole) || !plain(fraction) {
        return Err(form());
    }
    let all = format!("{whole}{fraction}{}", "0".repeat(missing));
    let amount = all.parse::<i64>().ok().filter(|amount| *amount <= order::AMOUNT_MAX);
    match amount {
        Some(amount) if amount > 0 => Ok(amount),
        Some(_) => Err("must be more than 0".into()),
        None => Err(format!("must be at most {}", decimal(order::AMOUNT_MAX, currency))),
    }
}

pub(super) fn decimal(amount: i64, currency: &str) -> String {
    let digits = order::exponent(currency);
    let sign = if amount < 0 { "-" } else { "" };
    let amount = amount.unsigned_abs();
    if digits == 0 {
        return format!("{sign}{amount}");
    }
    let unit = 10_u64.pow(digits);
    let width = digits as usize;
    format!("{sign}{}.{:0width$}", amount / unit, amount % unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_minor_units_and_text_again() {
        for (text, currency, amount, again) in [
            ("100.00", "USD", 10_000, "100.00"),
            ("100", "IDR", 10_000, "100.00"),
            ("0.5", "USD", 50, "0.50"),
            ("0.01", "USD", 1, "0.01"),
            ("9007199254.93", "USD", 900_719_925_493, "9007199254.93"),
            ("10000", "JPY", 10_000, "10000"),
            ("250000", "VND", 250_000, "250000"),
        ] {
            assert_eq!(minor_units(text, currency), Ok(amount), "{text} {currency}");
            assert_eq!(decimal(amount, currency), again);
        }
        assert_eq!(decimal(-5, "USD"), "-0.05");
        assert_eq!(decimal(-5, "KRW"), "-5");
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for (text, currency) in [
            ("", "USD"),
            (".5", "USD"),
            ("1.", "USD"),
            ("1.005", "USD"),
            ("1.0", "JPY"),
            ("-1", "USD"),
            ("+1", "USD"),
            ("1e3", "USD"),
            ("1,000", "USD"),
            ("0", "USD"),
            ("0.00", "USD"),
            ("99999999999999999999", "USD"),
            ("10000000000.01", "USD"),
        ] {
            assert!(minor_units(text, currency).is_err(), "{text} {currency}");
        }
    }
}
