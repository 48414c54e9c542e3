//! What people type: display names, usernames, phone numbers, and "who".

use crate::{
    ids::{AccountId, ConversationId},
    limits::{NAME_CHARS_MAX, PHONE_DIGITS_MAX, PHONE_DIGITS_MIN, USERNAME_CHARS_MAX, USERNAME_CHARS_MIN},
};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("name must have 1 to {NAME_CHARS_MAX} characters and no line breaks or control characters")]
    Name,
    #[error(
        "username must have {USERNAME_CHARS_MIN} to {USERNAME_CHARS_MAX} characters: a letter first, then a-z, 0-9, '_' or '.', not two dots in a row and no dot at the end"
    )]
    Username,
    #[error(
        "phone must be '+' and {PHONE_DIGITS_MIN} to {PHONE_DIGITS_MAX} digits, country code first, such as +6281234567890"
    )]
    Phone,
    #[error("give a +phone, an @username, an account id or a conversation id (32 hex digits)")]
    Who,
}

/// Trims and checks a display name.
pub fn display_name(text: &str) -> Result<String, NameError> {
    let name = text.trim();
    let fits = (1..=NAME_CHARS_MAX).contains(&name.chars().count());
    if fits && !name.chars().any(char::is_control) {
        Ok(name.to_owned())
    } else {
        Err(NameError::Name)
    }
}

/// Lower-cases and checks a username; a leading @ is dropped.
pub fn username(text: &str) -> Result<String, NameError> {
    let name = text.trim().trim_start_matches('@').to_ascii_lowercase();
    let fits = (USERNAME_CHARS_MIN..=USERNAME_CHARS_MAX).contains(&name.len());
    let letters = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '.');
    let dots = !name.contains("..") && !name.ends_with('.');
    if fits && letters && dots {
        Ok(name)
    } else {
        Err(NameError::Username)
    }
}

/// Drops spaces, dashes, dots and brackets and checks an E.164 number.
pub fn phone(text: &str) -> Result<String, NameError> {
    let number: String = text
        .chars()
        .filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')' | '\u{a0}'))
        .collect();
    let digits = number.strip_prefix('+').ok_or(NameError::Phone)?;
    let fits = (PHONE_DIGITS_MIN..=PHONE_DIGITS_MAX).contains(&digits.len());
    let valid = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    if fits && valid {
        Ok(number)
    } else {
        Err(NameError::Phone)
    }
}

/// The person or conversation that a command names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    Phone(String),
    Username(String),
    /// 32 hex digits: an account or a conversation; whoever knows which resolves it.
    Id(AccountId, ConversationId),
}

pub fn who(text: &str) -> Result<Who, NameError> {
    let text = text.trim();
    if text.starts_with('+') {
        return phone(text).map(Who::Phone);
    }
    if text.starts_with('@') {
        return username(text).map(Who::Username);
    }
    match (AccountId::from_hex(text), ConversationId::from_hex(text)) {
        (Some(account), Some(conversation)) => Ok(Who::Id(account, conversation)),
        _ => username(text).map(Who::Username).map_err(|_| NameError::Who),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_are_lower_case_words() {
        assert_eq!(username("@Sari.Dewi_7").as_deref(), Ok("sari.dewi_7"));
        for bad in ["ab", "7up", "a..b", "dot.", "with space", "naïve", &"a".repeat(31)] {
            assert_eq!(username(bad), Err(NameError::Username), "{bad}");
        }
    }

    #[test]
    fn phones_are_e164() {
        assert_eq!(phone("+62 812-3456-7890").as_deref(), Ok("+6281234567890"));
        for bad in [
            "0812345678",
            "+0812345678",
            "+62",
            "+62812x456",
            "",
            "+1234567890123456",
        ] {
            assert_eq!(phone(bad), Err(NameError::Phone), "{bad}");
        }
    }

    #[test]
    fn who_is_a_phone_a_username_or_an_id() {
        assert_eq!(who("+6281234567890"), Ok(Who::Phone("+6281234567890".into())));
        assert_eq!(who("@budi"), Ok(Who::Username("budi".into())));
        assert_eq!(who("budi"), Ok(Who::Username("budi".into())));
        assert!(matches!(who(&"ab".repeat(16)), Ok(Who::Id(..))));
        assert_eq!(who("?"), Err(NameError::Who));
    }

    #[test]
    fn names_are_trimmed_and_plain() {
        assert_eq!(display_name("  Sari  ").as_deref(), Ok("Sari"));
        assert_eq!(display_name("a\nb"), Err(NameError::Name));
        assert_eq!(display_name("   "), Err(NameError::Name));
    }
}
