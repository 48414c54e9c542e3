//! The rules of mentions: run before sending and on what is received.

use crate::{
    ids::AccountId,
    interactive::{FieldError, broken},
    limits::MENTIONS_MAX,
    wire::Mention,
};

/// `text` is what they are in.
///
/// # Errors
/// Names the field and the rule: each is a part of the text that begins with @, in their order, not overlapping.
pub fn mentions(mentions: &[Mention], text: &str) -> Result<(), FieldError> {
    if mentions.len() > MENTIONS_MAX {
        return Err(broken("mentions", format!("must be at most {MENTIONS_MAX}")));
    }
    let chars: Vec<char> = text.chars().collect();
    let mut free = 0;
    for mention in mentions {
        let (start, end) = (mention.start, mention.start.checked_add(mention.length));
        let Some(end) = end.filter(|_| start >= free && mention.length > 1) else {
            return Err(broken("mentions", "must be in their order, and not overlap"));
        };
        let part = usize::try_from(start).ok().zip(usize::try_from(end).ok());
        let part = part.and_then(|(start, end)| chars.get(start..end));
        if part.and_then(<[char]>::first) != Some(&'@') {
            return Err(broken("mentions", "must be parts of the text that begin with @"));
        }
        if !matches!(mention.account_id.len(), 0 | AccountId::BYTES) {
            return Err(broken("mentions", "must name accounts, or nobody for all"));
        }
        free = end;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mention(start: u32, length: u32) -> Mention {
        Mention {
            start,
            length,
            account_id: vec![7; 16].into(),
        }
    }

    #[test]
    fn mentions_are_parts_of_the_text() {
        let text = "é @Budi, @all";
        let all = Mention {
            account_id: Vec::new().into(),
            ..mention(9, 4)
        };
        assert_eq!(mentions(&[mention(2, 5), all], text), Ok(()));
        for wrong in [
            vec![mention(1, 5)],
            vec![mention(2, 1)],
            vec![mention(9, 5)],
            vec![mention(u32::MAX, 2)],
            vec![mention(9, 4), mention(2, 5)],
            vec![mention(2, 5), mention(2, 5)],
            vec![mention(2, 5); 51],
        ] {
            assert!(mentions(&wrong, text).is_err(), "{wrong:?}");
        }
    }
}
