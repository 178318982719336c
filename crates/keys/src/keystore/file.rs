//! Files that a crash leaves either old or new, never half.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::KeystoreError;

pub(super) fn failed(path: &Path) -> impl FnOnce(io::Error) -> KeystoreError + '_ {
    |source| KeystoreError::Io { path: path.to_owned(), source }
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, KeystoreError> {
    fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => KeystoreError::Missing(path.to_owned()),
        _ => failed(path)(error),
    })
}

/// Where the next version is written before it takes its place.
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// Removes what a crash during a write may have left. It never took its place: nothing is lost.
pub(super) fn remove_leftover(path: &Path) -> Result<(), KeystoreError> {
    let leftover = beside(path);
    match fs::remove_file(&leftover) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(&leftover)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Puts a new file in place; an existing one is never overwritten.
pub(super) fn create(path: &Path, bytes: &[u8]) -> Result<(), KeystoreError> {
    let new = write_beside(path, bytes)?;
    let linked = fs::hard_link(&new, path);
    remove_leftover(path)?;
    linked.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => KeystoreError::Exists(path.to_owned()),
        _ => failed(path)(error),
    })?;
    sync_folder(path)
}

/// Puts a new version in place of the one this process knows.
pub(super) fn replace(path: &Path, known: &[u8], bytes: &[u8]) -> Result<(), KeystoreError> {
    if read(path)? != known {
        return Err(KeystoreError::ChangedElsewhere);
    }
    let new = write_beside(path, bytes)?;
    fs::rename(&new, path).map_err(failed(path))?;
    sync_folder(path)
}

fn write_beside(path: &Path, bytes: &[u8]) -> Result<PathBuf, KeystoreError> {
    let new = beside(path);
    remove_leftover(path)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&new).map_err(failed(&new))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed(&new))?;
    Ok(new)
}

/// A rename or a link is durable only once its folder is.
fn sync_folder(path: &Path) -> Result<(), KeystoreError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed(folder))
}

/// May others than the owner read or write the file?
#[cfg(unix)]
pub(super) fn is_exposed(path: &Path) -> Result<bool, KeystoreError> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).map(|metadata| metadata.mode() & 0o077 != 0).map_err(failed(path))
}

/// May others than the owner read or write the file? Left to the system's own rules here.
#[cfg(not(unix))]
pub(super) fn is_exposed(_path: &Path) -> Result<bool, KeystoreError> {
    Ok(false)
}
