//! Names that must not exist: a column or a log field for what is never stored or logged.
//!
//! The scan of a finished demo finds secrets by their value; this check refuses the place where
//! they would be put, before anything runs.

use crate::process::Outcome;
use crate::source::{none_of, texts};
use std::path::Path;

/// Parts of a column name for what the server never keeps (PCI DSS 3.3): card expiry,
/// verification values, track data.
const NEVER_A_COLUMN: &[&str] =
    &["expiry", "cvv", "cvv2", "cvn", "cvn2", "cvc", "cvc2", "track", "track1", "track2", "magstripe"];

/// Parts of a column name that need a part of [`PROTECTED_AS`] beside them.
const ONLY_PROTECTED: &[&str] =
    &["pan", "pin", "password", "secret", "mobile", "id_number", "card_number", "otp"];

const PROTECTED_AS: &[&str] = &[
    "sealed", "hash", "index", "mac", "hmac", "kcv", "digest", "masked", "tries", "attempts", "set", "at",
    "locked", "failures", "verified", "id", "state",
];

/// Fields no log line may carry, whatever the value.
const NEVER_A_FIELD: &[&str] = &[
    "expiry",
    "cvv",
    "cvn",
    "track",
    "track2",
    "pan",
    "pin",
    "password",
    "secret",
    "token",
    "mobile",
    "id_number",
    "card_number",
    "private_key",
    "activation_code",
    "otp",
];

const LOG_MACROS: &[&str] =
    &["trace!(", "debug!(", "info!(", "warn!(", "error!(", "info_span!(", "debug_span!("];

/// Reads every migration and every source file of the product.
pub(crate) fn check(root: &Path) -> Outcome {
    let mut findings = Vec::new();
    for (path, text) in texts(root, &["sql"])? {
        findings.extend(bad_columns(&text).into_iter().map(|name| format!("{path}: column {name}")));
    }
    for (path, text) in texts(root, &["rs"])?.into_iter().filter(|(path, _)| path.starts_with("crates/")) {
        findings.extend(bad_fields(&text).into_iter().map(|name| format!("{path}: log field {name}")));
    }
    none_of(findings)
}

/// Column names of `CREATE TABLE` and `ALTER TABLE … ADD` that must not exist.
fn bad_columns(sql: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in sql.lines() {
        let code = line.split("--").next().unwrap_or_default();
        let words =
            code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        for word in words.filter(|word| word.chars().any(|c| c.is_ascii_lowercase())) {
            let parts: Vec<&str> = word.split('_').collect();
            let has = |list: &[&str]| {
                list.iter().any(|entry| {
                    let entry: Vec<&str> = entry.split('_').collect();
                    parts.windows(entry.len()).any(|window| window == entry)
                })
            };
            let is_forbidden = has(NEVER_A_COLUMN) || (has(ONLY_PROTECTED) && !has(PROTECTED_AS));
            if is_forbidden && is_column(code, word) {
                found.push(word.to_owned());
            }
        }
    }
    found
}

/// Whether the line declares `word` as a column: it stands first, before a type.
fn is_column(code: &str, word: &str) -> bool {
    const TYPES: &[&str] = &["TEXT", "BIGINT", "INTEGER", "BLOB", "BYTEA", "{bytes}", "BOOLEAN"];
    let mut words = code.split_whitespace().skip_while(|first| {
        ["ALTER", "TABLE", "ADD", "COLUMN"].contains(first) || (code.contains("ADD COLUMN") && *first != word)
    });
    words.next() == Some(word) && words.next().is_some_and(|kind| TYPES.contains(&kind.trim_end_matches(',')))
}

/// Fields of log macros that must not exist: `pin = …`, `%pin`, `?pin`, `person.pin = …`, `{pin}`.
fn bad_fields(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    for name in LOG_MACROS {
        for (start, _) in source.match_indices(name) {
            let before = source.get(..start).and_then(|text| text.chars().next_back());
            if before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_' || c == '"') {
                continue;
            }
            let arguments = balanced(source.get(start + name.len()..).unwrap_or_default());
            found.extend(fields(arguments).into_iter().filter(|field| {
                let last = field.rsplit('.').next().unwrap_or(field);
                NEVER_A_FIELD.contains(&last)
            }));
        }
    }
    found
}

/// The text up to the bracket that closes the one already open.
fn balanced(text: &str) -> &str {
    let mut depth = 1_usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return text.get(..at).unwrap_or(text);
        }
    }
    text
}

/// The names a log macro would print.
fn fields(arguments: &str) -> Vec<String> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let mut names = Vec::new();
    for part in arguments.split([',', '\n']) {
        let part = part.trim().trim_start_matches(['%', '?']);
        let name: String = part.chars().take_while(|c| word(*c)).collect();
        let rest = part.get(name.len()..).unwrap_or_default().trim_start();
        if !name.is_empty() && (rest.is_empty() || (rest.starts_with('=') && !rest.starts_with("=="))) {
            names.push(name);
        }
    }
    for (start, _) in arguments.match_indices('{') {
        let inner = arguments.get(start + 1..).unwrap_or_default();
        let name: String = inner.chars().take_while(|c| word(*c)).collect();
        if inner.get(name.len()..).is_some_and(|rest| rest.starts_with(['}', ':'])) && !name.is_empty() {
            names.push(name);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_names_no_forbidden_column_or_field() {
        check(&crate::source::root().unwrap()).unwrap();
    }

    #[test]
    fn a_column_for_card_data_is_found_and_a_sealed_one_is_not() {
        let sql = "CREATE TABLE card (\n  pan TEXT NOT NULL,\n  pan_sealed {bytes} NOT NULL,\n  card_expiry TEXT,\n  expires_at BIGINT, -- track\n  pin_hash TEXT\n)";
        assert_eq!(bad_columns(sql), ["pan", "card_expiry"]);
        assert_eq!(bad_columns("ALTER TABLE person ADD COLUMN mobile TEXT"), ["mobile"]);
    }

    #[test]
    fn a_log_field_with_a_secret_is_found_in_each_spelling() {
        assert_eq!(bad_fields("tracing::info!(pin = %x, merchant.id = %id, \"said\")"), ["pin"]);
        assert_eq!(bad_fields("warn!(?pan, \"said\")"), ["pan"]);
        assert_eq!(bad_fields("warn!(operator.pin = 1)"), ["operator.pin"]);
        assert_eq!(bad_fields("error!(\"wrong {pin}\")"), ["pin"]);
        assert!(bad_fields("info!(pin_tries = 3, \"the pin was wrong\")").is_empty());
        assert!(bad_fields("if total == pan { info!(\"(nested) {total}\") }").is_empty());
    }
}
