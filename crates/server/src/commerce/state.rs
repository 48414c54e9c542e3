//! What a payment may become. The only place that decides it; pure.

use kabar_protocol::wire::PaymentStatus;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// At the provider; its outcome is not known yet.
    Pending = 1,
    Authorised = 2,
    Captured = 3,
    Voided = 4,
    Failed = 5,
    Refunded = 6,
}

impl Status {
    pub(super) const ALL: [Self; 6] = [
        Self::Pending,
        Self::Authorised,
        Self::Captured,
        Self::Voided,
        Self::Failed,
        Self::Refunded,
    ];

    pub(super) fn from_column(value: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|status| *status as i64 == value)
    }

    pub(super) fn wire(self) -> PaymentStatus {
        match self {
            Self::Pending => PaymentStatus::Pending,
            Self::Authorised => PaymentStatus::Authorised,
            Self::Captured => PaymentStatus::Captured,
            Self::Voided => PaymentStatus::Voided,
            Self::Failed => PaymentStatus::Failed,
            Self::Refunded => PaymentStatus::Refunded,
        }
    }
}

/// What happens to a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// The provider holds the money.
    Authorise,
    /// The provider says no, or says nothing in time.
    Fail,
    /// The seller takes the money.
    Capture,
    /// The held money is let go.
    Void,
    Refund,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    To(Status),
    /// It has happened before: said again, it is success again.
    Done,
    Refused,
}

pub(super) fn step(status: Status, event: Event) -> Step {
    use Event as E;
    use Status as S;
    match (status, event) {
        (S::Pending, E::Authorise) => Step::To(S::Authorised),
        (S::Pending | S::Authorised, E::Fail) => Step::To(S::Failed),
        (S::Authorised, E::Capture) => Step::To(S::Captured),
        (S::Authorised, E::Void) => Step::To(S::Voided),
        (S::Captured, E::Refund) => Step::To(S::Refunded),
        (S::Authorised, E::Authorise)
        | (S::Captured | S::Refunded, E::Capture)
        | (S::Voided, E::Void)
        | (S::Failed, E::Fail)
        | (S::Refunded, E::Refund) => Step::Done,
        _ => Step::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Authorise, Fail, Capture, Void, Refund: `-` is refused, `=` has happened, a letter is the next status.
    const TABLE: [(Status, &str); 6] = [
        (Status::Pending, "AF---"),
        (Status::Authorised, "=FCV-"),
        (Status::Captured, "--=-R"),
        (Status::Voided, "---=-"),
        (Status::Failed, "-=---"),
        (Status::Refunded, "--=-="),
    ];
    const EVENTS: [Event; 5] = [
        Event::Authorise,
        Event::Fail,
        Event::Capture,
        Event::Void,
        Event::Refund,
    ];

    #[test]
    fn every_status_meets_every_event_as_the_table_says() {
        assert_eq!(TABLE.map(|(status, _)| status), Status::ALL);
        for (status, row) in TABLE {
            for (event, expected) in EVENTS.into_iter().zip(row.chars()) {
                let expected = match expected {
                    '-' => Step::Refused,
                    '=' => Step::Done,
                    'A' => Step::To(Status::Authorised),
                    'F' => Step::To(Status::Failed),
                    'C' => Step::To(Status::Captured),
                    'V' => Step::To(Status::Voided),
                    'R' => Step::To(Status::Refunded),
                    other => panic!("{other} is no cell of the table"),
                };
                assert_eq!(step(status, event), expected, "{status:?} {event:?}");
            }
        }
    }

    #[test]
    fn no_path_leads_back() {
        // Every status is further on than the one before it, so a payment ends.
        let rank = |status| match status {
            Status::Pending => 0,
            Status::Authorised => 1,
            Status::Captured => 2,
            Status::Voided | Status::Failed | Status::Refunded => 3,
        };
        for status in Status::ALL {
            assert_eq!(Status::from_column(status as i64), Some(status));
            assert_eq!(i32::from(status.wire()), status as i32);
            for event in EVENTS {
                if let Step::To(next) = step(status, event) {
                    assert!(rank(next) > rank(status), "{status:?} {event:?}");
                }
            }
        }
        assert_eq!(Status::from_column(0), None);
    }
}
