//! What an order is, in the bytes that both sides hash and sign, and the rules of its sums.

use sha2::{Digest as _, Sha256};

use crate::{
    ids::AccountId,
    interactive::FieldError,
    signing,
    wire::{OrderDetails, Pay},
};

pub const REFERENCE_CHARS_MAX: usize = 35;
pub const ITEMS_MAX: usize = 50;
/// Far above any order, far below overflow.
pub const AMOUNT_MAX: i64 = 1_000_000_000_000;
const NAME_CHARS_MAX: usize = 60;

/// Over every field in its order, each with its length: no two orders have the same bytes.
pub fn order_hash(order: &OrderDetails) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(b"kabar/v1/order");
    for part in [&order.reference_id, &order.currency, &order.payee] {
        add_text(&mut hasher, part);
    }
    for number in [
        order.subtotal,
        order.tax,
        order.shipping,
        order.discount,
        order.total,
        order.expires_ms,
    ] {
        hasher.update(number.to_be_bytes());
    }
    hasher.update((order.items.len() as u64).to_be_bytes());
    for item in &order.items {
        add_text(&mut hasher, &item.retailer_id);
        add_text(&mut hasher, &item.name);
        hasher.update(item.amount.to_be_bytes());
        hasher.update(item.quantity.to_be_bytes());
    }
    hasher.finalize().into()
}

fn add_text(hasher: &mut Sha256, text: &str) {
    hasher.update((text.len() as u64).to_be_bytes());
    hasher.update(text.as_bytes());
}

/// What a person's device signs to pay: the tuple of `pay`, and who pays.
pub fn payment_bytes(person: AccountId, pay: &Pay) -> Vec<u8> {
    let mut bytes = signing::PAYMENT.to_vec();
    bytes.extend_from_slice(person.as_slice());
    for part in [
        &pay.business_account_id[..],
        pay.reference_id.as_bytes(),
        &pay.order_hash[..],
        pay.currency.as_bytes(),
    ] {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes.extend_from_slice(&pay.amount.to_be_bytes());
    bytes.extend_from_slice(&pay.expires_ms.to_be_bytes());
    bytes
}

fn broken(field: &'static str, rule: impl Into<String>) -> FieldError {
    let rule = rule.into();
    FieldError { field, rule }
}

/// ISO 4217 as far as its form goes.
pub fn currency(code: &str) -> Result<(), FieldError> {
    if code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase()) {
        Ok(())
    } else {
        Err(broken("currency", "must be three capital letters, as in ISO 4217"))
    }
}

/// Digits after the decimal point (ISO 4217): minor units of one unit are ten to this power.
pub fn exponent(currency: &str) -> u32 {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "VND" | "VUV"
        | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

pub fn reference(reference_id: &str) -> Result<(), FieldError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if (1..=REFERENCE_CHARS_MAX).contains(&reference_id.len()) && reference_id.chars().all(plain) {
        Ok(())
    } else {
        let rule = format!("must have 1 to {REFERENCE_CHARS_MAX} of letters, digits, - _ and .");
        Err(broken("reference_id", rule))
    }
}

/// Whether an order may be sent, and be shown with a button to pay it. Its sums must add up.
pub fn check(order: &OrderDetails) -> Result<(), FieldError> {
    reference(&order.reference_id)?;
    currency(&order.currency)?;
    if !(1..=ITEMS_MAX).contains(&order.items.len()) {
        return Err(broken("items", format!("must have 1 to {ITEMS_MAX} entries")));
    }
    let mut subtotal: i64 = 0;
    for item in &order.items {
        let length = item.name.chars().count();
        if !(1..=NAME_CHARS_MAX).contains(&length) {
            return Err(broken(
                "items.name",
                format!("must have 1 to {NAME_CHARS_MAX} characters"),
            ));
        }
        if !(0..=AMOUNT_MAX).contains(&item.amount) || !(1..=1_000).contains(&item.quantity) {
            return Err(broken(
                "items",
                "must have an amount of at least 0 and a quantity of 1 to 1000",
            ));
        }
        subtotal = subtotal.saturating_add(item.amount.saturating_mul(i64::from(item.quantity)));
    }
    if subtotal != order.subtotal {
        let rule = format!("must be the sum of the items ({subtotal}), is {}", order.subtotal);
        return Err(broken("subtotal", rule));
    }
    for (field, amount) in [
        ("tax", order.tax),
        ("shipping", order.shipping),
        ("discount", order.discount),
    ] {
        if !(0..=AMOUNT_MAX).contains(&amount) {
            return Err(broken(field, "must not be negative"));
        }
    }
    let total = order.subtotal + order.tax + order.shipping - order.discount;
    if total != order.total {
        let rule = format!(
            "must be subtotal + tax + shipping - discount ({total}), is {}",
            order.total
        );
        return Err(broken("total_amount", rule));
    }
    if !(1..=AMOUNT_MAX).contains(&order.total) {
        return Err(broken("total_amount", format!("must be 1 to {AMOUNT_MAX} minor units")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::OrderItem;

    fn order() -> OrderDetails {
        OrderDetails {
            reference_id: "ORD-1".into(),
            currency: "IDR".into(),
            items: vec![OrderItem {
                retailer_id: "SEAT-A1".into(),
                name: "Kursi A1".into(),
                amount: 25_000,
                quantity: 2,
            }],
            subtotal: 50_000,
            tax: 5_000,
            shipping: 0,
            discount: 1_000,
            total: 54_000,
            expires_ms: 1,
            payee: "aa".into(),
        }
    }

    #[test]
    fn sums_must_add_up() {
        assert_eq!(check(&order()), Ok(()));
        let mut wrong = order();
        wrong.total += 1;
        assert_eq!(check(&wrong).expect_err("total").field, "total_amount");
        let mut wrong = order();
        wrong.subtotal -= 1;
        assert_eq!(check(&wrong).expect_err("subtotal").field, "subtotal");
        let mut wrong = order();
        wrong.items[0].quantity = 0;
        assert_eq!(check(&wrong).expect_err("items").field, "items");
    }

    #[test]
    fn every_field_changes_the_hash() {
        let hash = order_hash(&order());
        let changes: [fn(&mut OrderDetails); 5] = [
            |order| order.total += 1,
            |order| order.items[0].name.push('x'),
            |order| order.items[0].quantity += 1,
            |order| order.payee.push('b'),
            |order| order.expires_ms += 1,
        ];
        for change in changes {
            let mut other = order();
            change(&mut other);
            assert_ne!(order_hash(&other), hash);
        }
    }

    #[test]
    fn references_are_plain() {
        for (reference_id, fits) in [
            ("ORD-1_a.b", true),
            ("", false),
            ("a b", false),
            (&"x".repeat(36), false),
        ] {
            assert_eq!(reference(reference_id).is_ok(), fits, "{reference_id}");
        }
    }
}
