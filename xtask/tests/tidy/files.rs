//! Rules about single files: what a reader can hold, what a file says of itself, what it must not contain.

use crate::rust_source::RustSource;
use crate::{File, Violation};

const FILE_LINES_MAX: usize = 500;
const TEST_FILE_LINES_MAX: usize = 800;
const FUNCTION_LINES_MAX: usize = 70;

fn rust(tree: &[File]) -> impl Iterator<Item = (&File, RustSource)> {
    tree.iter()
        .filter(|file| file.path.ends_with(".rs"))
        .map(|file| (file, RustSource::read(&file.text)))
}

/// A reader can hold one file.
pub(crate) fn length(tree: &[File]) -> Vec<Violation> {
    let endings = [".rs", ".ts", ".svelte", ".js", ".mjs"];
    let code = tree
        .iter()
        .filter(|file| endings.iter().any(|ending| file.path.ends_with(ending)));
    code.filter_map(|file| {
        let lines = file.text.lines().count();
        let lines_max = if file.is_test() {
            TEST_FILE_LINES_MAX
        } else {
            FILE_LINES_MAX
        };
        let advice =
            format!("{lines} lines, at most {lines_max}: split it by operation, and name the parts by what they do");
        (lines > lines_max).then(|| Violation::new(&file.path, lines_max + 1, "file-length", advice))
    })
    .collect()
}

/// A reader can hold one function.
pub(crate) fn function_length(tree: &[File]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (file, source) in rust(tree) {
        for function in source
            .functions()
            .iter()
            .filter(|function| function.lines > FUNCTION_LINES_MAX)
        {
            let advice = format!(
                "fn {} has {} lines, at most {FUNCTION_LINES_MAX}: give its steps names of their own",
                function.name, function.lines
            );
            violations.push(Violation::new(&file.path, function.line, "function-length", advice));
        }
    }
    violations
}

/// A file says first what it owns.
pub(crate) fn opening(tree: &[File]) -> Vec<Violation> {
    let rust = tree.iter().filter(|file| file.path.ends_with(".rs"));
    rust.filter(|file| !file.text.trim_start().starts_with("//!"))
        .map(|file| {
            Violation::new(
                &file.path,
                1,
                "opening",
                "begin with //! lines: what it owns, what it must not do",
            )
        })
        .collect()
}

/// Nothing that panics with "not yet".
pub(crate) fn unfinished(tree: &[File]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (file, source) in rust(tree) {
        for word in ["todo!", "unimplemented!"] {
            for line in source.lines_naming(word) {
                violations.push(Violation::new(
                    &file.path,
                    line,
                    "unfinished",
                    format!("write what {word} stands for, or leave it out"),
                ));
            }
        }
    }
    violations
}

/// A test that sleeps is slow on a fast machine and fails on a slow one.
pub(crate) fn sleeping_tests(tree: &[File]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (file, source) in rust(tree).filter(|(file, _)| file.is_test()) {
        for line in source.lines_naming("sleep") {
            let advice = "wait for the event itself, or move the injected clock";
            violations.push(Violation::new(&file.path, line, "sleeping-test", advice));
        }
    }
    violations
}

/// No trace of the machine a file was written on.
pub(crate) fn workplace(tree: &[File]) -> Vec<Violation> {
    // In two parts, so that this file does not break its own rule.
    let traces = [
        concat!("/wo", "rk/"),
        concat!("../sha", "red"),
        concat!("fresh-", "machine"),
    ];
    let mut violations = Vec::new();
    for file in tree {
        for (index, line) in file.text.lines().enumerate() {
            for trace in traces.iter().filter(|trace| line.contains(**trace)) {
                let advice = format!("\"{trace}\" is a place only its writer has: name a place in this repository");
                violations.push(Violation::new(&file.path, index + 1, "workplace", advice));
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    //! Each rule on a sample that breaks it, next to one that does not.

    use crate::{File, lines};

    #[test]
    fn a_long_file_breaks_the_rule_and_a_test_may_be_longer() {
        let text = "x\n".repeat(501);
        let tree = [
            File::new("a.rs", &text),
            File::new("b.svelte", &text),
            File::new("tests/a.rs", &text),
            File::new("a.md", &text),
        ];
        assert_eq!(lines(&super::length(&tree)), [501, 501]);
        assert_eq!(
            lines(&super::length(&[File::new("a.test.ts", &"x\n".repeat(801))])),
            [801]
        );
    }

    #[test]
    fn a_long_function_breaks_the_rule() {
        let long = format!("\nfn a() {{\n{}}}\nfn b() {{}}\n", "    x();\n".repeat(69));
        assert_eq!(lines(&super::function_length(&[File::new("a.rs", &long)])), [2]);
    }

    #[test]
    fn a_file_without_an_opening_breaks_the_rule() {
        let tree = [File::new("a.rs", "use b;"), File::new("b.rs", "//! Owns b.\nuse c;")];
        assert_eq!(super::opening(&tree).len(), 1);
    }

    #[test]
    fn unfinished_code_breaks_the_rule() {
        let text = "// todo!\nfn a() { todo!() }\nfn b() { unimplemented!(\"later\") }\n";
        assert_eq!(lines(&super::unfinished(&[File::new("a.rs", text)])), [2, 3]);
    }

    #[test]
    fn only_tests_may_not_sleep() {
        let text = "\ntokio::time::sleep(x).await;\n";
        let tree = [File::new("a.rs", text), File::new("a/tests.rs", text)];
        assert_eq!(lines(&super::sleeping_tests(&tree)), [2]);
    }

    #[test]
    fn a_path_of_the_writers_machine_breaks_the_rule() {
        let text = format!("fine\nsee {}design\n", concat!("/wo", "rk/"));
        assert_eq!(lines(&super::workplace(&[File::new("README.md", &text)])), [2]);
    }
}
