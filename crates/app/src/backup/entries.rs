//! The entries of an archive on their way to the sealing thread, counted by their hashes.

use super::{Fed, MAGIC, MANIFEST_ENTRY, NAME_BYTES_MAX, blocking, disk};
use crate::error::Error;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use tokio::sync::mpsc;

/// Bytes read at once.
pub(super) const PIECE_BYTES: usize = 64 * 1024;
/// Pieces under way between the readers and the sealing thread.
pub(super) const PIECES_MAX: usize = 8;

/// A piece of the clear archive; `Err` gives it up.
type Piece = Result<Bytes, ()>;

/// Sends entries one after the other.
pub(super) struct Entries<'a> {
    pieces: &'a mpsc::Sender<Piece>,
    manifest: String,
    begun: bool,
}

impl<'a> Entries<'a> {
    pub(super) fn new(pieces: &'a mpsc::Sender<Piece>) -> Self {
        Self { pieces, manifest: String::new(), begun: false }
    }

    /// Sends one entry whose content is at hand.
    pub(super) async fn bytes(&mut self, name: &str, content: Bytes) -> Result<(), Fed> {
        self.head(name, u64::try_from(content.len()).unwrap_or(u64::MAX)).await?;
        self.manifest.push_str(&manifest_line(&Sha256::digest(&content), name));
        self.send(content).await
    }

    /// Sends one entry whose content lies in a file.
    pub(super) async fn file(&mut self, name: &str, path: &Path) -> Result<(), Fed> {
        let path = path.to_owned();
        let (mut file, length) = blocking(move || {
            let file = File::open(&path).map_err(disk)?;
            let length = file.metadata().map_err(disk)?.len();
            Ok((file, length))
        })
        .await?;
        self.head(name, length).await?;
        let (mut left, mut hash) = (length, Sha256::new());
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
                return Err(Error::internal("a file grew shorter while it was backed up").into());
            }
            left -= u64::try_from(piece.len()).unwrap_or(left);
            hash.update(&piece);
            self.send(Bytes::from(piece)).await?;
        }
        self.manifest.push_str(&manifest_line(&hash.finalize(), name));
        Ok(())
    }

    /// Sends the manifest and the end.
    pub(super) async fn finish(mut self) -> Result<(), Fed> {
        let manifest = Bytes::from(std::mem::take(&mut self.manifest));
        self.bytes(MANIFEST_ENTRY, manifest).await?;
        self.send(Bytes::from_static(&[0, 0])).await
    }

    async fn head(&mut self, name: &str, length: u64) -> Result<(), Fed> {
        if !self.begun {
            self.begun = true;
            self.send(Bytes::from_static(MAGIC)).await?;
        }
        let name_length = u16::try_from(name.len())
            .ok()
            .filter(|length| (1..=NAME_BYTES_MAX).contains(&usize::from(*length)))
            .ok_or_else(|| Error::internal("a file's name does not fit into a backup"))?;
        let head = [&name_length.to_be_bytes()[..], name.as_bytes(), &length.to_be_bytes()[..]].concat();
        self.send(Bytes::from(head)).await
    }

    async fn send(&self, piece: Bytes) -> Result<(), Fed> {
        self.pieces.send(Ok(piece)).await.map_err(|_| Fed::Refused)
    }
}

/// One line of the manifest.
pub(super) fn manifest_line(hash: &[u8], name: &str) -> String {
    format!("{}  {name}\n", hex::encode(hash))
}

/// What is sent, as a reader for the sealing thread.
pub(super) struct Feed {
    pieces: mpsc::Receiver<Piece>,
    present: Bytes,
}

impl Feed {
    pub(super) fn new(pieces: mpsc::Receiver<Piece>) -> Self {
        Self { pieces, present: Bytes::new() }
    }
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
