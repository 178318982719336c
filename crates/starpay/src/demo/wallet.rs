//! The owner's phone: keeps the session, so that a restarted journey signs in once.
//!
//! It lies in `parties/`, with the people and not with the platform, readable by its user alone.

use crate::Failure;
use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Where the session is kept.
pub(crate) struct Wallet {
    file: PathBuf,
}

impl Wallet {
    pub(crate) fn in_folder(folder: &Path) -> Result<Self, Failure> {
        std::fs::create_dir_all(folder)?;
        Ok(Self { file: folder.join("applicant.json") })
    }

    /// Token and merchant, when the phone is signed in.
    pub(crate) fn read(&self) -> Option<(String, String)> {
        let kept: Value = serde_json::from_slice(&std::fs::read(&self.file).ok()?).ok()?;
        let text = |field: &str| kept.get(field).and_then(Value::as_str).map(str::to_owned);
        Some((text("token")?, text("merchant_id")?))
    }

    /// Keeps a session; a half-written one never replaces a whole one.
    pub(crate) fn keep(&self, token: &str, merchant: &str) -> Result<(), Failure> {
        let fresh = self.file.with_extension("new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all(json!({"token": token, "merchant_id": merchant}).to_string().as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&fresh, &self.file)?;
        Ok(())
    }
}
