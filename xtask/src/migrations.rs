//! Migrations: one sequence without gaps, and none that was released ever changes again.
//!
//! `crates/store/migrations.released` lists each released file with its SHA-256. A release adds
//! lines; nothing ever edits one.

use crate::process::{Outcome, failure};
use crate::source::{files, none_of, read};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

const FOLDER: &str = "crates/store/migrations/";
const RELEASED: &str = "crates/store/migrations.released";

/// Compares the folder with the list.
pub(crate) fn check(root: &Path) -> Outcome {
    let mut hashes = BTreeMap::new();
    for path in files(root)? {
        if let Some(name) = path.strip_prefix(FOLDER) {
            let bytes = std::fs::read(root.join(&path)).map_err(|cause| failure(&path, cause))?;
            hashes.insert(name.to_owned(), hex::encode(Sha256::digest(&bytes)));
        }
    }
    none_of(violations(&hashes, &read(&root.join(RELEASED))?))
}

/// The number of `V12__name.sql`.
fn number(name: &str) -> Option<u32> {
    let (number, rest) = name.strip_prefix('V')?.split_once("__")?;
    rest.ends_with(".sql").then(|| number.parse().ok()).flatten()
}

fn violations(hashes: &BTreeMap<String, String>, released: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let mut numbers = Vec::new();
    for name in hashes.keys() {
        match number(name) {
            Some(number) => numbers.push(number),
            None => findings.push(format!("{FOLDER}{name} is not named like V12__what_it_does.sql")),
        }
    }
    numbers.sort_unstable();
    if !numbers.iter().copied().eq((1..).take(numbers.len())) {
        findings.push(format!("{FOLDER} is not numbered 1, 2, 3 …: {numbers:?}"));
    }
    for line in released.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let Some((hash, name)) = line.split_once("  ") else {
            findings.push(format!("{RELEASED}: not `sha256  file`: {line}"));
            continue;
        };
        match hashes.get(name) {
            None => findings.push(format!("{FOLDER}{name} was released and is gone")),
            Some(now) if now != hash => {
                findings.push(format!("{FOLDER}{name} was released and has changed: write a new migration"));
            }
            Some(_) => {}
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(names: &[(&str, &str)]) -> BTreeMap<String, String> {
        names.iter().map(|(name, hash)| ((*name).to_owned(), (*hash).to_owned())).collect()
    }

    #[test]
    fn a_changed_a_lost_a_misnamed_and_a_skipped_migration_are_named() {
        let released = "# comment\naa  V1__first.sql\nbb  V2__second.sql\n";
        let good = folder(&[("V1__first.sql", "aa"), ("V2__second.sql", "bb"), ("V3__new.sql", "cc")]);
        assert!(violations(&good, released).is_empty());
        let changed = folder(&[("V1__first.sql", "a0"), ("V2__second.sql", "bb")]);
        assert!(violations(&changed, released)[0].contains("has changed"));
        let lost = folder(&[("V1__first.sql", "aa")]);
        assert!(violations(&lost, released)[0].contains("is gone"));
        let skipped = folder(&[("V1__first.sql", "aa"), ("V2__second.sql", "bb"), ("V4__x.sql", "dd")]);
        assert!(violations(&skipped, released)[0].contains("not numbered"));
        assert!(violations(&folder(&[("first.sql", "aa")]), "")[0].contains("not named"));
    }
}
