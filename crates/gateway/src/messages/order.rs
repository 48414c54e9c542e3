//! Orders of a request: `order_details` (to be paid in the thread) and `order_status`.
//!
//! Amounts come as `{value, offset}`: value / offset in the currency's unit. They are kept in its minor units.

use kabar_protocol::{
    order::exponent,
    wire::{OrderDetails, OrderItem, OrderUpdate, interactive::Action},
};

use crate::graph::{GraphError, Object};

/// An order of which nothing else is said ends after this.
const EXPIRES_AFTER_DEFAULT_MS: i64 = 30 * 60_000;
const OFFSET_MAX: u64 = 1_000_000;
const DESCRIPTION_CHARS_MAX: usize = 120;

/// The payee and the missing expiry are filled in by whoever sends.
pub(super) fn details(action: &Object<'_>) -> Result<Action, GraphError> {
    named(action, "review_and_pay")?;
    let parameters = action.required_object("parameters")?;
    let currency = parameters.required_text("currency", 3)?;
    kabar_protocol::order::currency(&currency).map_err(|error| parameters.refused("currency", error.rule))?;
    let order = parameters.required_object("order")?;
    let items = order.objects("items")?;
    let items = items.iter().map(|item| {
        Ok(OrderItem {
            retailer_id: item.required_text("retailer_id", 100)?,
            name: item.required_text("name", 60)?,
            amount: required_amount(item, "amount", &currency)?,
            quantity: item
                .u64("quantity")?
                .and_then(|quantity| u32::try_from(quantity).ok())
                .ok_or_else(|| item.missing("quantity"))?,
        })
    });
    let items = items.collect::<Result<Vec<_>, GraphError>>()?;
    let optional = |name: &str| Ok::<i64, GraphError>(amount(&order, name, &currency)?.unwrap_or(0));
    Ok(Action::OrderDetails(OrderDetails {
        reference_id: parameters.required_text("reference_id", 35)?,
        subtotal: required_amount(&order, "subtotal", &currency)?,
        tax: optional("tax")?,
        shipping: optional("shipping")?,
        discount: optional("discount")?,
        total: required_amount(&parameters, "total_amount", &currency)?,
        expires_ms: expiration(&order)?.unwrap_or(0),
        payee: String::new(),
        currency,
        items,
    }))
}

pub(super) fn status(action: &Object<'_>) -> Result<Action, GraphError> {
    named(action, "review_order")?;
    let parameters = action.required_object("parameters")?;
    let order = parameters.required_object("order")?;
    Ok(Action::OrderStatus(OrderUpdate {
        reference_id: parameters.required_text("reference_id", 35)?,
        status: order.required_text("status", 32)?,
        description: order.text("description", DESCRIPTION_CHARS_MAX)?.unwrap_or_default(),
    }))
}

/// Fills in what the request leaves to the gateway.
pub fn complete(order: &mut OrderDetails, payee: &str, now_ms: i64) {
    payee.clone_into(&mut order.payee);
    if order.expires_ms == 0 {
        order.expires_ms = now_ms + EXPIRES_AFTER_DEFAULT_MS;
    }
}

fn named(action: &Object<'_>, name: &str) -> Result<(), GraphError> {
    match action.required("name")? {
        given if given == name => Ok(()),
        _ => Err(action.refused("name", format!("must be {name}"))),
    }
}

/// `expiration.timestamp`: Unix seconds, as a string or a number.
fn expiration(order: &Object<'_>) -> Result<Option<i64>, GraphError> {
    let Some(expiration) = order.object("expiration")? else {
        return Ok(None);
    };
    let seconds = expiration.u64("timestamp")?;
    let seconds = seconds.ok_or_else(|| expiration.missing("timestamp"))?;
    let milliseconds = i64::try_from(seconds)
        .ok()
        .and_then(|seconds| seconds.checked_mul(1_000));
    milliseconds
        .map(Some)
        .ok_or_else(|| expiration.refused("timestamp", "must be Unix time in seconds"))
}

fn required_amount(parent: &Object<'_>, name: &str, currency: &str) -> Result<i64, GraphError> {
    amount(parent, name, currency)?.ok_or_else(|| parent.missing(name))
}

/// Minor units; an amount that the currency cannot express is refused.
fn amount(parent: &Object<'_>, name: &str, currency: &str) -> Result<Option<i64>, GraphError> {
    let Some(amount) = parent.object(name)? else {
        return Ok(None);
    };
    let value = amount.u64("value")?.ok_or_else(|| amount.missing("value"))?;
    let offset = amount.u64("offset")?.unwrap_or(100);
    if !(1..=OFFSET_MAX).contains(&offset) {
        return Err(amount.refused("offset", format!("must be 1 to {OFFSET_MAX}; 100 is usual")));
    }
    let minor = value.checked_mul(10u64.pow(exponent(currency)));
    let minor = minor.filter(|minor| minor % offset == 0).map(|minor| minor / offset);
    let minor = minor.and_then(|minor| i64::try_from(minor).ok());
    minor
        .map(Some)
        .ok_or_else(|| amount.refused("value", format!("is no whole number of minor units of {currency}")))
}

/// `{value, offset}` as the Cloud API writes amounts.
pub fn amount_value(minor: i64, currency: &str) -> serde_json::Value {
    // A hundredth of the unit whatever the currency, as the API's examples have it.
    let exponent = exponent(currency);
    let (value, offset) = match exponent {
        0 => (minor.saturating_mul(100), 100),
        2 => (minor, 100),
        more => (minor, 10i64.pow(more)),
    };
    serde_json::json!({ "value": value, "offset": offset })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn parse(change: impl FnOnce(&mut Value)) -> Result<OrderDetails, GraphError> {
        let mut action = json!({ "name": "review_and_pay", "parameters": {
            "reference_id": "ORD-1", "type": "digital-goods", "currency": "IDR",
            "total_amount": { "value": 5_000_000, "offset": 100 },
            "order": { "status": "pending",
                "items": [{ "retailer_id": "SEAT-A1", "name": "Kursi A1", "amount": { "value": 2_500_000, "offset": 100 }, "quantity": 2 }],
                "subtotal": { "value": 5_000_000, "offset": 100 } },
        } });
        change(&mut action);
        let root = Object::root(json!({ "action": action }).as_object().expect("an object").clone());
        match details(&root.required_object("action")?)? {
            Action::OrderDetails(order) => Ok(order),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn amounts_become_minor_units() {
        let order = parse(|_| {}).expect("an order");
        assert_eq!((order.total, order.items[0].amount), (5_000_000, 2_500_000));
        let yen = parse(|action| action["parameters"]["currency"] = "JPY".into()).expect("an order");
        assert_eq!(yen.total, 50_000);
        assert_eq!(
            amount_value(50_000, "JPY"),
            json!({ "value": 5_000_000, "offset": 100 })
        );
        let odd = parse(|action| {
            action["parameters"]["currency"] = "JPY".into();
            action["parameters"]["total_amount"]["value"] = 5_000_050.into();
        });
        let details = odd.expect_err("half a yen").details;
        assert!(details.contains("total_amount.value"), "{details}");
    }

    #[test]
    fn what_is_missing_is_named() {
        for (path, name) in [
            ("/parameters/reference_id", "reference_id"),
            ("/parameters/order/items/0/name", "name"),
            ("/parameters/total_amount/value", "value"),
        ] {
            let error = parse(|action| *action.pointer_mut(path).expect("a path") = Value::Null).expect_err(name);
            assert!(error.details.contains(name), "{}", error.details);
        }
    }
}
