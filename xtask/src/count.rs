//! The last line of `make test`: how many tests passed and failed over all suites. It reads what each suite's own
//! runner printed, and takes a suite that reports no test at all for a failed one.

use std::path::Path;

use anyhow::Context as _;

/// Tests of one suite.
#[derive(Debug, Default, PartialEq, Eq, Clone, Copy)]
struct Count {
    passed: u64,
    failed: u64,
}

/// Prints one line per log and the sum, alone on the last line; fails when a test did, or when a suite ran none.
pub(crate) fn report(logs: &[&str]) -> anyhow::Result<()> {
    let mut sum = Count::default();
    let mut empty = Vec::new();
    for log in logs {
        let bytes = std::fs::read(log).with_context(|| format!("cannot read {log}"))?;
        let count = count(&String::from_utf8_lossy(&bytes));
        let suite = Path::new(log)
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        println!("  {suite:<12}{:>6} passed{:>6} failed", count.passed, count.failed);
        if count == Count::default() {
            empty.push(suite);
        }
        sum.passed += count.passed;
        sum.failed += count.failed;
    }
    // A suite without a count did not run: it must not look like success.
    sum.failed += empty.len() as u64;
    for suite in empty {
        println!("  {suite} reported no test: counted as one failure");
    }
    println!("{} passed, {} failed", sum.passed, sum.failed);
    anyhow::ensure!(sum.failed == 0, "{} tests failed", sum.failed);
    Ok(())
}

/// Adds up the summaries that cargo, vitest and node's test runner print.
fn count(log: &str) -> Count {
    let mut sum = Count::default();
    for line in without_colours(log).lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            // cargo: "test result: ok. 12 passed; 0 failed; 1 ignored; ..."
            ["test", "result:", _, rest @ ..] => {
                sum.passed += before("passed;", rest);
                sum.failed += before("failed;", rest);
            }
            // vitest: "Tests  1 failed | 11 passed (12)"
            ["Tests", rest @ ..] => {
                sum.passed += before("passed", rest);
                sum.failed += before("failed", rest);
            }
            // node --test: "# pass 3" in TAP, "ℹ pass 3" for people
            ["#" | "ℹ", "pass", number] => sum.passed += number.parse().unwrap_or(0),
            ["#" | "ℹ", "fail" | "cancelled", number] => sum.failed += number.parse().unwrap_or(0),
            _ => {}
        }
    }
    sum
}

/// The number right before `word`, 0 when there is none.
fn before(word: &str, words: &[&str]) -> u64 {
    words
        .windows(2)
        .find(|pair| pair[1] == word)
        .and_then(|pair| pair[0].parse().ok())
        .unwrap_or(0)
}

/// `text` without terminal colours: everything from an escape to the letter that ends it.
fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            characters.by_ref().find(char::is_ascii_alphabetic);
        } else {
            plain.push(character);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    //! The summaries of the three runners, as they print them.

    use super::{Count, count};

    #[test]
    fn cargo_prints_one_result_per_binary() {
        let log = "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured\n\ntest result: FAILED. 3 passed; 2 failed; 0 ignored";
        assert_eq!(count(log), Count { passed: 15, failed: 2 });
    }

    #[test]
    fn vitest_counts_files_and_tests_and_only_tests_matter() {
        let log = " Test Files  2 passed (2)\n\u{1b}[2m      Tests \u{1b}[22m \u{1b}[31m1 failed\u{1b}[39m | \u{1b}[32m11 passed\u{1b}[39m (12)\n";
        assert_eq!(count(log), Count { passed: 11, failed: 1 });
    }

    #[test]
    fn node_prints_tap_or_prose() {
        assert_eq!(
            count("# tests 4\n# pass 3\n# fail 1\n# cancelled 0"),
            Count { passed: 3, failed: 1 }
        );
        assert_eq!(
            count("ℹ tests 4\nℹ pass 2\nℹ fail 0\nℹ cancelled 2"),
            Count { passed: 2, failed: 2 }
        );
    }

    #[test]
    fn a_build_error_counts_nothing() {
        assert_eq!(count("error: could not compile `kabar`"), Count::default());
    }
}
