//! One archive that carries database, files and keystore together, made while the platform runs.
//!
//! The order makes it consistent. The database is one snapshot. Files are write-once, and a row
//! that names one is committed after it, so files read *after* the snapshot hold everything it
//! names. Signed roots speak about events, so only those written *before* the snapshot belong to
//! it. The keystore only ever gains keys; it is sealed under the archive's passphrase, as is the
//! archive itself, chunk by chunk, so that a cut or changed one does not open.
//!
//! ```text
//! sealed( "SPBK\x01"  { name length u16 | name | content length u64 | content }*  0u16 )
//! ```

use crate::error::{Error, ErrorKind};
use crate::platform::Platform;
use crate::{Action, Actor};
use bytes::Bytes;
use secrecy::SecretString;
use starpay_keys::passphrase::{self, PassphraseError};
use starpay_keys::seal::StreamError;
use starpay_store::backup;
use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Binds the passphrase's seal to this use.
const CONTEXT: &[u8] = b"starpay backup v1";
const MAGIC: &[u8; 5] = b"SPBK\x01";
/// Entry of the database dump.
pub const DATABASE_ENTRY: &str = "database.dump";
/// Entry of the exported keystore.
pub const KEYSTORE_ENTRY: &str = "keystore";
/// Folder of the files port's objects.
pub const FILES_FOLDER: &str = "files";
/// Objects that speak about the database: only those older than the snapshot are taken.
const ROOTS: &str = "roots/";
/// Bytes of an entry's name.
const NAME_BYTES_MAX: usize = 1024;
/// Bytes read at once.
const PIECE_BYTES: usize = 64 * 1024;
/// Pieces under way between the readers and the sealing thread.
const PIECES_MAX: usize = 8;

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

impl Platform {
    /// Writes one consistent archive. The caller throws away what was written when this fails.
    ///
    /// # Errors
    /// `forbidden`; `passphrase_short`; the store's, the files port's or the sink's failure.
    pub async fn backup(&self, actor: &Actor, order: BackupOrder) -> Result<BackupSummary, Error> {
        actor.may(Action::Administer)?;
        let BackupOrder { passphrase, scratch, extras, sink } = order;
        let earlier = self.object_keys().await?;
        let dump = Scratch::new(&scratch, self.random_name())?;
        let path = dump.path.clone();
        let report = self
            .db
            .read(move |tx| {
                let mut file = BufWriter::new(private_file(&path)?);
                backup::dump(tx, &mut file).map_err(Error::from)
            })
            .await?;
        let (shared, secret) = (Arc::clone(&self.shared), passphrase.clone());
        let exported = blocking(move || shared.vault.keystore().export(&secret).map_err(keys_failed)).await?;

        let (pieces, feed) = mpsc::channel(PIECES_MAX);
        let random = Arc::clone(&self.shared.random);
        let sealing = tokio::task::spawn_blocking(move || {
            let (mut feed, mut sink) = (Feed { pieces: feed, present: Bytes::new() }, sink);
            let bytes = passphrase::seal_archive(&passphrase, CONTEXT, &mut feed, &mut sink, &*random)?;
            sink.flush().map_err(StreamError::Io)?;
            Ok::<_, PassphraseError>(bytes)
        });
        let fed = self.feed(&pieces, &dump.path, exported, &earlier, &extras).await;
        let failed = fed.is_err();
        if failed {
            // An error in the feed ends the sealing without its last chunk.
            let _ = pieces.send(Err(())).await;
        }
        drop(pieces);
        let sealed = sealing.await.map_err(|error| Error::internal(error.to_string()))?;
        let files = fed?;
        Ok(BackupSummary {
            rows: report.rows,
            files,
            bytes: sealed.map_err(|error| passphrase_failed(&error))?,
        })
    }

    async fn object_keys(&self) -> Result<BTreeSet<String>, Error> {
        Ok(self.shared.ports.files.list(String::new()).await?.into_iter().map(|file| file.key).collect())
    }

    fn random_name(&self) -> String {
        let mut bytes = [0; 8];
        self.shared.random.fill(&mut bytes);
        format!(".backup-{}", hex::encode(bytes))
    }

    /// Sends every entry, and answers how many objects there were.
    async fn feed(
        &self,
        pieces: &mpsc::Sender<Result<Bytes, ()>>,
        dump: &Path,
        keystore: Vec<u8>,
        earlier: &BTreeSet<String>,
        extras: &[(String, PathBuf)],
    ) -> Result<u64, Error> {
        send(pieces, Bytes::from_static(MAGIC)).await?;
        send_entry(pieces, KEYSTORE_ENTRY, Bytes::from(keystore)).await?;
        send_file(pieces, DATABASE_ENTRY, dump).await?;
        let mut files = 0;
        for key in self.object_keys().await? {
            if key.starts_with(ROOTS) && !earlier.contains(&key) {
                continue;
            }
            // An object swept away since the listing is named by nothing any more.
            let Some(object) = self.shared.ports.files.get(key.clone()).await? else { continue };
            send_entry(pieces, &format!("{FILES_FOLDER}/{key}"), object).await?;
            files += 1;
        }
        for (name, path) in extras {
            send_file(pieces, name, path).await?;
        }
        send(pieces, Bytes::from_static(&[0, 0])).await?;
        Ok(files)
    }
}

/// Opens an archive into a folder: every entry a file under its name. Only `Ok` says that the
/// archive was whole; on an error the caller throws the folder away.
///
/// # Errors
/// `backup_refused` when it does not open under the passphrase, was changed or is cut off.
pub fn unpack(archive: &mut dyn Read, passphrase: &SecretString, folder: &Path) -> Result<(), Error> {
    let mut unpacker = Unpacker { folder: folder.to_owned(), waiting: Vec::new(), place: Place::Magic };
    passphrase::open_archive(passphrase, CONTEXT, archive, &mut unpacker)
        .map_err(|error| passphrase_failed(&error))?;
    match unpacker.place {
        Place::End if unpacker.waiting.is_empty() => Ok(()),
        Place::Magic | Place::Name | Place::Content { .. } | Place::End => Err(refused("it ends too early")),
    }
}

fn refused(why: &str) -> Error {
    Error {
        detail: Some(format!("the backup does not open: {why}")),
        ..Error::new(ErrorKind::Invalid, "backup_refused")
    }
}

fn passphrase_failed(error: &PassphraseError) -> Error {
    match error {
        PassphraseError::TooShort => Error::invalid("passphrase_short", "passphrase"),
        other => refused(&other.to_string()),
    }
}

fn keys_failed(error: starpay_keys::keystore::KeystoreError) -> Error {
    Error::internal(format!("the keystore could not be exported: {error}"))
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
    fn new(folder: &Path, name: String) -> Result<Self, Error> {
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

async fn send(pieces: &mpsc::Sender<Result<Bytes, ()>>, piece: Bytes) -> Result<(), Error> {
    // The sealing thread went away: its own error says why.
    pieces.send(Ok(piece)).await.map_err(|_| refused("the archive could not be written"))
}

async fn send_head(pieces: &mpsc::Sender<Result<Bytes, ()>>, name: &str, length: u64) -> Result<(), Error> {
    let name_length = u16::try_from(name.len())
        .ok()
        .filter(|length| usize::from(*length) <= NAME_BYTES_MAX)
        .ok_or_else(|| Error::internal("a file's name is too long for a backup"))?;
    let head = [&name_length.to_be_bytes()[..], name.as_bytes(), &length.to_be_bytes()[..]].concat();
    send(pieces, Bytes::from(head)).await
}

async fn send_entry(
    pieces: &mpsc::Sender<Result<Bytes, ()>>,
    name: &str,
    content: Bytes,
) -> Result<(), Error> {
    send_head(pieces, name, u64::try_from(content.len()).unwrap_or(u64::MAX)).await?;
    send(pieces, content).await
}

async fn send_file(pieces: &mpsc::Sender<Result<Bytes, ()>>, name: &str, path: &Path) -> Result<(), Error> {
    let path = path.to_owned();
    let (mut file, length) = blocking(move || {
        let file = File::open(&path).map_err(disk)?;
        let length = file.metadata().map_err(disk)?.len();
        Ok((file, length))
    })
    .await?;
    send_head(pieces, name, length).await?;
    let mut left = length;
    while left > 0 {
        let (back, piece) = blocking(move || {
            let mut piece = Vec::with_capacity(PIECE_BYTES);
            let want = left.min(PIECE_BYTES as u64);
            (&mut file).take(want).read_to_end(&mut piece).map_err(disk)?;
            Ok((file, piece))
        })
        .await?;
        file = back;
        if piece.is_empty() {
            return Err(Error::internal("a file grew shorter while it was backed up"));
        }
        left -= u64::try_from(piece.len()).unwrap_or(left);
        send(pieces, Bytes::from(piece)).await?;
    }
    Ok(())
}

/// What is sent, as a reader for the sealing thread.
struct Feed {
    pieces: mpsc::Receiver<Result<Bytes, ()>>,
    present: Bytes,
}

impl Read for Feed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.present.is_empty() {
            match self.pieces.blocking_recv() {
                Some(Ok(piece)) => self.present = piece,
                Some(Err(())) => return Err(io::Error::other("the backup was given up")),
                None => return Ok(0),
            }
        }
        let take = self.present.len().min(buffer.len());
        let piece = self.present.split_to(take);
        for (to, from) in buffer.iter_mut().zip(piece) {
            *to = from;
        }
        Ok(take)
    }
}

/// Where an unpacker is.
enum Place {
    Magic,
    Name,
    Content { file: File, left: u64 },
    End,
}

/// Takes the clear archive apart as it arrives.
struct Unpacker {
    folder: PathBuf,
    waiting: Vec<u8>,
    place: Place,
}

impl Unpacker {
    /// Consumes what waits, as far as it reaches; whether it got anywhere.
    fn step(&mut self) -> io::Result<bool> {
        match &mut self.place {
            Place::Magic => {
                let Some((magic, _)) = self.waiting.split_at_checked(MAGIC.len()) else { return Ok(false) };
                if magic != MAGIC {
                    return Err(io::Error::other("it is not a backup of this version"));
                }
                self.waiting.drain(..MAGIC.len());
                self.place = Place::Name;
                Ok(true)
            }
            Place::Name => self.open_entry(),
            Place::Content { file, left } => {
                let take = usize::try_from(*left).unwrap_or(usize::MAX).min(self.waiting.len());
                let (now, _) = self.waiting.split_at(take);
                file.write_all(now)?;
                *left -= u64::try_from(take).unwrap_or(*left);
                let finished = *left == 0;
                if finished {
                    file.sync_all()?;
                    self.place = Place::Name;
                }
                self.waiting.drain(..take);
                Ok(take > 0 || finished)
            }
            Place::End => Ok(false),
        }
    }

    fn open_entry(&mut self) -> io::Result<bool> {
        let Some((length, rest)) = self.waiting.split_first_chunk::<2>() else { return Ok(false) };
        let length = usize::from(u16::from_be_bytes(*length));
        if length == 0 {
            self.waiting.drain(..2);
            self.place = Place::End;
            return Ok(true);
        }
        let Some((name, rest)) = rest.split_at_checked(length) else { return Ok(false) };
        let Some((content, _)) = rest.split_first_chunk::<8>() else { return Ok(false) };
        let name = std::str::from_utf8(name).ok().filter(|name| is_inside(name));
        let name = name.ok_or_else(|| io::Error::other("an entry's name leads out of the folder"))?;
        let path = self.folder.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        self.place = Place::Content { file, left: u64::from_be_bytes(*content) };
        self.waiting.drain(..2 + length + 8);
        Ok(true)
    }
}

impl Write for Unpacker {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(bytes);
        while self.step()? {}
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether a name stays inside the folder it is joined to.
fn is_inside(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    !name.is_empty() && parts.all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use starpay_keys::OsRandom;

    fn archive(clear: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        passphrase::seal_archive(&passphrase(), CONTEXT, &mut &*clear, &mut out, &OsRandom).unwrap();
        out
    }

    fn passphrase() -> SecretString {
        SecretString::from("correct horse battery staple")
    }

    fn entry(name: &str, content: &[u8]) -> Vec<u8> {
        let head = u16::try_from(name.len()).unwrap().to_be_bytes();
        [&head[..], name.as_bytes(), &(content.len() as u64).to_be_bytes()[..], content].concat()
    }

    fn unpacked(clear: &[u8]) -> (tempfile::TempDir, Result<(), Error>) {
        let folder = tempfile::tempdir().unwrap();
        let result = unpack(&mut &*archive(clear), &passphrase(), folder.path());
        (folder, result)
    }

    #[test]
    fn an_archive_comes_apart_into_its_entries() {
        let long = vec![7; 3 * PIECE_BYTES + 11];
        let clear = [
            &MAGIC[..],
            &entry("keystore", b"keys"),
            &entry("files/a/b", &long),
            &entry("empty", b""),
            &[0, 0],
        ]
        .concat();
        let (folder, result) = unpacked(&clear);
        result.unwrap();
        assert_eq!(std::fs::read(folder.path().join("keystore")).unwrap(), b"keys");
        assert_eq!(std::fs::read(folder.path().join("files/a/b")).unwrap(), long);
        assert_eq!(std::fs::read(folder.path().join("empty")).unwrap(), b"");
    }

    #[test]
    fn a_foreign_cut_or_escaping_archive_is_refused() {
        for clear in [
            b"tar".to_vec(),
            [&MAGIC[..], &entry("keystore", b"keys")].concat(),
            [&MAGIC[..], &entry("../out", b"x"), &[0, 0]].concat(),
            [&MAGIC[..], &entry("/etc/out", b"x"), &[0, 0]].concat(),
            [&MAGIC[..], &entry("twice", b"x"), &entry("twice", b"y"), &[0, 0]].concat(),
            [&MAGIC[..], &[0, 0], b"more"].concat(),
        ] {
            assert_eq!(unpacked(&clear).1.unwrap_err().code, "backup_refused");
        }
        let sealed = archive(&[&MAGIC[..], &[0, 0]].concat());
        let folder = tempfile::tempdir().unwrap();
        let other = SecretString::from("another horse battery staple");
        assert!(unpack(&mut &*sealed, &other, folder.path()).is_err());
        let (cut, _) = sealed.split_at(sealed.len() - 1);
        assert!(unpack(&mut &*cut, &passphrase(), folder.path()).is_err());
    }
}
