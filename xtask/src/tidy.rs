//! Tidiness that neither the compiler nor clippy judges: sizes, names, leftovers.

use crate::process::Outcome;
use crate::source::{none_of, texts};
use std::path::Path;

const FILE_LINES_MAX: usize = 800;
const FUNCTION_LINES_MAX: usize = 70;

/// Names that say how something is written instead of what it is for.
const FORBIDDEN_MODULES: &[&str] = &[
    "utils", "util", "helpers", "helper", "common", "manager", "managers", "misc", "types", "service",
    "services", "handler", "handlers", "stuff",
];

/// Leftovers of unfinished work. Each is put together here so that this file does not contain it.
const LEFTOVERS: &[&str] =
    &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("todo", "!("), concat!("unimplemented", "!(")];

/// A test that does not run is a test that is skipped silently.
const SKIPPED_TEST: &str = concat!("#[ig", "nore");

/// Reads every source file.
pub(crate) fn check(root: &Path) -> Outcome {
    let mut findings = Vec::new();
    for (path, text) in texts(root, &["rs", "html", "css", "js", "sql"])? {
        findings.extend(of_file(&path, &text).into_iter().map(|finding| format!("{path}: {finding}")));
    }
    none_of(findings)
}

fn of_file(path: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let lines = text.lines().count();
    if lines > FILE_LINES_MAX {
        findings.push(format!("{lines} lines, more than {FILE_LINES_MAX}: split it"));
    }
    findings
        .extend(LEFTOVERS.iter().filter(|word| text.contains(**word)).map(|word| format!("contains {word}")));
    if !path.ends_with(".rs") {
        return findings;
    }
    if text.contains(SKIPPED_TEST) {
        findings.push("a test is switched off".to_owned());
    }
    let is_tests_of_another_file = path.ends_with("/tests.rs");
    if !text.starts_with("//!") && !is_tests_of_another_file {
        findings.push("does not begin by saying what it is (//!)".to_owned());
    }
    findings.extend(module_names(path, text).map(|name| format!("no module may be named {name}")));
    findings.extend(long_functions(text));
    if integration_test(path).is_some_and(|file| !file.starts_with("it/")) {
        findings.push("a crate has one integration test binary: tests/it/main.rs".to_owned());
    }
    findings
}

/// The path below `tests/` of a package, for a file that stands there.
fn integration_test(path: &str) -> Option<&str> {
    let package = path.strip_prefix("crates/").and_then(|rest| Some(rest.split_once('/')?.1));
    package.or(path.strip_prefix("e2e/"))?.strip_prefix("tests/")
}

/// Forbidden names among the file's path and the modules it declares inline.
fn module_names<'a>(path: &'a str, text: &'a str) -> impl Iterator<Item = &'a str> {
    let declared = text.lines().filter_map(|line| {
        let line = line.trim_start();
        let rest =
            line.split_once("mod ").filter(|(before, _)| before.is_empty() || before.starts_with("pub"))?.1;
        rest.strip_suffix(" {")
    });
    let stem = path.strip_suffix(".rs").unwrap_or(path);
    stem.split('/').chain(declared).filter(|name| FORBIDDEN_MODULES.contains(name))
}

/// Functions longer than allowed. rustfmt closes a function at the indentation it opened, so no
/// parser is needed.
fn long_functions(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut findings = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indent = line.len() - line.trim_start().len();
        let end = format!("{}}}", " ".repeat(indent));
        let length = lines.iter().skip(at).position(|candidate| *candidate == end).map_or(1, |end| end + 1);
        if length > FUNCTION_LINES_MAX && !line.trim_end().ends_with(['}', ';']) {
            findings.push(format!("fn {name} has {length} lines, more than {FUNCTION_LINES_MAX}"));
        }
    }
    findings
}

/// The name of the function whose signature starts on this line.
fn function_name(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    let word =
        words.find(|word| !["pub", "const", "async", "pub(crate)", "pub(super)", "extern"].contains(word))?;
    (word == "fn").then(|| words.next()?.split(['(', '<']).next()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_tidy() {
        check(&crate::source::root().unwrap()).unwrap();
    }

    #[test]
    fn a_long_function_is_found_and_one_of_seventy_lines_is_not() {
        let function = |lines: usize| {
            format!("    pub(crate) fn walk<T>() {{\n{}    }}\n", "        step();\n".repeat(lines))
        };
        assert!(long_functions(&function(68)).is_empty());
        assert_eq!(long_functions(&function(69)), ["fn walk has 71 lines, more than 70"]);
    }

    #[test]
    fn each_untidiness_is_named() {
        assert_eq!(of_file("crates/x/src/utils.rs", "//! x\n"), ["no module may be named utils"]);
        assert_eq!(of_file("crates/x/src/a.rs", "//! x\npub mod helpers {\n}\n").len(), 1);
        assert_eq!(of_file("crates/x/src/a.rs", "fn a() {}\n").len(), 1);
        assert_eq!(of_file("crates/x/tests/other.rs", "//! x\n").len(), 1);
        for fine in ["crates/x/tests/it/main.rs", "e2e/tests/it/main.rs", "crates/x/src/tests/a.rs"] {
            assert!(of_file(fine, "//! x\n").is_empty());
        }
        let long = format!("//! x\n{}", "const A: u8 = 0;\n".repeat(FILE_LINES_MAX));
        assert!(of_file("a.rs", &long)[0].contains("split it"));
        assert!(of_file("a.sql", &format!("-- {}", LEFTOVERS[0]))[0].contains("contains"));
        assert!(of_file("a.rs", &format!("//! x\n{SKIPPED_TEST}]"))[0].contains("switched off"));
    }
}
