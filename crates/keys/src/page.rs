//! The figures on the crate page and in every example are those of the shared vectors.

use std::fs;
use std::path::Path;

const VECTORS: &str = include_str!("../../../testdata/vectors.json");
const PAGE: &str = include_str!("../README.md");

/// A run of hex digits this long is no accident.
const DIGITS_MIN: usize = 16;

/// Every long run of upper-case hex digits in a text.
fn figures(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !matches!(character, '0'..='9' | 'A'..='F'))
        .filter(|run| run.len() >= DIGITS_MIN)
}

/// The documentation lines of every source file below a folder.
fn documentation(folder: &Path, lines: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            documentation(&path, lines);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let is_documentation = |line: &&str| line.trim_start().starts_with("//");
            for line in text.lines().filter(is_documentation) {
                lines.push_str(line);
                lines.push('\n');
            }
        }
    }
}

#[test]
fn every_figure_of_the_documentation_is_a_figure_of_the_vectors() {
    let vectors = VECTORS.to_uppercase();
    let mut text = PAGE.to_owned();
    documentation(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut text);
    let unknown: Vec<&str> = figures(&text).filter(|figure| !vectors.contains(figure)).collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
    assert!(figures(&text).count() > 50, "the examples are gone");
}

#[test]
fn only_long_runs_are_figures() {
    let found: Vec<&str> = figures("0200 D0112K0TD00N000021C7C059382459F6AE xyz").collect();
    assert_eq!(found, ["000021C7C059382459F6AE"]);
}
