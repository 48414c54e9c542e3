//! The rules of places that are sent: run before sending and on what is received.

use crate::{
    interactive::{FieldError, at_most, broken},
    limits::{LOCATION_ADDRESS_CHARS_MAX, LOCATION_NAME_CHARS_MAX},
    wire::Location,
};

const DEGREE: i32 = 10_000_000;

/// # Errors
/// Names the field and the rule.
pub fn location(location: &Location) -> Result<(), FieldError> {
    if !(-90 * DEGREE..=90 * DEGREE).contains(&location.latitude_e7) {
        return Err(broken(
            "location.latitude_e7",
            "must be -90 to 90 degrees, times 10000000",
        ));
    }
    if !(-180 * DEGREE..=180 * DEGREE).contains(&location.longitude_e7) {
        let rule = "must be -180 to 180 degrees, times 10000000";
        return Err(broken("location.longitude_e7", rule));
    }
    at_most("location.name", &location.name, LOCATION_NAME_CHARS_MAX)?;
    at_most("location.address", &location.address, LOCATION_ADDRESS_CHARS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_on_the_earth() {
        let at = |latitude_e7, longitude_e7| {
            location(&Location {
                latitude_e7,
                longitude_e7,
                ..Location::default()
            })
        };
        assert_eq!(at(-61_751_100, 1_068_272_000), Ok(()));
        assert_eq!(
            at(900_000_001, 0).expect_err("north of it").field,
            "location.latitude_e7"
        );
        assert_eq!(at(0, i32::MIN).expect_err("west of it").field, "location.longitude_e7");
        let named = Location {
            name: "x".repeat(101),
            ..Location::default()
        };
        assert_eq!(location(&named).expect_err("long").field, "location.name");
    }
}
