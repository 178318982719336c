//! Signed roots: what makes a deleted last event or a deleted aggregate noticed.
//!
//! A chain proves that nothing in its middle changed; it cannot prove that nothing was cut off its
//! end. So from time to time the ends of all chains that grew since the last time are written to a
//! file outside the database. A file names only what changed: its cost grows with the changes, not
//! with the table. Each holds the hash of the one before, so that a missing file is noticed too.
//!
//! The file is JSON lines: a header, one line per chain, and the caller's signature over
//! [`RootFile::signed_bytes`]:
//!
//! ```text
//! {"starpay_root":1,"sequence":7,"previous":"<64 hex>","at":1763884800000000,"heads":1}
//! {"kind":"application","merchant":"<32 hex>","id":"<32 hex>","version":4,"hash":"<64 hex>"}
//! {"signature":"<what the caller wrote>"}
//! ```
//!
//! Order of a round: [`collect`] in a read, write the file under its sequence number, then
//! [`mark_rooted`] in a write. When a crash left the file without the mark, read that file and
//! mark it instead of collecting again.

use crate::error::StoreError;
use crate::event::{GENESIS, Hash};
use crate::params;
use crate::sql::sql;
use crate::tx::Tx;
use crate::value::Row;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use starpay_domain::instant::Timestamp;
use uuid::Uuid;

sql! {
    CHANGED = "SELECT kind, merchant_id, aggregate_id, version, hash FROM chain_head \
               WHERE version > rooted_version ORDER BY aggregate_id LIMIT $1";
    HEADS = "SELECT kind, merchant_id, aggregate_id, version, hash FROM chain_head \
             WHERE (aggregate_id, merchant_id) > ($1, $2) ORDER BY aggregate_id, merchant_id LIMIT $3";
    LAST = "SELECT sequence, hash, at FROM root ORDER BY sequence DESC LIMIT 1";
    ONE = "SELECT sequence, hash, at FROM root WHERE sequence = $1";
    INSERT = "INSERT INTO root (sequence, hash, at, heads) VALUES ($1, $2, $3, $4)";
    MARK = "UPDATE chain_head SET rooted_version = $3 \
            WHERE aggregate_id = $1 AND merchant_id = $2 AND rooted_version < $3";
}

const FORMAT: u32 = 1;

/// The end of one chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The aggregate's machine.
    pub kind: String,
    /// Whose it is.
    pub merchant_id: Uuid,
    /// The aggregate.
    pub aggregate_id: Uuid,
    /// The version of its last event.
    pub version: i64,
    /// The hash of its last event.
    pub hash: Hash,
}

impl Head {
    pub(crate) fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            kind: row.get(0)?,
            merchant_id: row.get(1)?,
            aggregate_id: row.get(2)?,
            version: row.get(3)?,
            hash: row.get(4)?,
        })
    }
}

/// What the database remembers of a root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RootMark {
    /// Its number, from 1 without a gap.
    pub sequence: i64,
    /// Its hash.
    pub hash: Hash,
    /// When it was made.
    pub at: Timestamp,
}

/// One root: the chains that grew since the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootFile {
    /// Its number, from 1 without a gap.
    pub sequence: i64,
    /// The hash of the root before; 32 zero bytes for the first.
    pub previous: Hash,
    /// When it was made.
    pub at: Timestamp,
    /// The chains' ends.
    pub heads: Vec<Head>,
    /// The caller's signature over [`RootFile::signed_bytes`].
    pub signature: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderLine {
    starpay_root: u32,
    sequence: i64,
    previous: String,
    at: i64,
    heads: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadLine {
    kind: String,
    merchant: String,
    id: String,
    version: i64,
    hash: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureLine {
    signature: String,
}

impl RootFile {
    /// The root after `last` over these chains, not yet signed.
    #[must_use]
    pub fn after(last: Option<RootMark>, at: Timestamp, heads: Vec<Head>) -> Self {
        let (sequence, previous) =
            last.map_or((1, GENESIS), |mark| (mark.sequence.saturating_add(1), mark.hash));
        Self { sequence, previous, at, heads, signature: None }
    }

    /// The bytes that are hashed and signed: header and chains, one line each.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when a line cannot be written, which plain values never cause.
    pub fn signed_bytes(&self) -> Result<Vec<u8>, StoreError> {
        let mut out = Vec::new();
        line(
            &mut out,
            &HeaderLine {
                starpay_root: FORMAT,
                sequence: self.sequence,
                previous: hex::encode(self.previous),
                at: self.at.micros(),
                heads: self.heads.len(),
            },
        )?;
        for head in &self.heads {
            line(
                &mut out,
                &HeadLine {
                    kind: head.kind.clone(),
                    merchant: head.merchant_id.simple().to_string(),
                    id: head.aggregate_id.simple().to_string(),
                    version: head.version,
                    hash: hex::encode(head.hash),
                },
            )?;
        }
        Ok(out)
    }

    /// SHA-256 over [`RootFile::signed_bytes`].
    ///
    /// # Errors
    /// As [`RootFile::signed_bytes`].
    pub fn hash(&self) -> Result<Hash, StoreError> {
        Ok(Sha256::digest(self.signed_bytes()?).into())
    }

    /// The whole file, with the signature when there is one.
    ///
    /// # Errors
    /// As [`RootFile::signed_bytes`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, StoreError> {
        let mut out = self.signed_bytes()?;
        if let Some(signature) = &self.signature {
            line(&mut out, &SignatureLine { signature: signature.clone() })?;
        }
        Ok(out)
    }

    /// Reads a file back. Whether the signature is good is the caller's to check.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] naming the line.
    pub fn parse(bytes: &[u8]) -> Result<Self, StoreError> {
        let text = std::str::from_utf8(bytes).map_err(|_| bad(0, "is not UTF-8"))?;
        let mut lines = text.lines().enumerate();
        let (_, first) = lines.next().ok_or_else(|| bad(0, "is absent"))?;
        let header: HeaderLine = read_line(0, first)?;
        if header.starpay_root != FORMAT {
            return Err(bad(0, "is of another format"));
        }
        let mut file = Self {
            sequence: header.sequence,
            previous: hash(0, &header.previous)?,
            at: Timestamp::from_micros(header.at),
            heads: Vec::new(),
            signature: None,
        };
        for (number, text) in lines.by_ref().take(header.heads) {
            file.heads.push(head(number, text)?);
        }
        if file.heads.len() != header.heads {
            return Err(bad(file.heads.len() + 1, "is absent"));
        }
        if let Some((number, text)) = lines.next() {
            file.signature = Some(read_line::<SignatureLine>(number, text)?.signature);
        }
        match lines.next() {
            Some((number, _)) => Err(bad(number, "is one too many")),
            None => Ok(file),
        }
    }
}

fn line(out: &mut Vec<u8>, value: &impl Serialize) -> Result<(), StoreError> {
    serde_json::to_writer(&mut *out, value).map_err(StoreError::corrupt)?;
    out.push(b'\n');
    Ok(())
}

fn read_line<'a, T: Deserialize<'a>>(number: usize, text: &'a str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| bad(number, error))
}

fn head(number: usize, text: &str) -> Result<Head, StoreError> {
    let line: HeadLine = read_line(number, text)?;
    let id = |text: &str| Uuid::try_parse(text).map_err(|error| bad(number, error));
    Ok(Head {
        merchant_id: id(&line.merchant)?,
        aggregate_id: id(&line.id)?,
        version: line.version,
        hash: hash(number, &line.hash)?,
        kind: line.kind,
    })
}

fn hash(number: usize, text: &str) -> Result<Hash, StoreError> {
    let mut hash = GENESIS;
    hex::decode_to_slice(text, &mut hash).map_err(|error| bad(number, error))?;
    Ok(hash)
}

fn bad(line: usize, why: impl std::fmt::Display) -> StoreError {
    StoreError::corrupt(format_args!("root file, line {}: {why}", line + 1))
}

/// Up to `limit` chains that grew since they were last in a root.
///
/// # Errors
/// The store's own.
pub fn collect(tx: &mut Tx, limit: i64) -> Result<Vec<Head>, StoreError> {
    tx.query(&CHANGED, params![limit])?.iter().map(Head::read).collect()
}

/// The ends of all chains after an aggregate and merchant, in order.
///
/// # Errors
/// The store's own.
pub fn list_heads(tx: &mut Tx, after: (Uuid, Uuid), limit: i64) -> Result<Vec<Head>, StoreError> {
    tx.query(&HEADS, params![after.0, after.1, limit])?.iter().map(Head::read).collect()
}

/// The last root that was marked.
///
/// # Errors
/// The store's own.
pub fn last(tx: &mut Tx) -> Result<Option<RootMark>, StoreError> {
    mark(tx.query_opt(&LAST, &[])?)
}

/// The mark of one root.
///
/// # Errors
/// The store's own.
pub fn find(tx: &mut Tx, sequence: i64) -> Result<Option<RootMark>, StoreError> {
    mark(tx.query_opt(&ONE, params![sequence])?)
}

fn mark(row: Option<Row>) -> Result<Option<RootMark>, StoreError> {
    row.map(|row| Ok(RootMark { sequence: row.get(0)?, hash: row.get(1)?, at: row.get(2)? })).transpose()
}

/// Notes that a root's file is written: its chains are not collected again until they grow.
///
/// # Errors
/// [`StoreError::Stale`] when another root was marked in between.
pub fn mark_rooted(tx: &mut Tx, file: &RootFile) -> Result<RootMark, StoreError> {
    let before = last(tx)?;
    let (sequence, hash) = before.map_or((0, GENESIS), |mark| (mark.sequence, mark.hash));
    if file.sequence != sequence.saturating_add(1) || file.previous != hash {
        return Err(StoreError::Stale { expected: file.sequence.saturating_sub(1), found: sequence });
    }
    let mark = RootMark { sequence: file.sequence, hash: file.hash()?, at: file.at };
    let heads = i64::try_from(file.heads.len()).unwrap_or(i64::MAX);
    tx.execute(&INSERT, params![mark.sequence, mark.hash, mark.at, heads])?;
    for head in &file.heads {
        tx.execute(&MARK, params![head.aggregate_id, head.merchant_id, head.version])?;
    }
    Ok(mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> RootFile {
        let head = Head {
            kind: "device".into(),
            merchant_id: Uuid::nil(),
            aggregate_id: Uuid::from_u128(9),
            version: 3,
            hash: [7; 32],
        };
        RootFile::after(None, Timestamp::from_micros(5), vec![head])
    }

    #[test]
    fn a_root_file_reads_back() {
        let mut root = file();
        root.signature = Some("abc".into());
        assert_eq!(RootFile::parse(&root.to_bytes().unwrap()).unwrap(), root);
        assert_eq!(root.hash().unwrap(), file().hash().unwrap(), "the signature is not part of the hash");
    }

    #[test]
    fn a_damaged_root_file_names_the_line() {
        let text = String::from_utf8(file().to_bytes().unwrap()).unwrap();
        let shorter = text.lines().next().unwrap();
        let longer = format!("{text}{{\"signature\":\"a\"}}\n{{\"signature\":\"b\"}}\n");
        for (bytes, line) in [("", "line 1"), (shorter, "line 2"), (longer.as_str(), "line 4")] {
            let error = RootFile::parse(bytes.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(line), "{error}");
        }
    }
}
