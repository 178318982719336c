//! One archive that carries database, files and keystore together, made while the platform runs.
//!
//! The order makes it consistent. The database is one snapshot. Files are write-once, and a row
//! that names one is committed after it, so files read *after* the snapshot hold everything it
//! names. Signed roots speak about events, so only those that the snapshot knows belong to it.
//! The keystore keeps whatever opens or verifies something, and is exported after the snapshot (what
//! a hardware module holds stays there: it has backups of its own); it is sealed under the
//! archive's passphrase, as is the archive itself, chunk by chunk, so that a cut or changed one
//! does not open.
//!
//! ```text
//! sealed( "SPBK\x01"  { name length u16 | name | content length u64 | content }*  0u16 )
//! ```
//!
//! The entries, in this order: [`HEADER_ENTRY`], [`DATABASE_ENTRY`], [`KEYSTORE_ENTRY`], the objects
//! below [`FILES_FOLDER`], what the caller adds, and at the end [`MANIFEST_ENTRY`]: one line
//! `<SHA-256>  <name>` for each entry before it, in order, which proves that none is missing and
//! none was added. `sha256sum -c` reads it, too.

mod entries;
mod restore;
mod unpack;

pub use restore::{RestoreSummary, RestoreTarget, restore};
pub use unpack::unpack;

use crate::chain::{ROOTS, root_sequence};
use crate::error::{Error, ErrorKind};
use crate::platform::Platform;
use crate::{Action, Actor};
use bytes::Bytes;
use entries::{Entries, Feed, PIECES_MAX};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use starpay_keys::keystore::KeystoreError;
use starpay_keys::passphrase::{self, PASSPHRASE_CHARACTERS_MIN, PassphraseError};
use starpay_keys::seal::StreamError;
use starpay_store::{Tx, backup, root};
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Binds the passphrase's seal to this use.
const CONTEXT: &[u8] = b"starpay backup v1";
const MAGIC: &[u8; 5] = b"SPBK\x01";
/// Entry that says what the archive is.
pub const HEADER_ENTRY: &str = "backup.json";
/// Entry of the database dump.
pub const DATABASE_ENTRY: &str = "database.dump";
/// Entry of the exported keystore.
pub const KEYSTORE_ENTRY: &str = "keystore";
/// Folder of the files port's objects.
pub const FILES_FOLDER: &str = "files";
/// Last entry: the hashes of all others.
pub const MANIFEST_ENTRY: &str = "manifest.sha256";
/// Bytes of an entry's name.
const NAME_BYTES_MAX: usize = 1024;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupSummary {
    /// Rows of the database.
    pub rows: u64,
    /// Objects of the files port.
    pub files: u64,
    /// Bytes before sealing.
    pub bytes: u64,
}

/// What a backup needs from outside.
pub struct BackupOrder {
    /// Seals the archive and the keystore in it.
    pub passphrase: SecretString,
    /// Where the database dump may lie while it is read; what is in it is sealed already.
    pub scratch: PathBuf,
    /// Files on disk to take along, by entry name.
    pub extras: Vec<(String, PathBuf)>,
    /// Where the archive goes.
    pub sink: Box<dyn Write + Send>,
}

/// What the archive says of itself.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    starpay_backup: u32,
    made_at: String,
    mode: String,
    schema: i64,
    last_root: i64,
}

const FORMAT: u32 = 1;

/// The database at one moment: its dump, and the last root it knows.
struct Snapshot {
    dump: Scratch,
    rows: u64,
    last_root: i64,
}

impl Platform {
    /// Writes one consistent archive. The caller throws away what was written when this fails.
    ///
    /// # Errors
    /// `forbidden`; `passphrase_short`; the store's, the files port's or the sink's failure.
    pub async fn backup(&self, actor: &Actor, order: BackupOrder) -> Result<BackupSummary, Error> {
        actor.may(Action::Administer)?;
        let BackupOrder { passphrase, scratch, extras, sink } = order;
        if passphrase.expose_secret().chars().count() < PASSPHRASE_CHARACTERS_MIN {
            return Err(Error::invalid("passphrase_short", "passphrase"));
        }
        let snapshot = self.snapshot(&scratch).await?;
        let (shared, secret) = (Arc::clone(&self.shared), passphrase.clone());
        let exported =
            blocking(move || shared.vault.keystore().export(&secret).map_err(|error| keys_failed(&error)))
                .await?;

        let (pieces, feed) = mpsc::channel(PIECES_MAX);
        let random = Arc::clone(&self.shared.random);
        let sealing = tokio::task::spawn_blocking(move || {
            let (mut feed, mut sink) = (Feed::new(feed), sink);
            let bytes = passphrase::seal_archive(&passphrase, CONTEXT, &mut feed, &mut sink, &*random)?;
            sink.flush().map_err(StreamError::Io)?;
            Ok::<_, PassphraseError>(bytes)
        });
        let fed = self.feed(Entries::new(&pieces), &snapshot, exported, &extras).await;
        if fed.is_err() {
            // An error in the feed ends the sealing without its last chunk; it may have ended itself.
            let _ = pieces.send(Err(())).await;
        }
        drop(pieces);
        let sealed = sealing.await.map_err(|error| Error::internal(error.to_string()))?;
        match (fed, sealed) {
            (Ok(files), Ok(bytes)) => Ok(BackupSummary { rows: snapshot.rows, files, bytes }),
            (Err(Fed::Failed(error)), _) => Err(error),
            (Err(Fed::Refused) | Ok(_), Err(error)) => Err(unwritten(&error)),
            (Err(Fed::Refused), Ok(_)) => Err(Error::internal("a backup ended before its end")),
        }
    }

    /// Dumps the database in one read transaction.
    async fn snapshot(&self, scratch: &Path) -> Result<Snapshot, Error> {
        let mut name = [0; 8];
        self.shared.random.fill(&mut name);
        let dump = Scratch::new(scratch, &format!(".backup-{}", hex::encode(name)))?;
        let path = dump.path.clone();
        let (rows, last_root) = self
            .db
            .read(move |tx: &mut Tx| {
                let mut file = BufWriter::new(private_file(&path)?);
                let report = backup::dump(tx, &mut file)?;
                let last_root = root::last(tx)?.map_or(0, |mark| mark.sequence);
                Ok::<_, Error>((report.rows, last_root))
            })
            .await?;
        Ok(Snapshot { dump, rows, last_root })
    }

    /// Sends every entry, and answers how many objects there were.
    async fn feed(
        &self,
        mut entries: Entries<'_>,
        snapshot: &Snapshot,
        keystore: Vec<u8>,
        extras: &[(String, PathBuf)],
    ) -> Result<u64, Fed> {
        let header = Header {
            starpay_backup: FORMAT,
            made_at: self.now().to_string(),
            mode: self.deployment().mode.as_str().to_owned(),
            schema: starpay_store::version_needed(),
            last_root: snapshot.last_root,
        };
        let header = serde_json::to_vec(&header).map_err(Error::from)?;
        entries.bytes(HEADER_ENTRY, Bytes::from(header)).await?;
        entries.file(DATABASE_ENTRY, &snapshot.dump.path).await?;
        entries.bytes(KEYSTORE_ENTRY, Bytes::from(keystore)).await?;
        let objects = &self.shared.ports.files;
        let mut files = 0;
        for meta in objects.list(String::new()).await.map_err(Error::from)? {
            let younger = root_sequence(&meta.key).is_none_or(|sequence| sequence > snapshot.last_root);
            if meta.key.starts_with(ROOTS) && younger {
                continue;
            }
            // An object swept away since the listing is named by nothing any more.
            let Some(object) = objects.get(meta.key.clone()).await.map_err(Error::from)? else { continue };
            entries.bytes(&format!("{FILES_FOLDER}/{}", meta.key), object).await?;
            files += 1;
        }
        for (name, path) in extras {
            entries.file(name, path).await?;
        }
        entries.finish().await?;
        Ok(files)
    }
}

/// Why feeding the archive ended early.
enum Fed {
    /// What was to be sent could not be read.
    Failed(Error),
    /// The sealing thread went away: its own error says why.
    Refused,
}

impl From<Error> for Fed {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

fn refused(why: &str) -> Error {
    Error { detail: Some(why.to_owned()), ..Error::new(ErrorKind::Invalid, "backup_refused") }
}

fn unwritten(error: &PassphraseError) -> Error {
    match error {
        PassphraseError::TooShort => Error::invalid("passphrase_short", "passphrase"),
        PassphraseError::Stream(StreamError::Io(cause)) => Error {
            detail: Some(cause.to_string()),
            ..Error::new(ErrorKind::Unavailable, "backup_unwritten")
        },
        other => Error::internal(other.to_string()),
    }
}

fn keys_failed(error: &KeystoreError) -> Error {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    Error::internal(format!("keystore: {error}{cause}"))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::internal(error.to_string()))?
}

fn disk(error: io::Error) -> Error {
    Error { detail: Some(error.to_string()), ..Error::new(ErrorKind::Unavailable, "unavailable") }
}

fn private_file(path: &Path) -> Result<File, Error> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).map_err(disk)
}

/// A file that goes away with this value.
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn new(folder: &Path, name: &str) -> Result<Self, Error> {
        std::fs::create_dir_all(folder).map_err(disk)?;
        Ok(Self { path: folder.join(name) })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "a backup's scratch file could not be removed");
        }
    }
}
