//! The rules of cards of people: run before sending and on what is received.

use crate::{
    ids::AccountId,
    interactive::{FieldError, at_most, broken, chars},
    limits::{CONTACT_NAME_CHARS_MAX, CONTACT_PHONE_CHARS_MAX, CONTACT_WAYS_MAX, CONTACTS_MAX, EMAIL_CHARS_MAX},
    wire::{Contact, Contacts},
};

/// # Errors
/// Names the field and the rule.
pub fn contacts(contacts: &Contacts) -> Result<(), FieldError> {
    if !(1..=CONTACTS_MAX).contains(&contacts.people.len()) {
        return Err(broken("contacts.people", format!("must be 1 to {CONTACTS_MAX}")));
    }
    contacts.people.iter().try_for_each(contact)
}

fn contact(contact: &Contact) -> Result<(), FieldError> {
    chars("contacts.name", &contact.name, CONTACT_NAME_CHARS_MAX)?;
    at_most("contacts.organization", &contact.organization, CONTACT_NAME_CHARS_MAX)?;
    if contact.phones.len() > CONTACT_WAYS_MAX || contact.emails.len() > CONTACT_WAYS_MAX {
        let rule = format!("must have at most {CONTACT_WAYS_MAX} phones and as many emails each");
        return Err(broken("contacts.people", rule));
    }
    for phone in &contact.phones {
        chars("contacts.phones", phone, CONTACT_PHONE_CHARS_MAX)?;
        if !phone.chars().all(|c| c.is_ascii_digit() || " +-().#*".contains(c)) {
            return Err(broken("contacts.phones", "must be digits, such as +62 812 3456 7890"));
        }
    }
    for email in &contact.emails {
        chars("contacts.emails", email, EMAIL_CHARS_MAX)?;
        let plain = !email.chars().any(|c| c.is_whitespace() || c.is_control());
        if !plain || !email.contains('@') {
            return Err(broken("contacts.emails", "must be addresses such as ani@example.com"));
        }
    }
    if !matches!(contact.account_id.len(), 0 | AccountId::BYTES) {
        return Err(broken("contacts.account_id", "must be an account id, or empty"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Contact {
        Contact {
            name: "Ani Lestari".into(),
            phones: vec!["+62 812-3456-7890".into()],
            emails: vec!["ani@example.com".into()],
            account_id: vec![7; 16].into(),
            ..Contact::default()
        }
    }

    #[test]
    fn a_card_names_what_is_wrong() {
        let check = |contact: Contact| contacts(&Contacts { people: vec![contact] });
        assert_eq!(check(example()), Ok(()));
        type Change = fn(&mut Contact);
        let changes: [(Change, &str); 7] = [
            (|card| card.name = " ".into(), "contacts.name"),
            (|card| card.organization = "x".repeat(101), "contacts.organization"),
            (|card| card.phones = vec!["1".into(); 6], "contacts.people"),
            (|card| card.phones = vec!["javascript:".into()], "contacts.phones"),
            (|card| card.emails = vec!["a b@c".into()], "contacts.emails"),
            (|card| card.emails = vec!["nobody".into()], "contacts.emails"),
            (|card| card.account_id = vec![7; 5].into(), "contacts.account_id"),
        ];
        for (change, field) in changes {
            let mut changed = example();
            change(&mut changed);
            assert_eq!(check(changed).expect_err(field).field, field);
        }
        assert!(contacts(&Contacts::default()).is_err());
        let people = vec![example(); 11];
        assert!(contacts(&Contacts { people }).is_err());
    }
}
