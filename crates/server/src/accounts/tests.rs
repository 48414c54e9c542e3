//! Scenarios over sockets are in `tests/messenger/accounts.rs`; here is what they cannot see.

use super::invites::code_hash;

#[test]
fn an_invite_code_may_be_typed_with_spaces_dashes_and_small_letters() {
    assert_eq!(code_hash("ABCD-EFGH 2345"), code_hash("abcdefgh2345"));
    assert_ne!(code_hash("ABCDEFGH2345"), code_hash("ABCDEFGH2346"));
}
