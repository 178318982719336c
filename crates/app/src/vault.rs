//! Sealing: personal data leaves this crate only as ciphertext.
//!
//! Each merchant has a data key of its own (AES-256-GCM), wrapped by the keystore's
//! key-encryption key; destroying it erases the merchant's data while hash chains over the sealed
//! bytes stay whole. The platform's own records use the data key of the nil merchant.
//! Equality search runs over keyed blind indexes; one-time codes and tokens are kept as HMACs.

use crate::error::Error;
use crate::token::{TokenFault, TokenWatch};
use starpay_domain::instant::Timestamp;
use starpay_keys::Random;
use starpay_keys::hsm::{Hsm, HsmError};
use starpay_keys::keystore::Keystore;
use starpay_keys::seal::{self, DataKey};
use starpay_store::data_key::{self, DataKeyRow};
use starpay_store::{StoreError, Tx};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;
use zeroize::Zeroizing;

/// Unwrapped data keys kept in memory; beyond this many the cache starts afresh.
const CACHED_KEYS_MAX: usize = 4096;

/// What a blind index or a code hash is about: the two sides must use the same word.
pub(crate) mod domain_of {
    /// Mobile numbers.
    pub(crate) const MOBILE: &str = "mobile";
    /// Licence numbers or, for 小微, ID numbers.
    pub(crate) const SUBJECT: &str = "subject";
    /// Settlement accounts.
    pub(crate) const ACCOUNT: &str = "account";
    /// Bearer tokens.
    pub(crate) const TOKEN: &str = "token";
    /// Sessions whose sign-in may be repeated.
    pub(crate) const SESSION: &str = "session";
    /// One-time codes.
    pub(crate) const ONE_TIME_CODE: &str = "one-time-code";
    /// Activation codes.
    pub(crate) const ACTIVATION_CODE: &str = "activation-code";
    /// Request bodies under an idempotency key.
    pub(crate) const REQUEST: &str = "request";
    /// Whom a rate limit is about.
    pub(crate) const ATTEMPT: &str = "attempt";
    /// Contents of uploaded files.
    pub(crate) const DOCUMENT: &str = "document";
}

/// A data key and its id.
pub(crate) struct SealingKey {
    id: [u8; 16],
    key: Arc<DataKey>,
}

impl SealingKey {
    /// Seals bytes, bound to their place.
    pub(crate) fn seal(&self, context: &str, plain: &[u8], random: &dyn Random) -> Vec<u8> {
        seal::seal(&self.key, self.id, context.as_bytes(), plain, random)
    }
}

/// What became of a sealed value, for whoever verifies it.
pub(crate) enum Examined {
    /// It opens.
    Whole(Zeroizing<Vec<u8>>),
    /// Its data key was destroyed: the merchant was erased.
    Erased,
    /// It does not open: it, its data key or its place was changed.
    Damaged,
}

/// Data keys read in one snapshot: there a row says the same however often it is read.
pub(crate) type SeenKeys = HashMap<(Uuid, i64), Arc<DataKey>>;

/// Sealing under the keystore.
pub(crate) struct Vault {
    keystore: Arc<Keystore>,
    random: Arc<dyn Random>,
    by_place: Mutex<HashMap<(Uuid, i64), Arc<DataKey>>>,
    token: TokenWatch,
}

impl Vault {
    pub(crate) fn new(keystore: Arc<Keystore>, random: Arc<dyn Random>) -> Self {
        Self { keystore, random, by_place: Mutex::new(HashMap::new()), token: TokenWatch::default() }
    }

    /// The keystore behind it.
    pub(crate) fn keystore(&self) -> &Keystore {
        &self.keystore
    }

    /// Whether the hardware module behind the keystore works; `None` without one.
    pub(crate) async fn token_standing(&self) -> Option<Result<(), TokenFault>> {
        self.token.standing(&self.keystore).await
    }

    /// Keyed index for equality search.
    pub(crate) fn index(&self, domain: &str, normalised: &str) -> Vec<u8> {
        self.keystore.blind_index().index(domain, normalised).to_vec()
    }

    /// Keyed hash of a code, a token or a request.
    pub(crate) fn code_hash(&self, domain: &str, text: &str) -> Vec<u8> {
        self.keystore.pepper().code_hash(domain, text).to_vec()
    }

    /// Whom a network address stands for in a rate limit: one address of IPv4, a /64 of IPv6.
    pub(crate) fn address(&self, address: IpAddr) -> Vec<u8> {
        self.code_hash(domain_of::ATTEMPT, &format!("address|{}", network_of(address)))
    }

    /// Whether a code is the one whose hash was kept; in constant time.
    pub(crate) fn code_matches(&self, domain: &str, text: &str, stored: &[u8]) -> bool {
        self.keystore.pepper().matches(domain, text, stored)
    }

    /// Seals under the merchant's current data key, making one when there is none yet.
    pub(crate) fn seal(
        &self,
        tx: &mut Tx,
        merchant: Uuid,
        at: Timestamp,
        context: &str,
        plain: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let (version, key) = match data_key::find_current(tx, merchant)? {
            Some(row) => (row.version, self.unwrap(&row)?),
            None => (1, self.make(tx, merchant, 1, at)?),
        };
        Ok(SealingKey { id: key_id(merchant, version), key }.seal(context, plain, self.random.as_ref()))
    }

    /// The merchant's current data key, to seal something large outside any transaction.
    pub(crate) fn sealing_key(&self, tx: &mut Tx, merchant: Uuid) -> Result<SealingKey, Error> {
        let row = data_key::find_current(tx, merchant)?.ok_or(StoreError::NotFound { what: "data key" })?;
        Ok(SealingKey { id: key_id(merchant, row.version), key: self.unwrap(&row)? })
    }

    /// Opens what was sealed under any data key of this merchant that still exists. A reader of one
    /// snapshot says which keys it has `seen` there.
    pub(crate) fn open(
        &self,
        tx: &mut Tx,
        seen: Option<&mut SeenKeys>,
        merchant: Uuid,
        context: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let id = seal::key_id(sealed).ok_or_else(|| Error::internal("a sealed value names no key"))?;
        let version = version_of(id);
        if key_id(merchant, version) != id {
            return Err(Error::internal("a sealed value belongs to another merchant"));
        }
        let place = (merchant, version);
        let key = match seen.as_ref().and_then(|seen| seen.get(&place)) {
            Some(key) => Arc::clone(key),
            None => {
                // The row is read even when the key is at hand: an erased merchant stays erased on
                // every node, from the moment the row says so.
                let row = data_key::find(tx, merchant, version)?;
                self.unwrap(&row.ok_or(StoreError::NotFound { what: "data key" })?)?
            }
        };
        if let Some(seen) = seen {
            seen.insert(place, Arc::clone(&key));
        }
        seal::open(&key, context.as_bytes(), sealed)
            .map_err(|error| Error::internal(format!("a sealed value does not open: {error}")))
    }

    /// Opens what [`Vault::open`] opens, and tells what was changed from what was erased.
    ///
    /// # Errors
    /// The store's own, or when the keys cannot be had now: neither says anything of the value.
    pub(crate) fn examine(
        &self,
        tx: &mut Tx,
        seen: &mut SeenKeys,
        merchant: Uuid,
        context: &str,
        sealed: &[u8],
    ) -> Result<Examined, Error> {
        let id = seal::key_id(sealed).filter(|id| key_id(merchant, version_of(*id)) == *id);
        let Some(version) = id.map(version_of) else { return Ok(Examined::Damaged) };
        let place = (merchant, version);
        let key = match seen.get(&place) {
            Some(key) => Arc::clone(key),
            None => {
                let Some(row) = data_key::find(tx, merchant, version)? else { return Ok(Examined::Damaged) };
                let Some(wrapped) = &row.wrapped else { return Ok(Examined::Erased) };
                match self.unwrap_row(&row, wrapped) {
                    Ok(key) => key,
                    Err(HsmError::Refused | HsmError::UnknownKey(_)) => return Ok(Examined::Damaged),
                    Err(error) => return Err(Error::internal(error.to_string())),
                }
            }
        };
        if seen.len() >= CACHED_KEYS_MAX {
            seen.clear();
        }
        seen.insert(place, Arc::clone(&key));
        Ok(seal::open(&key, context.as_bytes(), sealed).map_or(Examined::Damaged, Examined::Whole))
    }

    /// Wraps a data key under the present key-encryption key: the bytes and that key's name;
    /// `None` when it is already, or destroyed.
    pub(crate) fn rewrap(&self, row: &DataKeyRow) -> Result<Option<(Vec<u8>, String)>, Error> {
        let Some(wrapped) = &row.wrapped else { return Ok(None) };
        let hsm: &dyn Hsm = self.keystore.as_ref();
        let fresh = hsm
            .rewrap(wrapped, &context_of(row.merchant_id, row.version))
            .map_err(|error| Error::internal(error.to_string()))?;
        let Some(fresh) = fresh else { return Ok(None) };
        let under = seal::key_id(&fresh).ok_or_else(|| Error::internal("a wrapped key names no key"))?;
        Ok(Some((fresh, hex::encode(under))))
    }

    /// Forgets a merchant's unwrapped keys.
    pub(crate) fn forget(&self, merchant: Uuid) {
        self.cache().retain(|(owner, _), _| *owner != merchant);
    }

    /// Makes that version of a merchant's data key: what is sealed from then on lies under it.
    pub(crate) fn make(
        &self,
        tx: &mut Tx,
        merchant: Uuid,
        version: i64,
        at: Timestamp,
    ) -> Result<Arc<DataKey>, Error> {
        let key = DataKey::generate(self.random.as_ref());
        let wrapped = key
            .wrap(self.keystore.as_ref() as &dyn Hsm, &context_of(merchant, version))
            .map_err(|error| Error::internal(error.to_string()))?;
        let under = seal::key_id(&wrapped).ok_or_else(|| Error::internal("a wrapped key names no key"))?;
        // Not cached: the transaction may still roll back. The next use reads it.
        data_key::insert(tx, merchant, version, &wrapped, &hex::encode(under), at)?;
        Ok(Arc::new(key))
    }

    fn unwrap(&self, row: &DataKeyRow) -> Result<Arc<DataKey>, Error> {
        let Some(wrapped) = &row.wrapped else {
            return Err(Error::from(StoreError::NotFound { what: "data key (erased)" }));
        };
        self.unwrap_row(row, wrapped).map_err(|error| Error::internal(error.to_string()))
    }

    fn unwrap_row(&self, row: &DataKeyRow, wrapped: &[u8]) -> Result<Arc<DataKey>, HsmError> {
        let place = (row.merchant_id, row.version);
        if let Some(key) = self.cache().get(&place) {
            return Ok(Arc::clone(key));
        }
        let context = context_of(row.merchant_id, row.version);
        let unwrap = || DataKey::unwrap(self.keystore.as_ref() as &dyn Hsm, wrapped, &context);
        let key = match unwrap() {
            // Another node has rotated the keys since this one read them. That nothing changed may
            // only mean that somebody here has just read them anew.
            Err(HsmError::UnknownKey(_)) if self.keystore.refresh().is_ok() => unwrap(),
            unwrapped => unwrapped,
        };
        let key = Arc::new(key?);
        let mut cache = self.cache();
        if cache.len() >= CACHED_KEYS_MAX {
            cache.clear();
        }
        cache.insert(place, Arc::clone(&key));
        Ok(key)
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, HashMap<(Uuid, i64), Arc<DataKey>>> {
        self.by_place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsRef<Self> for Vault {
    fn as_ref(&self) -> &Self {
        self
    }
}

/// The key id inside a sealed value: twelve bytes of the merchant, four of the version.
fn key_id(merchant: Uuid, version: i64) -> [u8; 16] {
    let mut id = *merchant.as_bytes();
    let version = u32::try_from(version).unwrap_or(u32::MAX).to_be_bytes();
    // The last bytes of a UUID are random, the first a time: the random ones tell merchants apart.
    id.copy_within(4..16, 0);
    for (to, from) in id.iter_mut().skip(12).zip(version) {
        *to = from;
    }
    id
}

fn version_of(id: [u8; 16]) -> i64 {
    id.iter().skip(12).fold(0, |version, byte| version << 8 | i64::from(*byte))
}

fn context_of(merchant: Uuid, version: i64) -> Vec<u8> {
    format!("data-key|{}|{version}", merchant.simple()).into_bytes()
}

/// What of an address one subscriber holds: the whole of an IPv4 address, a /64 of IPv6.
fn network_of(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_subscriber_is_one_network() {
        let network = |text: &str| network_of(text.parse().unwrap());
        assert_eq!(network("2001:db8:1:2:aaaa::1"), network("2001:db8:1:2:bbbb::2"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.7"), "192.0.2.7");
    }
}
