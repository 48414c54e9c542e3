//! Rules about who touches which table: the SQL in crates/server/src/SLICE names SLICE's own tables and no others. A
//! slice that wants another's data asks that slice's mod.rs.

use crate::rust_source::RustSource;
use crate::schema::{self, Table};
use crate::{File, Violation};

/// What stands before a table's name. In capitals, as SQL is written here; prose is not.
const BEFORE_TABLE: [&str; 4] = ["FROM", "INTO", "UPDATE", "JOIN"];

pub(crate) fn check(tree: &[File]) -> Vec<Violation> {
    let tables = schema::tables(tree);
    let mut violations = Vec::new();
    for file in tree.iter().filter(|file| file.path.ends_with(".rs") && !file.is_test()) {
        let Some(slice) = slice_of(&file.path, &tables) else {
            continue;
        };
        for literal in RustSource::read(&file.text).literals {
            for (line_in_literal, name) in tables_named(&literal.text) {
                let Some(Table { slice: Some(owner), .. }) = tables.iter().find(|table| table.name == name) else {
                    continue;
                };
                if owner != slice {
                    let advice = format!("table {name} belongs to {owner}: call a function of {owner}/mod.rs instead");
                    violations.push(Violation::new(
                        &file.path,
                        literal.line + line_in_literal,
                        "table-owner",
                        advice,
                    ));
                }
            }
        }
    }
    violations
}

/// The slice a server file belongs to: its folder, or the file's own name where it is in none. What owns no table, such as
/// db/ and app.rs, is the server itself.
fn slice_of<'a>(path: &'a str, tables: &[Table]) -> Option<&'a str> {
    let inside = path.strip_prefix("crates/server/src/")?;
    let first = inside.split('/').next()?.trim_end_matches(".rs");
    let owns_tables = tables.iter().any(|table| table.slice.as_deref() == Some(first));
    Some(if owns_tables { first } else { "server" })
}

/// The names after FROM, INTO, UPDATE and JOIN, with how many lines into the text they stand.
fn tables_named(sql: &str) -> Vec<(usize, &str)> {
    let mut named = Vec::new();
    let mut expected = false;
    for (index, line) in sql.lines().enumerate() {
        for word in line
            .split(|character: char| !character.is_alphanumeric() && character != '_')
            .filter(|word| !word.is_empty())
        {
            if expected {
                named.push((index, word));
            }
            expected = BEFORE_TABLE.contains(&word);
        }
    }
    named
}

#[cfg(test)]
mod tests {
    //! A slice that reads another's table.

    use crate::{File, lines};

    const SCHEMA: &str = "-- slice: accounts\n-- key: id\nCREATE TABLE account (id BIGINT PRIMARY KEY);\n";

    fn tree(path: &str, code: &str) -> [File; 2] {
        [
            File::new("crates/server/migrations/1.sql", SCHEMA),
            File::new(path, code),
        ]
    }

    #[test]
    fn sql_on_a_foreign_table_breaks_the_rule() {
        let code = "fn a() {\n    sql(\"SELECT m.id\n         FROM message m JOIN account a ON TRUE\");\n    sql(r\"UPDATE account SET x = 1\");\n}\n";
        assert_eq!(
            lines(&super::check(&tree("crates/server/src/messaging/store.rs", code))),
            [3, 4]
        );
    }

    #[test]
    fn the_owner_its_tests_and_prose_are_fine() {
        let code = "const SQL: &str = \"DELETE FROM account\"; // FROM account\nconst PROSE: &str = \"a message from account 7\";\n";
        for path in [
            "crates/server/src/accounts/store.rs",
            "crates/server/src/messaging/tests.rs",
            "crates/client/src/store.rs",
        ] {
            assert_eq!(super::check(&tree(path, code)), [], "{path}");
        }
    }
}
