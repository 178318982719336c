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
    remove(&beside(path))
}

/// Removes a file that may be there.
pub(super) fn remove(path: &Path) -> Result<(), KeystoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(path)(error)),
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

/// Puts a new version in place of the one this process knows. The caller holds the [`Lock`].
pub(super) fn replace(_: &Lock, path: &Path, known: &[u8], bytes: &[u8]) -> Result<(), KeystoreError> {
    if read(path)? != known {
        return Err(KeystoreError::ChangedElsewhere);
    }
    overwrite(path, bytes)
}

/// Puts a new version in place, whatever was there.
pub(super) fn overwrite(path: &Path, bytes: &[u8]) -> Result<(), KeystoreError> {
    let new = write_beside(path, bytes)?;
    rename(&new, path)
}

/// Gives a file its place, durably.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), KeystoreError> {
    fs::rename(from, to).map_err(failed(to))?;
    sync_folder(to)
}

/// Keeps other processes from changing the same keystore. It goes with the process that holds it.
pub(super) struct Lock {
    _folder: File,
}

impl Lock {
    /// Waits for the lock of the folder in which a file lies.
    pub(super) fn take(path: &Path) -> Result<Self, KeystoreError> {
        let folder = folder_of(path);
        let file = File::open(folder).map_err(failed(folder))?;
        match file.lock() {
            // Some network file systems know no locks: the comparison in `replace` still stands.
            Err(error) if error.kind() != io::ErrorKind::Unsupported => Err(failed(folder)(error)),
            Ok(()) | Err(_) => Ok(Self { _folder: file }),
        }
    }
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
    let folder = folder_of(path);
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed(folder))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    }
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
