//! What a simulated counterpart remembers: one small file per effect, written once.
//!
//! It outlives a crash of our process at any moment: a file appears whole or not at all. It holds
//! our references and the counterpart's answers, never personal data.

use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// The facts of one effect, by name.
pub(super) type Facts = BTreeMap<String, String>;

/// A memory that cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the sandbox memory in {} cannot be used", folder.display())]
pub struct MemoryError {
    folder: PathBuf,
    #[source]
    cause: std::io::Error,
}

/// A folder of effects.
#[derive(Debug)]
pub struct Memory {
    folder: PathBuf,
}

/// Whether an effect is new.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Remembered {
    /// It is, and it is now remembered.
    New,
    /// It was remembered before, with these facts.
    Before(Facts),
}

impl Memory {
    /// The memory in that folder, which is made when it is not there.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(folder: &Path) -> Result<Self, MemoryError> {
        let memory = Self { folder: folder.to_owned() };
        fs::create_dir_all(folder).map_err(|cause| memory.error(cause))?;
        Ok(memory)
    }

    /// How many effects of a kind (`parcel`, `registration`, `signature`, `sms`, `email`) there are:
    /// a repeated call must not add one.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn count(&self, kind: &str) -> Result<usize, MemoryError> {
        match fs::read_dir(self.folder.join(kind)) {
            Ok(entries) => {
                let whole = |entry: &fs::DirEntry| !entry.file_name().to_string_lossy().starts_with('.');
                Ok(entries.flatten().filter(whole).count())
            }
            Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(0),
            Err(cause) => Err(self.error(cause)),
        }
    }

    /// Remembers an effect under its reference, unless it is remembered already.
    pub(super) fn remember(
        &self,
        kind: &str,
        reference: &str,
        facts: &Facts,
    ) -> Result<Remembered, MemoryError> {
        let file = self.file(kind, reference);
        let folder = self.folder.join(kind);
        fs::create_dir_all(&folder).map_err(|cause| self.error(cause))?;
        let text = serde_json::to_vec(facts).map_err(|cause| self.error(cause.into()))?;
        let mut whole =
            tempfile::NamedTempFile::with_prefix_in(".", &folder).map_err(|cause| self.error(cause))?;
        whole.write_all(&text).map_err(|cause| self.error(cause))?;
        match whole.persist_noclobber(&file) {
            Ok(_) => Ok(Remembered::New),
            Err(refused) if refused.error.kind() == ErrorKind::AlreadyExists => {
                Ok(Remembered::Before(self.recall(kind, reference)?.unwrap_or_default()))
            }
            Err(refused) => Err(self.error(refused.error)),
        }
    }

    /// The facts of an effect, if it ever happened.
    pub(super) fn recall(&self, kind: &str, reference: &str) -> Result<Option<Facts>, MemoryError> {
        match fs::read(self.file(kind, reference)) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|cause| self.error(cause.into())),
            Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(self.error(cause)),
        }
    }

    fn file(&self, kind: &str, reference: &str) -> PathBuf {
        self.folder.join(kind).join(digest(reference))
    }

    fn error(&self, cause: std::io::Error) -> MemoryError {
        MemoryError { folder: self.folder.clone(), cause }
    }
}

/// A name of fixed length and harmless characters for any reference.
pub(super) fn digest(reference: &str) -> String {
    let mut name = hex::encode(Sha256::digest(reference));
    name.truncate(32);
    name
}

/// A number below `limit` that looks random and is always the same for a reference.
pub(super) fn number_from(reference: &str, limit: u64) -> u64 {
    let bytes = Sha256::digest(reference);
    let number = bytes.iter().take(7).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    number.checked_rem(limit).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(value: &str) -> Facts {
        Facts::from([("value".to_owned(), value.to_owned())])
    }

    #[test]
    fn an_effect_is_remembered_once_and_survives_reopening() {
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory::open(folder.path()).unwrap();
        assert_eq!(memory.recall("parcel", "shp_1").unwrap(), None);
        assert_eq!(memory.remember("parcel", "shp_1", &facts("first")).unwrap(), Remembered::New);
        let reopened = Memory::open(folder.path()).unwrap();
        let again = reopened.remember("parcel", "shp_1", &facts("second")).unwrap();
        assert_eq!(again, Remembered::Before(facts("first")));
        assert_eq!(reopened.count("parcel").unwrap(), 1);
        assert_eq!(reopened.count("signature").unwrap(), 0);
    }

    #[test]
    fn a_reference_cannot_climb_out_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory::open(&folder.path().join("inside")).unwrap();
        memory.remember("parcel", "../../outside", &facts("x")).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
