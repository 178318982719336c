//! Prints `docs/guide/sandbox.md` from the tables.

use super::identity::Finding;
use super::table::{Row, Table};
use super::{carrier, clearing, clock, files, identity, licence, messages, signing, watch_lists};

const PREFACE: &str = "\
# The sandbox

Written by `cargo xtask docs` from the tables in `crates/adapters/src/sandbox`.

In a sandbox deployment the outside world is simulated inside the process; nothing is sent
anywhere. Names and references start with `sandbox`, so that such an answer can never pass for a
real one. Everything succeeds unless an input below says otherwise. Digits 15–17 of an ID number
are free: for each of them there is a valid number, its check digit follows.

What a simulated counterpart did (a registration, a parcel, a signature, a message delivered) it
remembers under our reference in a folder of its own: the same reference twice is one effect, also
after a crash. When an answer was lost, asking again with the same reference tells what was done.
";

/// The guide, in Markdown.
#[must_use]
pub fn guide() -> String {
    let sections = [
        section(&identity::OUTCOMES, |finding: &Finding| finding.meaning()),
        section(&licence::OUTCOMES, |finding: &Finding| finding.meaning()),
        section(&watch_lists::OUTCOMES, |finding: &Finding| finding.meaning()),
        section(&signing::OUTCOMES, |signing| signing.meaning().to_owned()),
        section(&clearing::OUTCOMES, |reporting| reporting.meaning()),
        section(&carrier::OUTCOMES, |carriage| carriage.meaning().to_owned()),
        section(&messages::SMS_OUTCOMES, |sending| sending.meaning().to_owned()),
        section(&messages::EMAIL_OUTCOMES, |sending| sending.meaning().to_owned()),
        section(&files::OUTCOMES, |keeping| keeping.meaning().to_owned()),
        clock::section(),
    ];
    format!("{PREFACE}{}", sections.concat())
}

fn section<B>(table: &Table<B>, meaning: impl Fn(&B) -> String) -> String {
    let line = |input: String, row: &Row<B>| {
        format!("| {input} | {} | {} |\n", meaning(&row.behaviour), duration(row.delay_ms))
    };
    let rows: String = table.rows.iter().map(|row| line(format!("`{}`", row.trigger), row)).collect();
    format!(
        "\n## {}\n\nReads {}: {}. The delay is the time {}.\n\n| input | outcome | delay |\n|---|---|---|\n{rows}{}",
        table.port,
        table.input,
        table.reads.meaning(),
        table.delay,
        line("anything else".to_owned(), &table.otherwise),
    )
}

fn duration(milliseconds: u32) -> String {
    match milliseconds {
        0 => "none".to_owned(),
        whole if whole % 1000 == 0 => format!("{} s", whole / 1000),
        other => format!("{other} ms"),
    }
}
