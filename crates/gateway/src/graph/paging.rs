//! Pages of a list by cursor: `limit`, `after` and `before` in, `data` and `paging` out.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{GraphError, Object};

const LIMIT_DEFAULT: usize = 25;
const LIMIT_MAX: usize = 1000;

/// Which page a call asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    limit: usize,
    after: Option<Cursor>,
    before: Option<Cursor>,
}

/// An item by its key, and where it stood: should it be gone, the page goes on from there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cursor {
    at: usize,
    key: String,
}

impl Cursor {
    fn encode(at: usize, key: &str) -> String {
        URL_SAFE_NO_PAD.encode(format!("{at}:{key}"))
    }

    fn read(params: &Object<'_>, name: &str) -> Result<Option<Self>, GraphError> {
        let Some(text) = params.string(name)?.filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let decoded = URL_SAFE_NO_PAD
            .decode(text.trim_end_matches('='))
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok());
        let cursor = decoded.as_deref().and_then(|text| {
            let (at, key) = text.split_once(':')?;
            let key = key.to_owned();
            Some(Self {
                at: at.parse().ok()?,
                key,
            })
        });
        let invalid = || GraphError::invalid_request(format!("{name} is not a cursor of this list"));
        cursor.map(Some).ok_or_else(invalid)
    }

    /// Its present index, and whether the item is still there.
    fn find(&self, items: &[(String, Value)]) -> (usize, bool) {
        match items.iter().position(|(key, _)| *key == self.key) {
            Some(at) => (at, true),
            None => (self.at.min(items.len()), false),
        }
    }
}

impl Page {
    pub fn read(params: &Object<'_>) -> Result<Self, GraphError> {
        let limit = params.u64("limit")?.map(usize::try_from);
        let limit = match limit {
            None | Some(Ok(0)) => LIMIT_DEFAULT,
            Some(limit) => limit.unwrap_or(LIMIT_MAX).min(LIMIT_MAX),
        };
        Ok(Self {
            limit,
            after: Cursor::read(params, "after")?,
            before: Cursor::read(params, "before")?,
        })
    }

    /// The page of `items`, each with a key that is unique in the list. `address` is the absolute address of the list with its
    /// other parameters; `next` and `previous` add theirs. It must not hold a token: clients follow it with their own.
    pub fn of(&self, items: &[(String, Value)], address: &str) -> Value {
        let (start, end) = self.range(items);
        let Some(((first, _), (last, _))) = items[start..end].first().zip(items[start..end].last()) else {
            return json!({ "data": [] });
        };
        let data: Vec<&Value> = items[start..end].iter().map(|(_, value)| value).collect();
        let before = Cursor::encode(start, first);
        let after = Cursor::encode(end - 1, last);
        let separator = if address.contains('?') { '&' } else { '?' };
        let link = |name: &str, cursor: &str| format!("{address}{separator}limit={}&{name}={cursor}", self.limit);
        let mut paging = json!({ "cursors": { "before": before, "after": after } });
        if end < items.len() {
            paging["next"] = link("after", &after).into();
        }
        if start > 0 {
            paging["previous"] = link("before", &before).into();
        }
        json!({ "data": data, "paging": paging })
    }

    fn range(&self, items: &[(String, Value)]) -> (usize, usize) {
        if let Some(before) = &self.before {
            let (end, _) = before.find(items);
            return (end.saturating_sub(self.limit), end);
        }
        let start = self.after.as_ref().map_or(0, |after| {
            let (at, present) = after.find(items);
            // The place of an item that is gone is taken by the one behind it.
            at + usize::from(present)
        });
        (start, items.len().min(start + self.limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "https://k.example/v23.0/1/x?fields=a";

    fn items(keys: &[&str]) -> Vec<(String, Value)> {
        keys.iter().map(|key| ((*key).to_owned(), json!(key))).collect()
    }

    fn page(params: Value, items: &[(String, Value)]) -> Value {
        let params = Object::root(params.as_object().expect("an object").clone());
        Page::read(&params).expect("a page").of(items, ADDRESS)
    }

    #[test]
    fn pages_follow_each_other_both_ways() {
        let items = items(&["a", "b", "c", "d", "e"]);
        let first = page(json!({ "limit": "2" }), &items);
        assert_eq!(first["data"], json!(["a", "b"]));
        assert!(first["paging"].get("previous").is_none());
        let after = &first["paging"]["cursors"]["after"];
        let next = first["paging"]["next"].as_str().expect("more");
        assert_eq!(
            next,
            format!("{ADDRESS}&limit=2&after={}", after.as_str().expect("text"))
        );
        let second = page(json!({ "limit": 2, "after": after }), &items);
        assert_eq!(second["data"], json!(["c", "d"]));
        let back = page(
            json!({ "limit": 2, "before": second["paging"]["cursors"]["before"] }),
            &items,
        );
        assert_eq!(back["data"], json!(["a", "b"]));
        let third = page(
            json!({ "limit": 2, "after": second["paging"]["cursors"]["after"] }),
            &items,
        );
        assert_eq!(third["data"], json!(["e"]));
        assert!(third["paging"].get("next").is_none());
    }

    #[test]
    fn after_the_last_there_is_nothing_and_no_paging() {
        let items = items(&["a"]);
        let only = page(json!({}), &items);
        assert!(only["paging"].get("next").is_none());
        let after = page(json!({ "after": only["paging"]["cursors"]["after"] }), &items);
        assert_eq!(after, json!({ "data": [] }));
        assert_eq!(page(json!({}), &[]), json!({ "data": [] }));
    }

    #[test]
    fn a_page_goes_on_where_a_deleted_item_stood() {
        let first = page(json!({ "limit": 2 }), &items(&["a", "b", "c"]));
        let after = &first["paging"]["cursors"]["after"];
        assert_eq!(
            page(json!({ "after": after }), &items(&["a", "c"]))["data"],
            json!(["c"])
        );
    }

    #[test]
    fn what_is_no_cursor_is_refused_by_name() {
        for text in ["x y", "QQ", "!!!"] {
            let params = json!({ "after": text });
            let error = Page::read(&Object::root(params.as_object().expect("an object").clone()));
            assert!(error.expect_err(text).details.starts_with("after "), "{text}");
        }
    }
}
