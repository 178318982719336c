//! 文件: write-once objects, already sealed when they arrive here.

use super::{AdapterName, Answer};
use bytes::Bytes;

/// An object in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileMeta {
    /// Its key: ASCII, for example `documents/0190….sealed`.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
}

/// 对象存储.
pub trait Files: Send + Sync {
    /// Who keeps.
    fn adapter(&self) -> AdapterName;
    /// Writes an object durably. An existing key is an error: objects never change.
    fn put(&self, key: String, bytes: Bytes) -> Answer<'_, ()>;
    /// Reads an object; `None` when there is none.
    fn get(&self, key: String) -> Answer<'_, Option<Bytes>>;
    /// The objects whose key starts with `prefix`, in key order.
    fn list(&self, prefix: String) -> Answer<'_, Vec<FileMeta>>;
    /// Removes an object; removing what is not there is fine.
    fn remove(&self, key: String) -> Answer<'_, ()>;
}
