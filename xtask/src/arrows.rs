//! The crate arrows: which of our crates may use which.
//!
//! The table is the one of ARCHITECTURE.md. A crate that is not in it fails the check: a new
//! crate needs a line here and a decision record.

use crate::process::{Outcome, failure};
use crate::source::{none_of, read};
use std::path::Path;

/// Every crate with those of ours it may use. The binary may use everything.
const ALLOWED: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("text", &[]),
    ("iso8583", &[]),
    ("keys", &[]),
    ("store", &["domain"]),
    ("app", &["store", "keys", "domain", "text"]),
    ("adapters", &["app", "domain", "iso8583", "text"]),
    ("web", &["app", "domain", "text"]),
    ("gateway", &["app", "domain", "iso8583"]),
    ("terminal", &["iso8583", "keys"]),
    (
        "starpay",
        &["domain", "text", "iso8583", "keys", "store", "app", "adapters", "web", "gateway", "terminal"],
    ),
];

/// Libraries that only some crates may name: SQL has one home, and the binary measures the bare
/// engines beside ours.
const RESERVED: &[(&str, &[&str])] = &[
    ("rusqlite", &["store", "starpay"]),
    ("tokio-postgres", &["store", "starpay"]),
    ("refinery", &["store"]),
    ("object_store", &["adapters"]),
    ("lettre", &["adapters"]),
];

/// Compares every manifest under `crates/` with the tables.
pub(crate) fn check(root: &Path) -> Outcome {
    let crates = root.join("crates");
    let folders = std::fs::read_dir(&crates).map_err(|cause| failure(crates.display(), cause))?;
    let mut findings = Vec::new();
    for folder in folders {
        let folder = folder.map_err(|cause| failure(crates.display(), cause))?;
        let name = folder.file_name().to_string_lossy().into_owned();
        findings.extend(violations(&name, &read(&folder.path().join("Cargo.toml"))?)?);
    }
    findings.sort();
    none_of(findings)
}

/// What one manifest names against the tables. Dev-dependencies are left out: a test may stand
/// outside its crate.
fn violations(name: &str, manifest: &str) -> Outcome<Vec<String>> {
    let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| *known == name) else {
        return Ok(vec![format!("crates/{name} is not in the table of arrows")]);
    };
    let manifest: toml::Table =
        manifest.parse().map_err(|cause| failure(format!("crates/{name}/Cargo.toml"), cause))?;
    let used = ["dependencies", "build-dependencies"]
        .iter()
        .filter_map(|section| manifest.get(*section)?.as_table())
        .flat_map(|section| section.keys());
    let mut findings = Vec::new();
    for dependency in used {
        if let Some(ours) = dependency.strip_prefix("starpay-")
            && !allowed.contains(&ours)
        {
            findings.push(format!("crates/{name} may not use {dependency}"));
        }
        if let Some((_, homes)) = RESERVED.iter().find(|(reserved, _)| reserved == dependency)
            && !homes.contains(&name)
        {
            findings.push(format!("crates/{name} may not name {dependency}: only {}", homes.join(", ")));
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_obeys_the_arrows() {
        check(&crate::source::root().unwrap()).unwrap();
    }

    #[test]
    fn a_forbidden_arrow_a_stranger_and_a_misplaced_driver_are_named() {
        let upward = "[dependencies]\nstarpay-app.workspace = true\nstarpay-domain.workspace = true\n";
        assert_eq!(violations("store", upward).unwrap(), ["crates/store may not use starpay-app"]);
        assert_eq!(violations("terminal", upward).unwrap().len(), 2);
        assert!(violations("app", "[dependencies]\nrusqlite = \"1\"\n").unwrap()[0].contains("only store"));
        assert!(violations("helpers", "").unwrap()[0].contains("not in the table"));
        assert!(violations("store", "[dev-dependencies]\nstarpay-app = \"1\"\n").unwrap().is_empty());
    }

    #[test]
    fn no_crate_is_allowed_one_that_leads_back_to_it() {
        fn reaches(from: &str, to: &str) -> bool {
            let uses = ALLOWED.iter().find(|(name, _)| *name == from).unwrap().1;
            uses.iter().any(|used| *used == to || reaches(used, to))
        }
        for (name, _) in ALLOWED {
            assert!(!reaches(name, name), "{name} leads back to itself");
        }
    }
}
