//! The licence and the ban of every crate that is built, against deny.toml. Packages for other platforms are not looked
//! at.

use crate::crates::cargo;
use crate::{File, Violation};

/// What deny.toml allows and bans.
pub(crate) struct Policy {
    allowed: Vec<String>,
    banned: Vec<String>,
}

impl Policy {
    pub(crate) fn read(tree: &[File]) -> Self {
        let file = tree.iter().find(|file| file.path == "deny.toml").expect("deny.toml");
        let toml: toml::Table = file.text.parse().expect("TOML");
        let list = |table: &str, key: &str| toml[table][key].as_array().expect("a list").clone();
        Self {
            allowed: list("licenses", "allow")
                .iter()
                .filter_map(|id| Some(id.as_str()?.to_owned()))
                .collect(),
            banned: list("bans", "deny")
                .iter()
                .filter_map(|ban| Some(ban["crate"].as_str()?.to_owned()))
                .collect(),
        }
    }
}

/// A crate and its licence.
pub(crate) struct Dependency {
    name: String,
    /// An SPDX expression; empty if the crate states none.
    licence: String,
}

/// Everything that is built for `target`. Asked of `cargo tree`, because `cargo metadata` also lists what no feature
/// turns on.
pub(crate) fn dependencies(target: &str) -> Vec<Dependency> {
    let tree = cargo(&[
        "tree",
        "--locked",
        "--workspace",
        "--target",
        target,
        "--prefix",
        "none",
        "--format",
        "{p}|{l}",
    ]);
    let mut lines: Vec<&str> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    lines.sort_unstable();
    lines.dedup();
    let dependency = |line: &str| {
        let (package, licence) = line.split_once('|')?;
        let (name, _) = package.split_once(' ')?;
        Some(Dependency {
            name: name.into(),
            licence: licence.into(),
        })
    };
    lines.into_iter().filter_map(dependency).collect()
}

pub(crate) fn check(policy: &Policy, dependencies: &[Dependency]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for Dependency { name, licence } in dependencies {
        if !allows(policy, licence) {
            let advice = format!(
                "{name} is under \"{licence}\", which is not on the list: find another crate, or argue for the licence"
            );
            violations.push(Violation::new("deny.toml", 1, "licence", advice));
        }
        if policy.banned.contains(name) {
            let advice =
                format!("{name} is banned, deny.toml says why; `cargo tree --invert {name}` shows who brings it");
            violations.push(Violation::new("deny.toml", 1, "ban", advice));
        }
    }
    violations
}

/// Can the crate be used under allowed licences alone? Reads SPDX: `A OR (B AND C WITH d)`, and the older `A/B`.
fn allows(policy: &Policy, expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let allowed = any_of(policy, &mut rest);
    allowed && rest.is_empty()
}

fn any_of(policy: &Policy, words: &mut &[&str]) -> bool {
    let mut allowed = all_of(policy, words);
    while let ["OR", rest @ ..] = *words {
        *words = rest;
        allowed |= all_of(policy, words);
    }
    allowed
}

fn all_of(policy: &Policy, words: &mut &[&str]) -> bool {
    let mut allowed = one(policy, words);
    while let ["AND", rest @ ..] = *words {
        *words = rest;
        allowed &= one(policy, words);
    }
    allowed
}

fn one(policy: &Policy, words: &mut &[&str]) -> bool {
    let on_list = |id: &str| policy.allowed.iter().any(|allowed| allowed == id);
    match *words {
        ["(", rest @ ..] => {
            *words = rest;
            let allowed = any_of(policy, words);
            *words = words.strip_prefix(&[")"]).unwrap_or_default();
            allowed
        }
        [id, "WITH", exception, rest @ ..] => {
            *words = rest;
            on_list(&format!("{id} WITH {exception}"))
        }
        [id, rest @ ..] => {
            *words = rest;
            on_list(id)
        }
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    //! SPDX expressions, and a crate that may not come in.

    use super::{Dependency, Policy, allows, check};

    fn policy() -> Policy {
        Policy {
            allowed: vec!["MIT".into(), "ISC".into(), "Apache-2.0 WITH LLVM-exception".into()],
            banned: vec!["native-tls".into()],
        }
    }

    #[test]
    fn one_allowed_choice_is_enough_and_every_duty_counts() {
        for fine in [
            "MIT",
            "GPL-3.0 OR MIT",
            "GPL-3.0/MIT",
            "MIT AND (ISC OR AGPL-3.0)",
            "Apache-2.0 WITH LLVM-exception",
        ] {
            assert!(allows(&policy(), fine), "{fine}");
        }
        for bad in [
            "",
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "(MIT OR ISC) AND AGPL-3.0",
            "Apache-2.0",
            "MIT ISC",
        ] {
            assert!(!allows(&policy(), bad), "{bad}");
        }
    }

    #[test]
    fn a_foreign_licence_and_a_ban_break_the_rule() {
        let dependency = |name: &str, licence: &str| Dependency {
            name: name.into(),
            licence: licence.into(),
        };
        let tree = [
            dependency("fine", "MIT"),
            dependency("copyleft", "AGPL-3.0"),
            dependency("native-tls", "MIT"),
        ];
        assert_eq!(check(&policy(), &tree).len(), 2);
    }
}
