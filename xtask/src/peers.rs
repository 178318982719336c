//! The packages of other people that our keys and messages are compared with, in a Python environment of
//! their own below `var/`.

use crate::process::{Outcome, capture, succeed};
use std::path::Path;
use std::process::Command;

/// Exact releases: a peer that changes must not make our tests change.
const PACKAGES: [&str; 4] = ["psec==1.3.0", "pyemv==1.5.0", "cryptography==50.0.2", "pyiso8583==4.0.1"];

/// The environment's folder, from the root.
const FOLDER: &str = "var/peers";

/// Whether every package is there in its release.
pub(crate) fn are_present(root: &Path) -> bool {
    let python = root.join(FOLDER).join("bin/python");
    let listed = capture(Command::new(python).args(["-m", "pip", "list", "--format", "freeze"]));
    listed.is_ok_and(|listed| PACKAGES.iter().all(|package| listed.lines().any(|line| line == *package)))
}

/// Makes the environment and installs the packages into it.
pub(crate) fn install(root: &Path) -> Outcome {
    let folder = root.join(FOLDER);
    succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    succeed(
        Command::new(folder.join("bin/python"))
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args(PACKAGES),
    )
}
