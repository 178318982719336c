//! axe-core, the accessibility judge of the page tests, from the npm registry into `var/`.

use crate::process::{Failure, Outcome, failure, succeed};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::path::Path;
use std::process::Command;

const PACKAGE: &str = "axe-core@4.11.0";
const SHA256: &str = "e9e5863c33a874f09bc01acd9234b7e3c871479f5eef8802fa582544465e6d01";

/// Where the page tests find the script, from the root.
pub(crate) const SCRIPT: &str = "var/axe.min.js";

/// Whether the script is there, byte for byte the release we mean.
pub(crate) fn is_present(root: &Path) -> bool {
    fs::read(root.join(SCRIPT)).is_ok_and(|script| hex::encode(Sha256::digest(&script)) == SHA256)
}

/// Fetches the release with npm, without running any of its scripts.
pub(crate) fn install(root: &Path) -> Outcome {
    let folder = root.join("var/node");
    fs::create_dir_all(&folder).map_err(|cause| failure(folder.display(), cause))?;
    // A manifest of its own keeps npm from walking up to somebody else's.
    let manifest = folder.join("package.json");
    fs::write(&manifest, "{\"private\": true}\n").map_err(|cause| failure(manifest.display(), cause))?;
    succeed(Command::new("npm").current_dir(&folder).args([
        "install",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--no-save",
        PACKAGE,
    ]))?;
    let fetched = folder.join("node_modules/axe-core/axe.min.js");
    fs::copy(&fetched, root.join(SCRIPT)).map_err(|cause| failure(fetched.display(), cause))?;
    if is_present(root) {
        Ok(())
    } else {
        Err(Failure(format!("{SCRIPT} is not the {PACKAGE} whose SHA-256 is {SHA256}")))
    }
}
