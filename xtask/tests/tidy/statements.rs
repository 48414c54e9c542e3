//! Rules about the text of SQL statements, which is prepared once and used many times.

use crate::rust_source::RustSource;
use crate::{File, Violation};

/// SQLite looks at the number behind a bare `LIMIT $n` to plan for it, and so prepares the statement again whenever one is bound; at an
/// expression it does not look. PostgreSQL takes both.
const BOUND_LIMIT: &str =
    "SQLite prepares a statement with a bare variable as LIMIT again at every use: write LIMIT $n + 0";

pub(crate) fn check(tree: &[File]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in tree.iter().filter(|file| file.path.ends_with(".rs") && !file.is_test()) {
        for literal in RustSource::read(&file.text).literals {
            for line in bare_limits(&literal.text) {
                violations.push(Violation::new(
                    &file.path,
                    literal.line + line,
                    "bound-limit",
                    BOUND_LIMIT,
                ));
            }
        }
    }
    violations
}

/// How many lines into the text each LIMIT stands that a variable follows and nothing else.
fn bare_limits(sql: &str) -> Vec<usize> {
    let lines = sql.lines().enumerate();
    let words: Vec<(usize, &str)> = lines
        .flat_map(|(line, text)| text.split_whitespace().map(move |word| (line, word)))
        .collect();
    let after = |at: usize| words.get(at).map_or("", |(_, word)| word);
    let limits = words.iter().enumerate().filter(|(_, (_, word))| *word == "LIMIT");
    limits
        .filter(|(at, _)| after(at + 1).starts_with(['$', '?']) && after(at + 2) != "+")
        .map(|(_, (line, _))| *line)
        .collect()
}

#[cfg(test)]
mod tests {
    //! LIMIT behind a variable, bare and not.

    use crate::{File, lines};

    #[test]
    fn a_bare_variable_breaks_the_rule() {
        let code = "fn a() {\n    sql(\"SELECT 1 \\\n         LIMIT \\\n         $3\");\n    sql(\"SELECT (SELECT 1 LIMIT ?)\");\n}\n";
        let tree = [File::new("crates/server/src/messaging/read.rs", code)];
        assert_eq!(lines(&super::check(&tree)), [2, 5]);
    }

    #[test]
    fn sums_numbers_and_tests_are_fine() {
        let code = "fn a() {\n    sql(\"SELECT (SELECT 1 LIMIT ?2 + 0) LIMIT $3 + 0\");\n    sql(\"SELECT 1 LIMIT 100\");\n}\n";
        let bare = "fn a() {\n    sql(\"SELECT 1 LIMIT ?\");\n}\n";
        let tree = [
            File::new("crates/gateway/src/store/media.rs", code),
            File::new("crates/gateway/src/store/tests.rs", bare),
        ];
        assert_eq!(super::check(&tree), []);
    }
}
