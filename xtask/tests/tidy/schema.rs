//! Rules about the schema: every table can be spread over many machines. Each has a distribution key (`-- key:
//! account_id` above it) that comes first in its primary key and in every unique index; no trigger, no number made by
//! the engine, four column types. A table also names its owner (`-- slice: messaging` above it), which tables.rs holds
//! to.

use crate::{File, Violation};

/// What a column may be, on SQLite and PostgreSQL alike. `{BLOB}` stands for each engine's word for bytes.
const TYPES: [&str; 5] = ["BIGINT", "TEXT", "BLOB", "BYTEA", "{BLOB}"];
const FORBIDDEN: [&str; 7] = [
    "TRIGGER",
    "SERIAL",
    "BIGSERIAL",
    "SMALLSERIAL",
    "AUTOINCREMENT",
    "IDENTITY",
    "SEQUENCE",
];

/// A table as a migration declares it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) slice: Option<String>,
    key: Option<String>,
}

/// One statement without its comments, and what the comments above it say.
struct Statement<'a> {
    path: &'a str,
    /// Where its first word stands.
    line: usize,
    words: Vec<String>,
    slice: Option<String>,
    key: Option<String>,
}

impl Statement<'_> {
    fn violation(&self, advice: impl Into<String>) -> Violation {
        Violation::new(self.path, self.line, "schema", advice)
    }

    /// The word right after `before`, past `IF NOT EXISTS`.
    fn named_after(&self, before: &str) -> Option<&str> {
        let at = self.words.iter().position(|word| word.eq_ignore_ascii_case(before))?;
        let skip = ["IF", "NOT", "EXISTS"];
        let mut rest = self.words[at + 1..].iter();
        rest.find(|word| !skip.contains(&word.to_uppercase().as_str()))
            .map(String::as_str)
    }

    fn begins(&self, words: &[&str]) -> bool {
        self.words.len() >= words.len() && words.iter().zip(&self.words).all(|(a, b)| b.eq_ignore_ascii_case(a))
    }
}

/// The tables that the migrations declare.
pub(crate) fn tables(tree: &[File]) -> Vec<Table> {
    let statements = statements(tree);
    let creates = statements
        .iter()
        .filter(|statement| statement.begins(&["CREATE", "TABLE"]));
    creates
        .filter_map(|statement| {
            let name = statement.named_after("TABLE")?.to_owned();
            Some(Table {
                name,
                slice: statement.slice.clone(),
                key: statement.key.clone(),
            })
        })
        .collect()
}

pub(crate) fn check(tree: &[File]) -> Vec<Violation> {
    let tables = tables(tree);
    let mut violations = Vec::new();
    for statement in statements(tree) {
        for word in &statement.words {
            if FORBIDDEN.contains(&word.to_uppercase().as_str()) {
                violations.push(statement.violation(format!(
                    "{word}: the application makes every number and every effect itself"
                )));
            }
        }
        if statement.begins(&["CREATE", "TABLE"]) {
            check_table(&statement, &mut violations);
        } else if statement.begins(&["CREATE", "UNIQUE", "INDEX"]) {
            check_unique_index(&statement, &tables, &mut violations);
        } else if let Some(at) = statement
            .words
            .iter()
            .position(|word| word.eq_ignore_ascii_case("COLUMN"))
        {
            check_column(&statement, &statement.words[at + 1..], &mut violations);
        }
    }
    violations
}

fn check_table(statement: &Statement<'_>, violations: &mut Vec<Violation>) {
    let name = statement.named_after("TABLE").unwrap_or_default();
    if statement.slice.is_none() {
        violations.push(statement.violation(format!("table {name} has no owner: write `-- slice: <slice>` above it")));
    }
    let Some(key) = statement.key.as_deref() else {
        let advice = format!("table {name} has no distribution key: write `-- key: <column>` above it");
        violations.push(statement.violation(advice));
        return;
    };
    let mut has_primary_key = false;
    for item in items(&statement.words) {
        let item = match item {
            [constraint, _, rest @ ..] if constraint.eq_ignore_ascii_case("CONSTRAINT") => rest,
            item => item,
        };
        let upper: Vec<String> = item.iter().map(|word| word.to_uppercase()).collect();
        let upper: Vec<&str> = upper.iter().map(String::as_str).collect();
        let holds = |word: &str| upper.contains(&word);
        let (what, column) = match upper.as_slice() {
            ["PRIMARY", ..] => ("its primary key", first_in_brackets(item)),
            ["UNIQUE", ..] => ("a unique index", first_in_brackets(item)),
            ["FOREIGN", ..] => ("a foreign key", first_in_brackets(item)),
            ["CHECK", ..] => continue,
            _ => {
                check_column(statement, item, violations);
                let what = [
                    ("PRIMARY", "its primary key"),
                    ("UNIQUE", "a unique index"),
                    ("REFERENCES", "a foreign key"),
                ];
                match what.iter().find(|(word, _)| holds(word)) {
                    Some((_, what)) => (*what, item.first().map(String::as_str)),
                    None => continue,
                }
            }
        };
        has_primary_key |= holds("PRIMARY");
        if column != Some(key) {
            violations.push(statement.violation(format!("table {name}: {key}, its key, must come first in {what}")));
        }
    }
    if !has_primary_key {
        violations.push(statement.violation(format!(
            "table {name} has no primary key: give it one that begins with {key}"
        )));
    }
}

fn check_unique_index(statement: &Statement<'_>, tables: &[Table], violations: &mut Vec<Violation>) {
    let on = statement.named_after("ON").unwrap_or_default();
    let key = tables
        .iter()
        .find(|table| table.name == on)
        .and_then(|table| table.key.as_deref());
    if key.is_none() || first_in_brackets(&statement.words) != key {
        let key = key.unwrap_or("the distribution key");
        violations.push(statement.violation(format!("a unique index on {on} must begin with {key}")));
    }
}

/// `words` are a column's: name, type, the rest.
fn check_column(statement: &Statement<'_>, words: &[String], violations: &mut Vec<Violation>) {
    let mut words = words
        .iter()
        .filter(|word| !["IF", "NOT", "EXISTS"].contains(&word.as_str()));
    let name = words.next().map_or("", String::as_str);
    let kind = words.next().map_or("", String::as_str);
    if !TYPES.contains(&kind.to_uppercase().as_str()) {
        let advice = format!("column {name} is {kind:?}: one of BIGINT (times in ms, booleans 0/1), TEXT, {{BLOB}}");
        violations.push(statement.violation(advice));
    }
}

/// What stands between the first bracket and its partner, split at the commas that are not deeper.
fn items(words: &[String]) -> Vec<&[String]> {
    let mut items = Vec::new();
    let mut depth = 0_usize;
    let mut start = 0;
    for (at, word) in words.iter().enumerate() {
        match word.as_str() {
            "(" => {
                depth += 1;
                start = if depth == 1 { at + 1 } else { start };
            }
            ")" if depth == 1 => {
                items.push(&words[start..at]);
                break;
            }
            ")" => depth = depth.saturating_sub(1),
            "," if depth == 1 => {
                items.push(&words[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    items
}

fn first_in_brackets(words: &[String]) -> Option<&str> {
    let open = words.iter().position(|word| word == "(")?;
    words.get(open + 1).map(String::as_str)
}

/// Every statement of every migration. A `-- slice:` line holds until the next one, a `-- key:` line for one statement.
fn statements(tree: &[File]) -> Vec<Statement<'_>> {
    let migrations = tree
        .iter()
        .filter(|file| file.path.starts_with("crates/server/migrations/") && file.path.ends_with(".sql"));
    let mut statements = Vec::new();
    for file in migrations {
        let (mut slice, mut key, mut words, mut begins) = (None, None, Vec::new(), 0);
        for (index, line) in file.text.lines().enumerate() {
            let (code, comment) = line.split_once("--").unwrap_or((line, ""));
            if let Some(name) = comment.trim().strip_prefix("slice:") {
                slice = first_word(name);
            } else if let Some(column) = comment.trim().strip_prefix("key:") {
                key = first_word(column);
            }
            for word in split(code) {
                if word == ";" {
                    let words = std::mem::take(&mut words);
                    statements.push(Statement {
                        path: &file.path,
                        line: begins,
                        words,
                        slice: slice.clone(),
                        key: key.take(),
                    });
                } else {
                    begins = if words.is_empty() { index + 1 } else { begins };
                    words.push(word);
                }
            }
        }
    }
    statements
}

fn first_word(text: &str) -> Option<String> {
    text.split(|character: char| !character.is_alphanumeric() && character != '_')
        .find(|word| !word.is_empty())
        .map(Into::into)
}

/// A line of SQL as words and signs; a placeholder such as `{BLOB}` is one word.
fn split(code: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut open = false;
    for character in code.chars() {
        let part_of_word = character.is_alphanumeric() || "_{}'\"".contains(character);
        match words.last_mut() {
            Some(word) if open && part_of_word => word.push(character),
            _ if character.is_whitespace() => {}
            _ => words.push(character.into()),
        }
        open = part_of_word;
    }
    words
}

#[cfg(test)]
mod tests {
    //! Schemas that could not be distributed.

    use super::{check, tables};
    use crate::{File, lines};

    fn migration(text: &str) -> [File; 1] {
        [File::new("crates/server/migrations/0001_start.sql", text)]
    }

    const GOOD: &str = "\
-- slice: messaging
-- key: account_id
CREATE TABLE IF NOT EXISTS queue ( -- one row per device and message
    account_id {BLOB} NOT NULL,
    device_id BIGINT NOT NULL CHECK (device_id IN (1, 2)),
    body TEXT,
    PRIMARY KEY (account_id, device_id)
) {WITHOUT_ROWID};
CREATE UNIQUE INDEX queue_body ON queue (account_id, body) WHERE body IS NOT NULL;
CREATE INDEX queue_device ON queue (device_id);
ALTER TABLE queue ADD COLUMN seen BIGINT NOT NULL DEFAULT 0;
";

    #[test]
    fn a_good_schema_passes() {
        assert_eq!(check(&migration(GOOD)), []);
        assert_eq!(tables(&migration(GOOD))[0].slice.as_deref(), Some("messaging"));
    }

    #[test]
    fn each_single_fault_is_found() {
        let faults = [
            ("-- slice: messaging\n", ""),
            ("-- key: account_id\n", ""),
            (
                "PRIMARY KEY (account_id, device_id)",
                "PRIMARY KEY (device_id, account_id)",
            ),
            ("body TEXT,\n    PRIMARY KEY (account_id, device_id)", "body TEXT"),
            ("body TEXT", "body TEXT UNIQUE"),
            ("body TEXT", "body TEXT REFERENCES other (id)"),
            ("body TEXT", "body DOUBLE PRECISION"),
            ("seen BIGINT", "seen BOOLEAN"),
            ("queue (account_id, body)", "queue (body)"),
            ("device_id BIGINT", "device_id BIGSERIAL"),
            (
                "CREATE INDEX queue_device ON queue (device_id)",
                "CREATE TRIGGER t AFTER INSERT ON queue",
            ),
        ];
        for (good, bad) in faults {
            assert!(GOOD.contains(good), "{good}");
            assert!(
                !check(&migration(&GOOD.replace(good, bad))).is_empty(),
                "{good} -> {bad}"
            );
        }
    }

    #[test]
    fn a_fault_is_reported_where_its_statement_begins() {
        let text = "\n-- slice: a\n\n-- key: id\nCREATE TABLE t (\n  id REAL PRIMARY KEY\n);\n";
        assert_eq!(lines(&check(&migration(text))), [5]);
    }
}
