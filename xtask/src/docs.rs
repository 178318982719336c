//! The generated documents: written by `docs`, compared by `check`.
//!
//! All of them come out of the `starpay` binary, so the document of a thing is made by the thing.

use crate::process::{Failure, Outcome, capture, cargo, failure, say};
use crate::source::{none_of, read};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Every generated document with the arguments that print it.
const DOCUMENTS: &[(&str, &[&str])] = &[
    ("docs/generated/state-machines.md", &["docs", "state-machines"]),
    ("docs/generated/openapi.json", &["openapi"]),
    ("docs/guide/sandbox.md", &["docs", "sandbox"]),
    ("docs/guide/form.md", &["docs", "form"]),
];

const COMMAND_LINE: &str = "docs/generated/cli.md";

/// Writes every document anew.
pub(crate) fn write(root: &Path) -> Outcome {
    for (path, text) in all(&binary(root)?)? {
        let file = root.join(path);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).map_err(|cause| failure(folder.display(), cause))?;
        }
        fs::write(&file, text).map_err(|cause| failure(path, cause))?;
        say(&format!("wrote {path}"));
    }
    Ok(())
}

/// Compares every document with what would be written now.
pub(crate) fn check(root: &Path, binary: &Path) -> Outcome {
    let stale = all(binary)?.into_iter().filter_map(|(path, text)| match read(&root.join(path)) {
        Ok(checked_in) => first_difference(&checked_in, &text)
            .map(|line| format!("{path}, line {line} is out of date: run `cargo xtask docs`")),
        Err(Failure(message)) => Some(format!("{message}: run `cargo xtask docs`")),
    });
    none_of(stale.collect())
}

/// The first line in which two texts differ.
fn first_difference(old: &str, new: &str) -> Option<usize> {
    if old == new {
        return None;
    }
    let same = old.lines().zip(new.lines()).take_while(|(old, new)| old == new).count();
    Some(same + 1)
}

fn all(binary: &Path) -> Outcome<Vec<(&'static str, String)>> {
    let mut documents = Vec::new();
    for (path, arguments) in DOCUMENTS {
        documents.push((*path, capture(Command::new(binary).args(*arguments))?));
    }
    let mut help =
        "# Command line\n\nWritten by `cargo xtask docs` from the program's own help.\n".to_owned();
    write_help(binary, &mut Vec::new(), &mut help)?;
    documents.push((COMMAND_LINE, help));
    Ok(documents)
}

/// Builds the binary the way the tests do, so that nothing is compiled twice, and says where it is.
pub(crate) fn binary(root: &Path) -> Outcome<PathBuf> {
    crate::process::succeed(cargo(crate::test::BUILD).current_dir(root))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let binary = target.join("debug/starpay");
    if binary.is_file() { Ok(binary) } else { Err(Failure(format!("{} was not built", binary.display()))) }
}

/// The help of one command, then of each command under it.
fn write_help(binary: &Path, path: &mut Vec<String>, out: &mut String) -> Outcome {
    let help = capture(Command::new(binary).args(&*path).arg("--help"))?;
    let title =
        std::iter::once("starpay").chain(path.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
    out.push_str(&format!("\n## `{title}`\n\n```text\n{}\n```\n", help.trim_end()));
    for name in subcommands(&help) {
        path.push(name);
        write_help(binary, path, out)?;
        path.pop();
    }
    Ok(())
}

/// The names listed under `Commands:`, without clap's own `help`.
fn subcommands(help: &str) -> Vec<String> {
    help.lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("    "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_from_the_help() {
        let help = "Usage: x\n\nCommands:\n  serve  Serve\n           and more\n  help   Print\n\nOptions:\n  -h  Help\n";
        assert_eq!(subcommands(help), ["serve"]);
        assert!(subcommands("Usage: x\n\nOptions:\n  -h\n").is_empty());
    }

    #[test]
    fn the_first_stale_line_is_named() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\nb\n", "a\nc\n"), Some(2));
        assert_eq!(first_difference("a\n", "a\nb\n"), Some(2));
    }
}
