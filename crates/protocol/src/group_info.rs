//! What a group is called: the rules of [`wire::GroupInfo`], for who sends it and who receives it.

use crate::{
    ids::AccountId,
    interactive::FieldError,
    limits::{GROUP_DESCRIPTION_CHARS_MAX, GROUP_NAME_CHARS_MAX, GROUP_PHOTO_BYTES_MAX, KNOWN_NAMES_MAX},
    names, wire,
};

fn broken(field: &'static str, rule: String) -> FieldError {
    FieldError { field, rule }
}

/// Characters that end a line or turn its direction: in a name they could make one group look like another.
fn is_unseen(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Trims and checks the name of a group.
///
/// # Errors
/// Names the field and the rule: 1 to [`GROUP_NAME_CHARS_MAX`] characters, no control or direction characters.
pub fn name(text: &str) -> Result<String, FieldError> {
    let name = text.trim();
    let fits = (1..=GROUP_NAME_CHARS_MAX).contains(&name.chars().count());
    if fits && !name.chars().any(is_unseen) {
        Ok(name.to_owned())
    } else {
        let rule = format!("must be 1 to {GROUP_NAME_CHARS_MAX} characters without control or direction characters");
        Err(broken("name", rule))
    }
}

/// Trims and checks what a group is about; it may be empty, and have several lines.
///
/// # Errors
/// Names the field and the rule: at most [`GROUP_DESCRIPTION_CHARS_MAX`] characters.
pub fn description(text: &str) -> Result<String, FieldError> {
    let text = text.trim();
    if text.chars().count() <= GROUP_DESCRIPTION_CHARS_MAX && !text.chars().any(|c| is_unseen(c) && c != '\n') {
        Ok(text.to_owned())
    } else {
        let rule =
            format!("must have at most {GROUP_DESCRIPTION_CHARS_MAX} characters, none of them control characters");
        Err(broken("description", rule))
    }
}

/// Checks a picture; none is no bytes.
///
/// # Errors
/// Names the field and the rule: at most [`GROUP_PHOTO_BYTES_MAX`] bytes of JPEG or WebP.
pub fn photo(bytes: &[u8]) -> Result<(), FieldError> {
    let jpeg = bytes.starts_with(&[0xFF, 0xD8, 0xFF]);
    let webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
    if bytes.is_empty() || (bytes.len() <= GROUP_PHOTO_BYTES_MAX && (jpeg || webp)) {
        Ok(())
    } else {
        let rule = format!("must be a JPEG or WebP of at most {GROUP_PHOTO_BYTES_MAX} bytes");
        Err(broken("photo", rule))
    }
}

/// Checks a whole message.
///
/// # Errors
/// The first field that breaks a rule.
pub fn group_info(info: &wire::GroupInfo) -> Result<(), FieldError> {
    if name(&info.name)? != info.name || description(&info.description)? != info.description {
        return Err(broken("name", "must have no space around it".into()));
    }
    photo(&info.photo)?;
    if info.names.len() > KNOWN_NAMES_MAX {
        return Err(broken("names", format!("must be at most {KNOWN_NAMES_MAX}")));
    }
    let valid = |known: &wire::KnownName| {
        AccountId::from_slice(&known.account_id).is_ok() && names::display_name(&known.name).is_ok()
    };
    if info.names.iter().all(valid) {
        Ok(())
    } else {
        Err(broken("names", "must be accounts with a display name".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_visible_line() {
        assert_eq!(name("  Keluarga Besar ").as_deref(), Ok("Keluarga Besar"));
        for bad in ["", "  ", "a\nb", "abc\u{202e}fdp", &"x".repeat(101)] {
            assert_eq!(name(bad).map_err(|error| error.field), Err("name"), "{bad:?}");
        }
    }

    #[test]
    fn a_message_is_checked_in_every_field() {
        let info = wire::GroupInfo {
            version: 1,
            name: "Mudik".into(),
            description: "satu\ndua".into(),
            photo: [&[0xFF, 0xD8, 0xFF][..], &[0; 100]].concat().into(),
            names: vec![wire::KnownName {
                account_id: vec![1; 16].into(),
                name: "Ani".into(),
            }],
            timer_seconds: 0,
        };
        assert_eq!(group_info(&info), Ok(()));
        let broken = |change: fn(&mut wire::GroupInfo)| {
            let mut info = info.clone();
            change(&mut info);
            group_info(&info).map_err(|error| error.field)
        };
        assert_eq!(broken(|info| info.name.push(' ')), Err("name"));
        assert_eq!(broken(|info| info.description = "x".repeat(2049)), Err("description"));
        assert_eq!(broken(|info| info.photo = b"<svg/>".to_vec().into()), Err("photo"));
        let large =
            |info: &mut wire::GroupInfo| info.photo = [&[0xFF, 0xD8, 0xFF][..], &[0; 12 * 1024]].concat().into();
        assert_eq!(broken(large), Err("photo"));
        assert_eq!(
            broken(|info| info.names[0].account_id = vec![1; 3].into()),
            Err("names")
        );
        assert_eq!(
            broken(|info| info.names = vec![info.names[0].clone(); 257]),
            Err("names")
        );
    }
}
