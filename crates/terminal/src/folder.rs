//! The terminal's folder: what survives a power cut.
//!
//! Every file is written whole under a temporary name, flushed, renamed over the old one, and the
//! directory flushed after it: at any moment the folder holds the old content or the new one,
//! never a mixture. All files but one are sealed under `element.key`, the file that stands for a
//! real device's secure element and is readable by its owner only. The file's own name is bound
//! into the seal, so that one file cannot be put in another's place.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use starpay_keys::random;
use starpay_keys::seal::{self, DataKey, KeyId};
use zeroize::Zeroizing;

use crate::surroundings::Moment;
use crate::{Error, Surroundings};

/// Stands for the secure element.
const ELEMENT: &str = "element.key";
/// Held by the one process that is this terminal.
const LOCK: &str = "terminal.lock";
/// How often to look whether the lock has become free.
const LOCK_LOOKS_MAX: u32 = 100;
/// How long to wait between two looks.
const LOCK_PAUSE: Duration = Duration::from_millis(100);
/// Marks what this terminal sealed; the element holds a single key.
const KEY_ID: KeyId = *b"terminal-element";
/// No file of a terminal is larger.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// An open folder. While it is open no other process can be the same terminal.
pub(crate) struct Folder {
    path: PathBuf,
    element: DataKey,
    _lock: File,
}

impl Folder {
    /// Opens the folder, making it and its element at the terminal's first start.
    pub(crate) fn open(path: &Path, surroundings: &dyn Surroundings) -> Result<Self, Error> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|source| failed(format!("make {}", path.display()), source))?;
        let lock = lock(path, surroundings)?;
        let element = element(path, surroundings)?;
        Ok(Self { path: path.to_owned(), element, _lock: lock })
    }

    /// The element's key, under which the device keys are sealed once more.
    pub(crate) fn element(&self) -> &DataKey {
        &self.element
    }

    /// The id of the element's key.
    pub(crate) fn element_id(&self) -> KeyId {
        KEY_ID
    }

    /// Reads a sealed record; `None` when it was never written.
    pub(crate) fn load<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        let Some(plain) = self.load_bytes(name)? else { return Ok(None) };
        serde_json::from_slice(&plain).map(Some).map_err(|_| damaged(name))
    }

    /// Seals and writes a record.
    pub(crate) fn store<T: Serialize>(
        &self,
        name: &str,
        record: &T,
        surroundings: &dyn Surroundings,
    ) -> Result<(), Error> {
        let plain = Zeroizing::new(serde_json::to_vec(record).map_err(|_| damaged(name))?);
        self.store_bytes(name, &plain, surroundings)
    }

    /// Reads sealed bytes; `None` when they were never written.
    pub(crate) fn load_bytes(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let Some(sealed) = read(&self.path.join(name))? else { return Ok(None) };
        seal::open(&self.element, &context(name), &sealed).map(Some).map_err(|_| damaged(name))
    }

    /// Seals and writes bytes.
    pub(crate) fn store_bytes(
        &self,
        name: &str,
        plain: &[u8],
        surroundings: &dyn Surroundings,
    ) -> Result<(), Error> {
        let sealed = seal::seal(&self.element, KEY_ID, &context(name), plain, surroundings.random());
        write(&self.path, name, &sealed, surroundings)
    }
}

fn context(name: &str) -> Vec<u8> {
    format!("starpay-terminal|{name}").into_bytes()
}

fn damaged(name: &str) -> Error {
    Error::Damaged { what: format!("the file {name} of the terminal's folder"), proof: "seal" }
}

fn failed(doing: String, source: io::Error) -> Error {
    Error::Folder { doing, source }
}

/// Takes the folder's lock; the system frees it when the process ends, however it ends.
fn lock(path: &Path, surroundings: &dyn Surroundings) -> Result<File, Error> {
    let at = path.join(LOCK);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&at)
        .map_err(|source| failed(format!("open {}", at.display()), source))?;
    let mut looks = 0;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            // A terminal just switched off may still be finishing a request.
            Err(TryLockError::WouldBlock) if looks < LOCK_LOOKS_MAX => looks += 1,
            Err(error) => {
                let doing = format!("{} is in use: this terminal is already switched on", path.display());
                return Err(failed(doing, error.into()));
            }
        }
        surroundings.pause(LOCK_PAUSE);
    }
}

/// Reads the element's key, or makes it.
fn element(path: &Path, surroundings: &dyn Surroundings) -> Result<DataKey, Error> {
    let at = path.join(ELEMENT);
    if let Some(bytes) = read(&at)? {
        let mode = fs::metadata(&at)
            .map_err(|source| failed(format!("look at {}", at.display()), source))?
            .permissions()
            .mode();
        if mode & 0o077 != 0 {
            return Err(Error::Setting {
                field: "folder",
                reason: format!("{} must be readable by its owner only (mode 0600)", at.display()),
            });
        }
        let bytes = Zeroizing::new(bytes);
        let key: [u8; 32] = bytes.as_slice().try_into().map_err(|_| damaged(ELEMENT))?;
        return Ok(DataKey::from_bytes(key));
    }
    let key = Zeroizing::new(random::array::<32>(surroundings.random()));
    write(path, ELEMENT, key.as_slice(), surroundings)?;
    Ok(DataKey::from_bytes(*key))
}

/// Reads a file of limited size; `None` when there is none.
fn read(at: &Path) -> Result<Option<Vec<u8>>, Error> {
    let describe = || format!("read {}", at.display());
    let file = match File::open(at) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(describe(), error)),
    };
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|source| failed(describe(), source))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > FILE_BYTES_MAX {
        return Err(failed(describe(), io::Error::new(ErrorKind::FileTooLarge, "larger than 1 MiB")));
    }
    Ok(Some(bytes))
}

/// Writes a file so that a power cut leaves the old content or the new one.
fn write(folder: &Path, name: &str, bytes: &[u8], surroundings: &dyn Surroundings) -> Result<(), Error> {
    surroundings.power(Moment::BeforeWrite)?;
    let at = folder.join(name);
    let fresh = folder.join(format!("{name}.new"));
    let describe = || format!("write {}", at.display());
    let written = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&fresh)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.map_err(|source| failed(describe(), source))?;
    surroundings.power(Moment::BeforeRename)?;
    fs::rename(&fresh, &at)
        .and_then(|()| File::open(folder)?.sync_all())
        .map_err(|source| failed(describe(), source))?;
    surroundings.power(Moment::AfterWrite)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surroundings::testing::Bench;

    #[test]
    fn records_come_back_and_lie_sealed() {
        let home = tempfile::tempdir().unwrap();
        let bench = Bench::default();
        let folder = Folder::open(home.path(), &bench).unwrap();
        assert_eq!(folder.load::<String>("journal").unwrap(), None);
        folder.store("journal", &"0123456789", &bench).unwrap();
        drop(folder);
        let folder = Folder::open(home.path(), &bench).unwrap();
        assert_eq!(folder.load::<String>("journal").unwrap().as_deref(), Some("0123456789"));
        let raw = fs::read(home.path().join("journal")).unwrap();
        assert!(!raw.windows(10).any(|window| window == b"0123456789"));
    }

    #[test]
    fn a_changed_or_exchanged_file_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let bench = Bench::default();
        let folder = Folder::open(home.path(), &bench).unwrap();
        folder.store("one", &1, &bench).unwrap();
        fs::copy(home.path().join("one"), home.path().join("two")).unwrap();
        assert!(matches!(folder.load::<u8>("two"), Err(Error::Damaged { .. })));
        let mut raw = fs::read(home.path().join("one")).unwrap();
        let last = raw.len() - 1;
        raw[last] ^= 1;
        fs::write(home.path().join("one"), raw).unwrap();
        assert!(matches!(folder.load::<u8>("one"), Err(Error::Damaged { .. })));
    }

    #[test]
    fn one_process_at_a_time_is_this_terminal() {
        let home = tempfile::tempdir().unwrap();
        let bench = Bench::default();
        let first = Folder::open(home.path(), &bench).unwrap();
        assert!(matches!(Folder::open(home.path(), &bench), Err(Error::Folder { .. })));
        drop(first);
        assert!(Folder::open(home.path(), &bench).is_ok());
    }

    #[test]
    fn an_element_others_can_read_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let bench = Bench::default();
        drop(Folder::open(home.path(), &bench).unwrap());
        let at = home.path().join(ELEMENT);
        assert_eq!(fs::metadata(&at).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&at, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(Folder::open(home.path(), &bench), Err(Error::Setting { .. })));
    }

    #[test]
    fn a_power_cut_while_writing_leaves_old_or_new() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::open(home.path(), &Bench::default()).unwrap();
        folder.store("journal", &"old", &Bench::default()).unwrap();
        for (cut_after, expected) in [(0, "old"), (1, "old"), (2, "new")] {
            let bench = Bench::with_power_for(cut_after);
            let result = folder.store("journal", &"new", &bench);
            assert!(matches!(result, Err(Error::PowerCut(_))));
            assert_eq!(folder.load::<String>("journal").unwrap().as_deref(), Some(expected));
        }
    }
}
