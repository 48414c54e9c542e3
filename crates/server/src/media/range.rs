//! Which bytes of a file an HTTP request asks for (RFC 9110, sections 13.1.5 and 14).

use std::ops::Range;

use http::{HeaderMap, header};

/// What a request comes to on a file of a certain length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    Whole,
    Part(Range<u64>),
    /// It asks for bytes behind the end only.
    Outside,
}

/// `etag` is the file's. Several ranges in one request get the whole file, which a server may always give.
pub(super) fn wanted(headers: &HeaderMap, size_bytes: u64, etag: &str) -> Wanted {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &http::HeaderValue| value.to_str().ok())
    };
    let Some(spec) = text(header::RANGE).and_then(|range| range.strip_prefix("bytes=")) else {
        return Wanted::Whole;
    };
    // A part of another file than this one would be added to it.
    if text(header::IF_RANGE).is_some_and(|known| known != etag) {
        return Wanted::Whole;
    }
    let Some((first, last)) = spec.trim().split_once('-').filter(|_| !spec.contains(',')) else {
        return Wanted::Whole;
    };
    match (first.trim(), last.trim()) {
        ("", suffix) => match suffix.parse::<u64>() {
            Ok(0) => Wanted::Outside,
            Ok(suffix) => Wanted::Part(size_bytes.saturating_sub(suffix)..size_bytes),
            Err(_) => Wanted::Whole,
        },
        (first, last) => {
            let last = if last.is_empty() {
                Ok(u64::MAX)
            } else {
                last.parse::<u64>()
            };
            match (first.parse::<u64>(), last) {
                (Ok(first), Ok(last)) if first <= last && first < size_bytes => {
                    Wanted::Part(first..last.saturating_add(1).min(size_bytes))
                }
                (Ok(first), Ok(last)) if first <= last => Wanted::Outside,
                _ => Wanted::Whole,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(range: &str, if_range: Option<&str>) -> Wanted {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, range.parse().expect("a value"));
        if let Some(if_range) = if_range {
            headers.insert(header::IF_RANGE, if_range.parse().expect("a value"));
        }
        wanted(&headers, 10, "\"a\"")
    }

    #[test]
    fn a_range_is_cut_to_the_file_and_nonsense_gets_all_of_it() {
        assert_eq!(wanted(&HeaderMap::new(), 10, "\"a\""), Wanted::Whole);
        assert_eq!(asked("bytes=2-4", None), Wanted::Part(2..5));
        assert_eq!(asked("bytes=2-", None), Wanted::Part(2..10));
        assert_eq!(asked("bytes=9-99", None), Wanted::Part(9..10));
        assert_eq!(asked("bytes=-3", None), Wanted::Part(7..10));
        assert_eq!(asked("bytes=-30", None), Wanted::Part(0..10));
        for outside in ["bytes=10-", "bytes=10-12", "bytes=-0"] {
            assert_eq!(asked(outside, None), Wanted::Outside, "{outside}");
        }
        for nonsense in ["bytes=4-2", "bytes=a-b", "pages=1-2", "bytes=0-1,3-4", "bytes="] {
            assert_eq!(asked(nonsense, None), Wanted::Whole, "{nonsense}");
        }
    }

    #[test]
    fn a_part_is_given_only_of_the_file_that_the_reader_knows() {
        assert_eq!(asked("bytes=2-4", Some("\"a\"")), Wanted::Part(2..5));
        assert_eq!(asked("bytes=2-4", Some("\"b\"")), Wanted::Whole);
        assert_eq!(asked("bytes=2-4", Some("Sun, 06 Nov 1994 08:49:37 GMT")), Wanted::Whole);
    }
}
