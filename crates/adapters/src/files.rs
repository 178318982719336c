//! 文件: write-once objects through `object_store`; a local folder by default.
//!
//! What arrives is sealed already. A write is on the disk before it is answered.

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::{Error as StoreError, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions};
use starpay_app::port::{AdapterName, Answer, FileMeta, Files, PortError, Simulated};
use std::path::Path;
use std::sync::Arc;

/// Objects in one store.
#[derive(Debug, Clone)]
pub struct ObjectFiles {
    store: Arc<dyn ObjectStore>,
    name: AdapterName,
}

impl ObjectFiles {
    /// Objects as files below `folder`, which is made when it is not there. Every write is
    /// synchronised with the disk, the folder entry included.
    ///
    /// # Errors
    /// When the folder cannot be made or read.
    pub fn in_folder(folder: &Path) -> Result<Self, PortError> {
        let name = AdapterName { name: "files-folder", simulated: Simulated::Live };
        let unavailable = |why: String| PortError::Unavailable { adapter: name.name, why };
        std::fs::create_dir_all(folder).map_err(|cause| unavailable(cause.to_string()))?;
        let store =
            LocalFileSystem::new_with_prefix(folder).map_err(|cause| unavailable(cause.to_string()))?;
        Ok(Self { store: Arc::new(store.with_fsync(true)), name })
    }

    fn path(&self, key: &str) -> Result<ObjectPath, PortError> {
        ObjectPath::parse(key).ok().filter(|path| path.as_ref() == key && !key.is_empty()).ok_or_else(|| {
            PortError::Refused {
                adapter: self.name.name,
                why: "the key is not a path of plain segments".to_owned(),
            }
        })
    }

    fn failure(&self, error: &StoreError) -> PortError {
        let (adapter, why) = (self.name.name, error.to_string());
        match error {
            StoreError::AlreadyExists { .. }
            | StoreError::InvalidPath { .. }
            | StoreError::NotFound { .. } => PortError::Refused { adapter, why },
            _ => PortError::Unavailable { adapter, why },
        }
    }
}

impl Files for ObjectFiles {
    fn adapter(&self) -> AdapterName {
        self.name
    }

    fn put(&self, key: String, bytes: Bytes) -> Answer<'_, ()> {
        Box::pin(async move {
            let path = self.path(&key)?;
            let once = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
            self.store.put_opts(&path, bytes.into(), once).await.map_err(|error| self.failure(&error))?;
            Ok(())
        })
    }

    fn get(&self, key: String) -> Answer<'_, Option<Bytes>> {
        Box::pin(async move {
            let found = match self.store.get(&self.path(&key)?).await {
                Ok(found) => found,
                Err(StoreError::NotFound { .. }) => return Ok(None),
                Err(error) => return Err(self.failure(&error)),
            };
            found.bytes().await.map(Some).map_err(|error| self.failure(&error))
        })
    }

    fn list(&self, prefix: String) -> Answer<'_, Vec<FileMeta>> {
        Box::pin(async move {
            // The store lists whole segments; what is left of the prefix is compared here.
            let folder = prefix.rsplit_once('/').map(|(folder, _)| self.path(folder)).transpose()?;
            let mut found: Vec<FileMeta> = self
                .store
                .list(folder.as_ref())
                .map_ok(|object| FileMeta { key: object.location.to_string(), size: object.size })
                .try_collect()
                .await
                .map_err(|error| self.failure(&error))?;
            found.retain(|file| file.key.starts_with(&prefix));
            found.sort_by(|one, other| one.key.cmp(&other.key));
            Ok(found)
        })
    }

    fn remove(&self, key: String) -> Answer<'_, ()> {
        Box::pin(async move {
            match self.store.delete(&self.path(&key)?).await {
                Ok(()) | Err(StoreError::NotFound { .. }) => Ok(()),
                Err(error) => Err(self.failure(&error)),
            }
        })
    }
}
