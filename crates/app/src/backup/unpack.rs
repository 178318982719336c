//! An archive taken apart into a folder, and held against its own list of hashes.

use super::entries::manifest_line;
use super::{CONTEXT, MAGIC, MANIFEST_ENTRY, refused};
use crate::error::Error;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use starpay_keys::passphrase;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};

/// Opens an archive into a folder: every entry a file under its name. Only `Ok` says that the
/// archive was whole, every entry of its manifest there and none besides; on an error the caller
/// throws the folder away.
///
/// # Errors
/// `backup_refused` when it does not open under the passphrase, was changed or is cut off.
pub fn unpack(archive: &mut dyn Read, passphrase: &SecretString, folder: &Path) -> Result<(), Error> {
    let mut unpacker =
        Unpacker { folder: folder.to_owned(), waiting: Vec::new(), place: Place::Magic, seen: String::new() };
    passphrase::open_archive(passphrase, CONTEXT, archive, &mut unpacker)
        .map_err(|error| refused(&causes(&error)))?;
    match unpacker.place {
        Place::End if unpacker.waiting.is_empty() => {}
        Place::Magic | Place::Name | Place::Content(_) | Place::End => {
            return Err(refused("it does not end where it should"));
        }
    }
    let manifest =
        std::fs::read(folder.join(MANIFEST_ENTRY)).map_err(|_| refused("its list of hashes is missing"))?;
    if manifest != unpacker.seen.as_bytes() {
        return Err(refused("its entries are not those of its list of hashes"));
    }
    Ok(())
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

/// Where an unpacker is.
enum Place {
    Magic,
    Name,
    Content(Entry),
    End,
}

/// An entry that is being written.
struct Entry {
    name: String,
    file: File,
    left: u64,
    hash: Sha256,
}

/// Takes the clear archive apart as it arrives.
struct Unpacker {
    folder: PathBuf,
    waiting: Vec<u8>,
    place: Place,
    /// The manifest as it should be.
    seen: String,
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
            Place::Content(entry) => {
                let take = usize::try_from(entry.left).unwrap_or(usize::MAX).min(self.waiting.len());
                let (now, _) = self.waiting.split_at(take);
                entry.file.write_all(now)?;
                entry.hash.update(now);
                entry.left -= u64::try_from(take).unwrap_or(entry.left);
                let finished = entry.left == 0;
                if finished {
                    entry.file.sync_all()?;
                    if entry.name != MANIFEST_ENTRY {
                        let line = manifest_line(&entry.hash.clone().finalize(), &entry.name);
                        self.seen.push_str(&line);
                    }
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
        let name = std::str::from_utf8(name).ok().filter(|name| is_inside(name)).map(str::to_owned);
        let name = name.ok_or_else(|| io::Error::other("an entry's name leads out of the folder"))?;
        let path = self.folder.join(&name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        let left = u64::from_be_bytes(*content);
        self.place = Place::Content(Entry { name, file, left, hash: Sha256::new() });
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

/// Whether a name stays inside the folder it is joined to, and stands on one line.
fn is_inside(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    !name.is_empty()
        && !name.contains(char::is_control)
        && parts.all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::super::entries::PIECE_BYTES;
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

    /// Entries with the manifest of `listed`, and the end.
    fn whole(entries: &[(&str, &[u8])], listed: &[(&str, &[u8])]) -> Vec<u8> {
        let manifest: String =
            listed.iter().map(|(name, content)| manifest_line(&Sha256::digest(content), name)).collect();
        let mut clear = MAGIC.to_vec();
        clear.extend(entries.iter().flat_map(|(name, content)| entry(name, content)));
        clear.extend(entry(MANIFEST_ENTRY, manifest.as_bytes()));
        clear.extend([0, 0]);
        clear
    }

    fn unpacked(clear: &[u8]) -> (tempfile::TempDir, Result<(), Error>) {
        let folder = tempfile::tempdir().unwrap();
        let result = unpack(&mut &*archive(clear), &passphrase(), folder.path());
        (folder, result)
    }

    #[test]
    fn an_archive_comes_apart_into_its_entries() {
        let long = vec![7; 3 * PIECE_BYTES + 11];
        let entries: [(&str, &[u8]); 3] = [("keystore", b"keys"), ("files/a/b", &long), ("empty", b"")];
        let (folder, result) = unpacked(&whole(&entries, &entries));
        result.unwrap();
        for (name, content) in entries {
            assert_eq!(std::fs::read(folder.path().join(name)).unwrap(), content, "{name}");
        }
    }

    #[test]
    fn an_archive_that_differs_from_its_list_is_refused() {
        let one: (&str, &[u8]) = ("one", b"1");
        let two: (&str, &[u8]) = ("two", b"2");
        for listed in
            [vec![], vec![one], vec![two, one], vec![one, ("two", b"3")], vec![one, two, ("x", b"")]]
        {
            assert_eq!(unpacked(&whole(&[one, two], &listed)).1.unwrap_err().code, "backup_refused");
        }
        unpacked(&whole(&[one, two], &[one, two])).1.unwrap();
    }

    #[test]
    fn a_foreign_cut_or_escaping_archive_is_refused() {
        for clear in [
            b"tar".to_vec(),
            [&MAGIC[..], &entry("keystore", b"keys")].concat(),
            [&MAGIC[..], &entry("keystore", b"keys"), &[0, 0]].concat(),
            whole(&[("../out", b"x")], &[("../out", b"x")]),
            whole(&[("/etc/out", b"x")], &[("/etc/out", b"x")]),
            whole(&[("twice", b"x"), ("twice", b"y")], &[("twice", b"x"), ("twice", b"y")]),
            [&whole(&[], &[])[..], b"more"].concat(),
        ] {
            assert_eq!(unpacked(&clear).1.unwrap_err().code, "backup_refused");
        }
        let sealed = archive(&whole(&[], &[]));
        let folder = tempfile::tempdir().unwrap();
        let other = SecretString::from("another horse battery staple");
        assert!(unpack(&mut &*sealed, &other, folder.path()).is_err());
        let (cut, _) = sealed.split_at(sealed.len() - 1);
        assert!(unpack(&mut &*cut, &passphrase(), folder.path()).is_err());
    }
}
