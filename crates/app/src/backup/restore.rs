//! An archive put back: into an empty database, files port and keystore, and then proved.
//!
//! The whole archive is opened and held against its list of hashes before anything is written to
//! the targets. What is written is then verified as it lies there: the rows were counted and
//! hashed when they were loaded, the keystore opens under its new master key, and every event
//! chain is walked against the signed roots.

use super::{
    DATABASE_ENTRY, FILES_FOLDER, FORMAT, HEADER_ENTRY, Header, KEYSTORE_ENTRY, blocking, disk, keys_failed,
    refused, unpack,
};
use crate::chain::{self, ChainReport, Means};
use crate::error::{Error, ErrorKind};
use crate::port::{Clock, Files, Random};
use crate::vault::Vault;
use bytes::Bytes;
use secrecy::SecretString;
use starpay_keys::keystore::{Exported, Keystore, KeystoreError, MasterKey};
use starpay_store::{Db, DbConfig, StoreError, Tx, backup, version_needed};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where an archive is put back. Everything named here must be empty or absent.
pub struct RestoreTarget {
    /// The database. It is migrated when it has no schema yet.
    pub database: DbConfig,
    /// The files port.
    pub files: Arc<dyn Files>,
    /// The keystore's file.
    pub keystore: PathBuf,
    /// What the keystore is sealed under from now on.
    pub master_key: MasterKey,
    /// An empty folder for the unpacked archive; entries that are neither database, files nor
    /// keystore are the caller's to take from there.
    pub staging: PathBuf,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
}

/// What was put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreSummary {
    /// When the backup was made: RFC 3339.
    pub made_at: String,
    /// Rows of the database.
    pub rows: u64,
    /// Objects of the files port.
    pub files: u64,
    /// What the verification of the event chains saw. A finding was there when the backup was made.
    pub chain: ChainReport,
}

/// Puts an archive back into empty targets and verifies what then lies there.
///
/// # Errors
/// `backup_refused` when the archive does not open, is damaged or of another version: nothing was
/// written then. `restore_not_empty` when a target is not empty. Otherwise the store's, the files
/// port's or the keystore's own: empty the targets before trying again.
pub async fn restore(
    archive: Box<dyn Read + Send>,
    passphrase: SecretString,
    target: RestoreTarget,
) -> Result<RestoreSummary, Error> {
    let (staging, secret) = (target.staging.clone(), passphrase.clone());
    let header = blocking(move || {
        unpack(&mut BufReader::new(archive), &secret, &staging)?;
        header(&staging)
    })
    .await?;
    refuse_used(&target).await?;

    let (config, dump) = (target.database.clone(), target.staging.join(DATABASE_ENTRY));
    let (db, rows) = blocking(move || {
        let db = open_empty(&config)?;
        let rows = load(&db, dump)?;
        Ok((db, rows))
    })
    .await?;
    let files = put_files(target.files.as_ref(), &target.staging.join(FILES_FOLDER)).await?;
    let keystore = place_keystore(&target, passphrase).await?;

    let keys = keystore.platform_keys().map_err(|error| Error::internal(error.to_string()))?;
    let vault = Arc::new(Vault::new(Arc::new(keystore), Arc::clone(&target.random)));
    let (files_port, at) = (target.files.as_ref(), target.clock.now());
    let chain = chain::verify(&db, Means { files: files_port, keys: &keys, vault, at }).await?;
    blocking(move || {
        db.close();
        Ok(())
    })
    .await?;
    Ok(RestoreSummary { made_at: header.made_at, rows, files, chain })
}

fn header(staging: &Path) -> Result<Header, Error> {
    let text =
        std::fs::read(staging.join(HEADER_ENTRY)).map_err(|_| refused("it does not say what it is"))?;
    let header: Header = serde_json::from_slice(&text).map_err(|_| refused("it does not say what it is"))?;
    if header.starpay_backup != FORMAT || header.schema != version_needed() {
        let why = format!(
            "it is of schema version {}, this program needs {}: restore with the version that made it, then migrate",
            header.schema,
            version_needed()
        );
        return Err(refused(&why));
    }
    Ok(header)
}

fn not_empty(what: String) -> Error {
    Error { detail: Some(what), ..Error::new(ErrorKind::Conflict, "restore_not_empty") }
}

async fn refuse_used(target: &RestoreTarget) -> Result<(), Error> {
    if target.keystore.exists() {
        return Err(not_empty(format!("there is a keystore at {}", target.keystore.display())));
    }
    match target.files.list(String::new()).await?.first() {
        Some(file) => Err(not_empty(format!("the files port holds {}", file.key))),
        None => Ok(()),
    }
}

/// Opens the database, making its schema when there is none. One of another version is somebody's.
fn open_empty(config: &DbConfig) -> Result<Db, Error> {
    match Db::open(config) {
        Ok(db) => Ok(db),
        Err(StoreError::WrongSchema { found: 0, .. }) => {
            Db::migrate(config)?;
            Ok(Db::open(config)?)
        }
        Err(StoreError::WrongSchema { found, .. }) => {
            Err(not_empty(format!("the database has a schema of version {found}")))
        }
        Err(error) => Err(error.into()),
    }
}

fn load(db: &Db, dump: PathBuf) -> Result<u64, Error> {
    let loaded = db.write_blocking(move |tx: &mut Tx| {
        let file =
            File::open(&dump).map_err(|error| StoreError::Unavailable { detail: error.to_string() })?;
        backup::load(tx, &mut BufReader::new(file))
    });
    match loaded {
        Ok(report) => Ok(report.rows),
        Err(StoreError::Config { detail }) => Err(not_empty(detail)),
        Err(error) => Err(error.into()),
    }
}

async fn put_files(files: &dyn Files, folder: &Path) -> Result<u64, Error> {
    let mut put = 0;
    let folder = folder.to_owned();
    for (key, path) in blocking(move || below(&folder)).await? {
        let bytes = blocking(move || std::fs::read(path).map_err(disk)).await?;
        files.put(key, Bytes::from(bytes)).await?;
        put += 1;
    }
    Ok(put)
}

/// Every file below a folder by its path from there; none when the folder is not there.
fn below(folder: &Path) -> Result<Vec<(String, PathBuf)>, Error> {
    let mut found = Vec::new();
    let mut folders = vec![(String::new(), folder.to_owned())];
    while let Some((prefix, folder)) = folders.pop() {
        if !folder.is_dir() {
            continue;
        }
        for entry in std::fs::read_dir(&folder).map_err(disk)? {
            let entry = entry.map_err(disk)?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_type().map_err(disk)?.is_dir() {
                folders.push((format!("{name}/"), entry.path()));
            } else {
                found.push((name, entry.path()));
            }
        }
    }
    found.sort();
    Ok(found)
}

async fn place_keystore(target: &RestoreTarget, passphrase: SecretString) -> Result<Keystore, Error> {
    let exported = target.staging.join(KEYSTORE_ENTRY);
    let (path, master) = (target.keystore.clone(), target.master_key.clone());
    let (random, now_s) = (Arc::clone(&target.random), target.clock.now().millis().div_euclid(1000));
    blocking(move || {
        let exported = std::fs::read(exported).map_err(|_| refused("it holds no keystore"))?;
        let exported = Exported { bytes: &exported, passphrase: &passphrase };
        Keystore::import(&path, exported, &master, now_s, random).map_err(|error| match error {
            KeystoreError::Exists(path) => not_empty(format!("there is a keystore at {}", path.display())),
            other => keys_failed(&other),
        })
    })
    .await
}
