//! What opens the keystore (密钥库): a master key, a passphrase, or the token of a hardware module.

use crate::Failure;
use crate::config::{Config, HsmKind};
use crate::wiring::secret_in;
use secrecy::{ExposeSecret, SecretString};
use starpay_app::port::{Clock, Random};
use starpay_keys::hsm::{Hsm, HsmError};
use starpay_keys::keystore::{Keystore, KeystoreError, MasterKey};
use starpay_keys::pkcs11::{Pkcs11Hsm, Token};
use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

/// What the configuration says about keys, opened.
pub(crate) struct Custody {
    /// Opens the keystore.
    pub(crate) master: MasterKey,
    /// The token, where root and signing keys are in one.
    token: Option<Arc<Pkcs11Hsm>>,
}

impl Custody {
    /// Reads the secret named, or opens the token named. Makes nothing.
    ///
    /// # Errors
    /// When a file cannot be read, or the token cannot be used, with the remedy.
    pub(crate) fn of(config: &Config) -> Result<Self, Failure> {
        match config.hsm.kind {
            HsmKind::Software => Ok(Self { master: master_key(config)?, token: None }),
            HsmKind::Pkcs11 => {
                let token = Arc::new(open_token(config)?);
                let module: Arc<Pkcs11Hsm> = Arc::clone(&token);
                Ok(Self { master: MasterKey::module(module), token: Some(token) })
            }
        }
    }

    /// In words, what the token holds; `None` without one.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) fn describe_token(&self) -> Result<Option<String>, Failure> {
        let Some(token) = &self.token else { return Ok(None) };
        let mut versions: BTreeMap<&str, u32> = BTreeMap::new();
        for key in token.keys().map_err(|error| unusable(&error))? {
            let latest = versions.entry(key.purpose.word()).or_default();
            *latest = key.version.max(*latest);
        }
        let keys: Vec<String> =
            versions.iter().map(|(purpose, version)| format!("{purpose} v{version}")).collect();
        let keys =
            if keys.is_empty() { "no keys; first start makes them".to_owned() } else { keys.join(", ") };
        Ok(Some(format!("token {:?}: {keys}", token.token().label)))
    }
}

fn master_key(config: &Config) -> Result<MasterKey, Failure> {
    let keystore = &config.keystore;
    if let Some(secret) = &keystore.passphrase {
        return Ok(MasterKey::passphrase(secret.0.clone()));
    }
    if let Some(file) = &keystore.passphrase_file {
        let text = secret_in(file, "keystore.passphrase_file")?;
        return Ok(MasterKey::passphrase(SecretString::from(text.as_str())));
    }
    if let Some(secret) = &keystore.master_key {
        return MasterKey::given_hex(secret.0.expose_secret()).map_err(|error| {
            Failure::usage(format!("STARPAY_MASTER_KEY: {error}")).remedy("set it to 64 hex digits")
        });
    }
    Ok(MasterKey::file(config.master_key_file()))
}

fn open_token(config: &Config) -> Result<Pkcs11Hsm, Failure> {
    let hsm = &config.hsm;
    let absent = |key: &str| Failure::usage(format!("{key}: absent"));
    let module = hsm.module.clone().ok_or_else(|| absent("hsm.module"))?;
    let label = hsm.token.clone().ok_or_else(|| absent("hsm.token"))?;
    let pin = match (&hsm.pin, &hsm.pin_file) {
        (Some(secret), _) => secret.0.clone(),
        (None, Some(file)) => SecretString::from(secret_in(file, "hsm.pin_file")?.as_str()),
        (None, None) => return Err(absent("hsm.pin_file")),
    };
    Pkcs11Hsm::open(Token { module, label }, pin).map_err(|error| unusable(&error))
}

/// Why the token cannot be used, and what to do.
fn unusable(error: &HsmError) -> Failure {
    let remedy = match error {
        HsmError::ModuleNotLoaded { .. } => {
            "hsm.module: name the vendor's PKCS#11 library, readable by the server's user"
        }
        HsmError::TokenNotFound(_) => {
            "hsm.token: name the token's label as the vendor's tool shows it, and start again once it is present"
        }
        HsmError::TokenAmbiguous(_) => "give each token a label of its own",
        HsmError::PinRefused => "compare hsm.pin_file before the next try: a token locks itself after a few",
        HsmError::PinLocked => "the token's security officer sets a new PIN with the vendor's tool",
        HsmError::UnknownKey(_) | HsmError::NoKey(_) => {
            "this is another token than the one the data was sealed with: name that one, or restore it from its own backup"
        }
        HsmError::Unfit(_) => "use a token with CKM_AES_GCM and CKM_ECDSA whose keys cannot be extracted",
        HsmError::Unavailable(_) | HsmError::Refused => "see the module's own log, then start again",
    };
    Failure::failed(format!("hsm: {error}")).remedy(remedy)
}

/// Why the keystore cannot be used, and what to do.
pub(crate) fn explain(config: &Config, error: &KeystoreError) -> Failure {
    if let KeystoreError::Hsm(error) = error {
        return unusable(error);
    }
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    let failure = Failure::failed(format!("keystore {}: {error}{cause}", config.keystore_file().display()));
    match error {
        KeystoreError::OtherMasterKind(_) | KeystoreError::ModuleNeeded => failure.remedy(
            "keys move into a token or out of a file by backup and restore; otherwise set [hsm] and [keystore] back",
        ),
        _ => match config.hsm.kind {
            HsmKind::Software => failure.remedy(format!(
                "its master key is {}; a backup holds both",
                config.master_key_file().display()
            )),
            HsmKind::Pkcs11 => failure.remedy("a backup holds it; the token's keys are in the token's own backup"),
        },
    }
}

/// Opens the keystore; makes it only where no deployment was ever started.
///
/// # Errors
/// When it or what opens it is missing or wrong, with the remedy.
pub(crate) fn open_keystore(
    config: &Config,
    founded: bool,
    clock: &dyn Clock,
    random: &Arc<dyn Random>,
) -> Result<Keystore, Failure> {
    let file = config.keystore_file();
    if founded && !Keystore::exists(&file) {
        return Err(Failure::failed(format!(
            "keystore {} is missing, and the database needs it",
            file.display()
        ))
        .remedy("restore it from a backup: starpay restore; a new one would not open what is stored"));
    }
    make_folders(config)?;
    let custody = Custody::of(config)?;
    let now_s = clock.now().millis().div_euclid(1000);
    let explain = |error: KeystoreError| explain(config, &error);
    let keystore =
        Keystore::open_or_create(&file, &custody.master, now_s, Arc::clone(random)).map_err(explain)?;
    let fit = keystore.certificates_fit().map_err(|error| unusable(&error))?;
    if !fit || keystore.check_certificate(now_s).is_err() {
        keystore.renew_certificate(now_s).map_err(explain)?;
    }
    Ok(keystore)
}

/// Makes the folders of keystore and master key.
///
/// # Errors
/// When one cannot be made.
pub(crate) fn make_folders(config: &Config) -> Result<(), Failure> {
    for file in [config.keystore_file(), config.master_key_file()] {
        let folder = file.parent().unwrap_or(Path::new(""));
        std::fs::create_dir_all(folder)
            .map_err(|error| Failure::failed(format!("{}: {error}", folder.display())))?;
    }
    Ok(())
}
