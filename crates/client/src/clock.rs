//! The one place that reads the wall clock.

use kabar_core::api::TimeMs;

/// Milliseconds since the Unix epoch.
#[allow(clippy::disallowed_methods)]
pub(crate) fn now() -> TimeMs {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    TimeMs::try_from(since.as_millis()).unwrap_or(TimeMs::MAX)
}
