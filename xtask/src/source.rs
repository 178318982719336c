//! The source tree as the checks read it.

use crate::process::{Failure, Outcome, capture, failure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository's root: the folder of the workspace manifest.
pub(crate) fn root() -> Outcome<PathBuf> {
    let start = match std::env::var_os("CARGO_MANIFEST_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => std::env::current_dir().map_err(|cause| failure("current folder", cause))?,
    };
    start
        .ancestors()
        .find(|folder| folder.join("Cargo.lock").is_file() && folder.join("crates").is_dir())
        .map(Path::to_path_buf)
        .ok_or_else(|| Failure(format!("{} is not inside the repository", start.display())))
}

/// Text of a file.
pub(crate) fn read(path: &Path) -> Outcome<String> {
    std::fs::read_to_string(path).map_err(|cause| failure(path.display(), cause))
}

/// Paths, relative to the root, of every file that git tracks or would track.
///
/// Asking git keeps build output, local data and editors' leavings out of the checks.
pub(crate) fn files(root: &Path) -> Outcome<Vec<String>> {
    let listing = capture(Command::new("git").current_dir(root).args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]))?;
    let mut names: Vec<String> =
        listing.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    names.retain(|name| root.join(name).is_file());
    names.sort();
    names.dedup();
    Ok(names)
}

/// Those of [`files`] whose name ends in one of the given extensions, each with its text.
pub(crate) fn texts(root: &Path, extensions: &[&str]) -> Outcome<Vec<(String, String)>> {
    let wanted = |name: &String| {
        Path::new(name)
            .extension()
            .is_some_and(|extension| extensions.iter().any(|known| extension == *known))
    };
    files(root)?
        .into_iter()
        .filter(wanted)
        .map(|name| read(&root.join(&name)).map(|text| (name, text)))
        .collect()
}

/// Joins findings into one failure; no finding is success.
pub(crate) fn none_of(findings: Vec<String>) -> Outcome {
    if findings.is_empty() { Ok(()) } else { Err(Failure(format!("\n  {}", findings.join("\n  ")))) }
}
