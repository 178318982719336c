//! 加密机: whether the token behind the keystore works, as `/readyz` asks.
//!
//! PKCS#11 knows no time limits: a module that hangs keeps its caller. So the token is asked on a
//! thread of its own, one question at a time, and whoever wants to know waits for at most
//! [`PATIENCE`]. What was heard is good for [`FRESH`], however often probes come.

use starpay_keys::hsm::HsmError;
use starpay_keys::keystore::Keystore;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, oneshot};
use tokio::time::Instant;

/// How long the token may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long an answer counts.
const FRESH: Duration = Duration::from_secs(5);

/// What is wrong with the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenFault {
    /// A name for it that may be told to anybody: [`HsmError::word`], or `no_answer`.
    pub reason: &'static str,
    /// In words, for our own log.
    pub detail: String,
}

impl TokenFault {
    fn no_answer() -> Self {
        let detail = format!("the module has not answered for {} s", PATIENCE.as_secs());
        Self { reason: "no_answer", detail }
    }
}

impl From<HsmError> for TokenFault {
    fn from(error: HsmError) -> Self {
        Self { reason: error.word(), detail: error.to_string() }
    }
}

/// The last that was heard of a token.
#[derive(Default)]
pub(crate) struct TokenWatch {
    line: Mutex<Line>,
}

#[derive(Default)]
struct Line {
    heard: Option<(Instant, Result<(), TokenFault>)>,
    /// A question that has not been answered.
    asked: Option<oneshot::Receiver<Result<(), HsmError>>>,
}

impl TokenWatch {
    /// Whether the keystore's token works; `None` when it has none.
    pub(crate) async fn standing(&self, keystore: &Arc<Keystore>) -> Option<Result<(), TokenFault>> {
        if !keystore.has_module() {
            return None;
        }
        let mut line = self.line.lock().await;
        if let Some((at, heard)) = &line.heard
            && at.elapsed() < FRESH
        {
            return Some(heard.clone());
        }
        let mut answer = match line.asked.take() {
            Some(asked) => asked,
            None => ask(Arc::clone(keystore)),
        };
        let said = match tokio::time::timeout(PATIENCE, &mut answer).await {
            Ok(Ok(said)) => said.map_err(TokenFault::from),
            Ok(Err(_)) => Err(HsmError::Unavailable("the question broke off".to_owned()).into()),
            Err(_) => {
                // It is not asked a second time while it still owes this answer.
                line.asked = Some(answer);
                Err(TokenFault::no_answer())
            }
        };
        tell(line.heard.as_ref().map(|(_, heard)| heard), &said);
        line.heard = Some((Instant::now(), said.clone()));
        Some(said)
    }
}

/// Asks on a thread that nobody waits for at the end of the process.
fn ask(keystore: Arc<Keystore>) -> oneshot::Receiver<Result<(), HsmError>> {
    let (says, answer) = oneshot::channel();
    let thread = std::thread::Builder::new().name("token".to_owned());
    let begun = thread.spawn(move || {
        // Whoever asked may have gone.
        let _ = says.send(keystore.try_keys());
    });
    if let Err(error) = begun {
        tracing::error!(%error, "no thread to ask the token on");
    }
    answer
}

/// Logs what changed.
fn tell(before: Option<&Result<(), TokenFault>>, now: &Result<(), TokenFault>) {
    match (before, now) {
        (Some(Err(_)), Ok(())) => tracing::info!("the token works again"),
        (None | Some(Ok(())), Err(fault)) => {
            tracing::error!(fault.reason, fault.detail, "the token does not work");
        }
        (Some(Err(known)), Err(fault)) if known != fault => {
            tracing::error!(fault.reason, fault.detail, "the token does not work");
        }
        (None | Some(Ok(())), Ok(())) | (Some(Err(_)), Err(_)) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use starpay_keys::OsRandom;
    use starpay_keys::hsm::{Hsm, KeyDescription, KeyRotation, SignerName};
    use starpay_keys::keystore::MasterKey;
    use starpay_keys::seal::KeyId;
    use starpay_keys::signature::{PublicKey, Signature};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Mutex as StdMutex, MutexGuard};
    use zeroize::Zeroizing;

    const NOW_S: i64 = 1_795_000_000;

    /// A token that counts how often it is asked, fails on demand, and hangs while it is held.
    struct Double {
        inner: Keystore,
        asked: AtomicUsize,
        fault: StdMutex<Option<HsmError>>,
        held: StdMutex<()>,
    }

    impl Hsm for Double {
        fn keys(&self) -> Result<Vec<KeyDescription>, HsmError> {
            self.inner.keys()
        }

        fn wrapping_key_id(&self) -> Result<KeyId, HsmError> {
            self.inner.wrapping_key_id()
        }

        fn wrap(&self, clear: &[u8], context: &[u8]) -> Result<Vec<u8>, HsmError> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            drop(self.held.lock().unwrap());
            match self.fault.lock().unwrap().clone() {
                Some(fault) => Err(fault),
                None => self.inner.wrap(clear, context),
            }
        }

        fn unwrap(&self, wrapped: &[u8], context: &[u8]) -> Result<Zeroizing<Vec<u8>>, HsmError> {
            self.inner.unwrap(wrapped, context)
        }

        fn sign(&self, signer: SignerName, message: &[u8]) -> Result<Signature, HsmError> {
            self.inner.sign(signer, message)
        }

        fn public_key(&self, signer: SignerName) -> Result<PublicKey, HsmError> {
            self.inner.public_key(signer)
        }

        fn random(&self, bytes: &mut [u8]) -> Result<(), HsmError> {
            self.inner.random(bytes)
        }
    }

    impl KeyRotation for Double {
        fn make_missing_keys(&self, now_s: i64) -> Result<Vec<KeyDescription>, HsmError> {
            self.inner.make_missing_keys(now_s)
        }

        fn rotate_root(&self, now_s: i64) -> Result<KeyId, HsmError> {
            self.inner.rotate_root(now_s)
        }

        fn rotate_signer(&self, signer: SignerName, now_s: i64) -> Result<KeyId, HsmError> {
            KeyRotation::rotate_signer(&self.inner, signer, now_s)
        }
    }

    impl Double {
        fn hold(&self) -> MutexGuard<'_, ()> {
            self.held.lock().unwrap()
        }

        fn fails_with(&self, fault: Option<HsmError>) {
            *self.fault.lock().unwrap() = fault;
        }
    }

    fn keystores(folder: &std::path::Path) -> (Arc<Double>, Arc<Keystore>) {
        let make = |name: &str, master: &MasterKey| {
            Keystore::create(&folder.join(name), master, NOW_S, Arc::new(OsRandom)).unwrap()
        };
        let double = Arc::new(Double {
            inner: make("token", &MasterKey::given([7; 32])),
            asked: AtomicUsize::new(0),
            fault: StdMutex::new(None),
            held: StdMutex::new(()),
        });
        let module: Arc<Double> = Arc::clone(&double);
        let keystore = Arc::new(make("keystore", &MasterKey::module(module)));
        double.asked.store(0, Ordering::SeqCst);
        (double, keystore)
    }

    /// So much later. The clock goes on by itself meanwhile: it waits for a thread.
    async fn later(wait: Duration) {
        tokio::time::pause();
        tokio::time::advance(wait).await;
        tokio::time::resume();
    }

    #[tokio::test]
    async fn a_token_is_asked_once_in_a_while_and_its_fault_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (token, keystore) = keystores(folder.path());
        let watch = TokenWatch::default();
        for _ in 0..100 {
            assert_eq!(watch.standing(&keystore).await, Some(Ok(())));
        }
        assert_eq!(token.asked.load(Ordering::SeqCst), 1);
        token.fails_with(Some(HsmError::TokenNotFound("starpay".to_owned())));
        later(FRESH).await;
        for _ in 0..100 {
            let fault = watch.standing(&keystore).await.unwrap().unwrap_err();
            assert_eq!(fault.reason, "token_not_found");
            assert!(fault.detail.contains("starpay"), "{}", fault.detail);
        }
        assert_eq!(token.asked.load(Ordering::SeqCst), 2);
        token.fails_with(None);
        later(FRESH).await;
        assert_eq!(watch.standing(&keystore).await, Some(Ok(())));
    }

    #[tokio::test]
    #[expect(
        clippy::await_holding_lock,
        reason = "the lock is what the token hangs on, on a thread of its own"
    )]
    async fn a_token_that_hangs_is_not_ready_and_is_asked_no_second_time() {
        let folder = tempfile::tempdir().unwrap();
        let (token, keystore) = keystores(folder.path());
        let watch = TokenWatch::default();
        let held = token.hold();
        tokio::time::pause();
        for _ in 0..3 {
            let fault = watch.standing(&keystore).await.unwrap().unwrap_err();
            assert_eq!(fault, TokenFault::no_answer());
            tokio::time::advance(FRESH).await;
        }
        tokio::time::resume();
        drop(held);
        assert_eq!(watch.standing(&keystore).await, Some(Ok(())), "the answer that was owed");
        assert_eq!(token.asked.load(Ordering::SeqCst), 1, "a question for each probe");
    }

    #[tokio::test]
    async fn a_keystore_without_token_has_nothing_to_ask() {
        let folder = tempfile::tempdir().unwrap();
        let (token, _) = keystores(folder.path());
        let Ok(Double { inner, .. }) = Arc::try_unwrap(token) else { panic!("somebody else holds it") };
        assert_eq!(TokenWatch::default().standing(&Arc::new(inner)).await, None);
    }
}
