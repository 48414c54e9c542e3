//! Calendar days and months in UTC, from milliseconds and back (Howard Hinnant's civil-date algorithms).

const DAY_MS: i64 = 86_400_000;

/// `2026-10-01` as the first millisecond of that day; `None` if it is no date.
pub(super) fn day_ms(text: &str) -> Option<i64> {
    let mut parts = text.split('-');
    let mut part = |digits: usize| {
        let part = parts.next().filter(|part| part.len() == digits)?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then_some(part)?;
        part.parse::<i64>().ok()
    };
    let (year, month, day) = (part(4)?, part(2)?, part(2)?);
    if parts.next().is_some() || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let ms = days(year, month, day) * DAY_MS;
    // 31 April is the 1st of May: not what was written.
    (day_text(ms) == text).then_some(ms)
}

pub(super) fn day_text(ms: i64) -> String {
    let (year, month, day) = civil(ms);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Months since the year 0.
pub(super) fn month(ms: i64) -> i64 {
    let (year, month, _) = civil(ms);
    year * 12 + month - 1
}

fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil(ms: i64) -> (i64, i64, i64) {
    let days = ms.div_euclid(DAY_MS) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let (day, month) = (day_of_year - (153 * shifted + 2) / 5 + 1, (shifted + 2) % 12 + 1);
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_months_of_the_calendar() {
        for (text, ms) in [
            ("1970-01-01", 0),
            ("2000-02-29", 951_782_400_000),
            ("2026-10-01", 1_790_812_800_000),
            ("2026-12-31", 1_798_675_200_000),
        ] {
            assert_eq!(day_ms(text), Some(ms), "{text}");
            assert_eq!(day_text(ms + DAY_MS - 1), text);
        }
        assert_eq!(month(1_790_812_800_000), 2026 * 12 + 9);
        assert_eq!(month(1_790_812_800_000 - 1), 2026 * 12 + 8);
        for text in [
            "2026-02-29",
            "2026-13-01",
            "2026-1-01",
            "2026-10-01-",
            "01-10-2026",
            "2026-10-1x",
            "",
        ] {
            assert_eq!(day_ms(text), None, "{text}");
        }
    }
}
