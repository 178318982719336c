//! `cargo xtask check`: what can be judged without running the product.

use crate::process::{Outcome, Phases, cargo, succeed};
use crate::{arrows, docs, migrations, secret_words, tidy};
use std::path::{Path, PathBuf};

/// Every check, each a timed phase, cheapest first.
pub(crate) fn run(root: &Path) -> Outcome {
    let mut phases = Phases::default();
    let outcome = phases_of(root, &mut phases);
    phases.summarise();
    outcome.map(|_| ())
}

/// The same, as part of a longer command; answers where the binary was built.
pub(crate) fn phases_of(root: &Path, phases: &mut Phases) -> Outcome<PathBuf> {
    phases.run("crate arrows", || arrows::check(root))?;
    phases.run("tidiness", || tidy::check(root))?;
    phases.run("names of secrets", || secret_words::check(root))?;
    phases.run("released migrations", || migrations::check(root))?;
    phases.run("formatting", || succeed(cargo(&["fmt", "--all", "--check"]).current_dir(root)))?;
    phases.run("lints", || {
        let arguments =
            ["clippy", "--locked", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
        succeed(cargo(&arguments).current_dir(root))
    })?;
    phases.run("library documentation", || {
        // The two libraries that others read without the rest. Examples run with the tests; links
        // are followed here.
        let arguments = [
            "doc",
            "--locked",
            "--quiet",
            "--no-deps",
            "--package",
            "starpay-iso8583",
            "--package",
            "starpay-keys",
        ];
        succeed(cargo(&arguments).current_dir(root).env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    let binary = phases.run("build", || docs::binary(root))?;
    phases.run("generated documents", || docs::check(root, &binary))?;
    Ok(binary)
}
