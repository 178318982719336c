//! PKCS#11 libraries, loaded and initialised once for the whole process.
//!
//! A library is never unloaded and never finalised: its login and sessions belong to the process,
//! and another [`Pkcs11Hsm`](super::Pkcs11Hsm) may still use them.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};

use crate::hsm::HsmError;

static LOADED: Mutex<Vec<(PathBuf, Pkcs11)>> = Mutex::new(Vec::new());

/// The library at a path. A path without a folder is looked for where the system looks.
pub(super) fn load(path: &Path) -> Result<Pkcs11, HsmError> {
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, library)) = loaded.iter().find(|(known, _)| known == path) {
        return Ok(library.clone());
    }
    let explain = |reason: String| HsmError::ModuleNotLoaded { path: path.to_owned(), reason };
    let library = Pkcs11::new(path).map_err(|error| explain(error.to_string()))?;
    initialise(&library).map_err(|error| explain(error.to_string()))?;
    loaded.push((path.to_owned(), library.clone()));
    Ok(library)
}

/// Makes sure that it is initialised: somebody else in this process may have done that, or undone.
pub(super) fn initialise(library: &Pkcs11) -> Result<(), Error> {
    match library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(()),
        Err(error) => Err(error),
    }
}
