//! The platform: everything a use case may use, and the one way a use case writes.

use crate::actor::Actor;
use crate::answer::Kept;
use crate::error::{Error, ErrorKind};
use crate::port::{
    AgreementSigner, Carrier, ClearingRegistry, Clock, Files, IdentityVerifier, LicenceRegistry, Mailer,
    Random, SmsSender, WatchLists,
};
use crate::step::{Moment, PLATFORM, Step};
use crate::vault::{Vault, domain_of};
use serde::{Serialize, de::DeserializeOwned};
use starpay_domain::instant::Timestamp;
use starpay_domain::policy::Policy;
use starpay_domain::term::Terms;
use starpay_keys::keystore::Keystore;
use starpay_store::idempotency::{self, Begun, RequestKey};
use starpay_store::{Db, StoreError, Tx};
use starpay_text::Language;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::{Notify, Semaphore, watch};

/// The outside world.
pub struct Ports {
    /// 身份核验.
    pub identity: Arc<dyn IdentityVerifier>,
    /// 执照核验.
    pub licences: Arc<dyn LicenceRegistry>,
    /// 名单筛查.
    pub lists: Arc<dyn WatchLists>,
    /// 清算机构.
    pub clearing: Arc<dyn ClearingRegistry>,
    /// 承运商.
    pub carrier: Arc<dyn Carrier>,
    /// 短信.
    pub sms: Arc<dyn SmsSender>,
    /// 邮件.
    pub mail: Arc<dyn Mailer>,
    /// 电子签.
    pub signer: Arc<dyn AgreementSigner>,
    /// 文件.
    pub files: Arc<dyn Files>,
    /// 时钟.
    pub clock: Arc<dyn Clock>,
    /// 随机数.
    pub random: Arc<dyn Random>,
}

/// Whether this deployment moves real things. Fixed at first start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// 沙箱.
    Sandbox,
    /// 生产.
    Live,
}

impl Mode {
    /// `sandbox` or `live`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Live => "live",
        }
    }

    /// What every token of this deployment begins with.
    #[must_use]
    pub const fn token_prefix(self) -> &'static str {
        match self {
            Self::Sandbox => "sp_test_",
            Self::Live => "sp_live_",
        }
    }
}

/// Who runs this deployment (C11: without it the public door stays closed in live mode).
#[derive(Debug, Clone)]
pub struct Deployment {
    /// Sandbox or live.
    pub mode: Mode,
    /// 收单机构全称.
    pub acquirer_name: Option<String>,
    /// 支付业务许可证号.
    pub licence_no: Option<String>,
    /// 收单机构代码, for the five elements.
    pub acquirer_code: String,
    /// 展业省份 (first two digits of the region code); empty = all, sandbox only.
    pub licensed_provinces: Vec<String>,
    /// Channels a merchant is registered at before it is ready.
    pub channels: Vec<String>,
}

/// A caller's key for one request: the same key again gets the same answer (R16).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// 1 to 255 visible ASCII characters; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(text.to_owned()))
    }

    /// The key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An answer, and whether it was given before.
#[derive(Debug, Clone)]
pub struct Reply<T> {
    /// The answer.
    pub value: T,
    /// Whether it is the stored answer of an earlier request with the same key.
    pub replayed: Replayed,
}

/// Whether an answer is a repeated one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replayed {
    /// First time.
    No,
    /// Given before.
    Yes,
}

impl<T> Reply<T> {
    pub(crate) const fn fresh(value: T) -> Self {
        Self { value, replayed: Replayed::No }
    }
}

/// What every use case may use.
pub(crate) struct Shared {
    pub(crate) vault: Vault,
    pub(crate) ports: Ports,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    rules: RwLock<Arc<Rules>>,
    pub(crate) deployment: Deployment,
    /// One permit per PIN hash under way: argon2id takes 19 MiB and a core each.
    pub(crate) pin_pool: Arc<Semaphore>,
}

/// The numbers in force: every transaction works with those of the moment it began.
pub(crate) struct Rules {
    /// The statutory numbers.
    pub(crate) policy: Policy,
    /// How long each party may take.
    pub(crate) terms: Terms,
}

impl Rules {
    fn under(policy: Policy) -> Arc<Self> {
        Arc::new(Self { terms: Terms::under(&policy), policy })
    }
}

impl Shared {
    /// The numbers in force now.
    pub(crate) fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts these numbers in force; whether they are others than before.
    pub(crate) fn enact(&self, policy: Policy) -> bool {
        let changed = self.rules().policy != policy;
        if changed {
            *self.rules.write().unwrap_or_else(PoisonError::into_inner) = Rules::under(policy);
        }
        changed
    }
}

/// PIN hashes computed at once; the others wait in line.
const PIN_HASHES_MAX: usize = 2;

/// The platform. Cheap to clone.
#[derive(Clone)]
pub struct Platform {
    pub(crate) db: Db,
    pub(crate) shared: Arc<Shared>,
    pulse: Arc<watch::Sender<u64>>,
    pub(crate) work: Arc<Notify>,
    reader: Reader,
}

/// What is known of whoever reads the answer, besides who they are.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reader {
    /// The language they read.
    pub(crate) language: Language,
    /// The network address they ask from.
    pub(crate) address: Option<IpAddr>,
}

/// Names a request for idempotency.
pub(crate) struct Call<'c> {
    route: &'static str,
    key: Option<IdempotencyKey>,
    body: Box<dyn erased::Body + Send + 'c>,
}

mod erased {
    /// A request body, reduced to bytes that stand for it.
    pub(super) trait Body {
        fn bytes(&self) -> Result<Vec<u8>, serde_json::Error>;
    }
    impl<T: serde::Serialize> Body for T {
        fn bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
            serde_json::to_vec(self)
        }
    }
}

impl<'c> Call<'c> {
    pub(crate) fn new(
        route: &'static str,
        key: Option<IdempotencyKey>,
        body: impl Serialize + Send + 'c,
    ) -> Self {
        Self { route, key, body: Box::new(body) }
    }
}

impl Platform {
    /// Assembles the platform over an open store.
    #[must_use]
    pub fn new(
        db: Db,
        keystore: Arc<Keystore>,
        ports: Ports,
        policy: Policy,
        deployment: Deployment,
    ) -> Self {
        let (clock, random) = (Arc::clone(&ports.clock), Arc::clone(&ports.random));
        let vault = Vault::new(keystore, Arc::clone(&random));
        let pin_pool = Arc::new(Semaphore::new(PIN_HASHES_MAX));
        Self {
            db,
            shared: Arc::new(Shared {
                vault,
                ports,
                clock,
                random,
                rules: RwLock::new(Rules::under(policy)),
                deployment,
                pin_pool,
            }),
            pulse: Arc::new(watch::Sender::new(0)),
            work: Arc::new(Notify::new()),
            reader: Reader::default(),
        }
    }

    /// The same platform, answering in this language wherever an answer holds words.
    #[must_use]
    pub fn speaking(&self, language: Language) -> Self {
        Self { reader: Reader { language, ..self.reader }, ..self.clone() }
    }

    /// The same platform, asked from this network address.
    #[must_use]
    pub fn asked_from(&self, address: Option<IpAddr>) -> Self {
        Self { reader: Reader { address, ..self.reader }, ..self.clone() }
    }

    /// Who runs this deployment.
    #[must_use]
    pub fn deployment(&self) -> &Deployment {
        &self.shared.deployment
    }

    /// The store, for health and metrics.
    #[must_use]
    pub const fn db(&self) -> &Db {
        &self.db
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// A counter that moves whenever something was committed here: a hint to look again.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.pulse.subscribe()
    }

    /// Runs one use case in one transaction, with its idempotent answer.
    ///
    /// The same actor and key again gets the stored answer, with another body or another use case an
    /// error; a twin under way is waited for. An error leaves nothing behind, not even the key.
    pub(crate) async fn command<V, F>(&self, actor: &Actor, call: Call<'_>, run: F) -> Result<Reply<V>, Error>
    where
        V: Serialize + DeserializeOwned + Send + 'static,
        F: Fn(&mut Step<'_>) -> Result<V, Error> + Send + 'static,
    {
        let Call { route, key, body } = call;
        let request = match key {
            None => None,
            Some(key) => {
                let text = hex::encode(body.bytes()?);
                Some((key, self.shared.vault.code_hash(domain_of::REQUEST, &text)))
            }
        };
        let (shared, caller, reader) = (Arc::clone(&self.shared), actor.clone(), self.reader);
        let moment = Moment::capture(&self.shared);
        let reply = self
            .db
            .write(move |tx: &mut Tx| {
                let mut step = Step::new(tx, &shared, &caller, &moment, reader);
                let reply = match &request {
                    None => run(&mut step).map(Reply::fresh),
                    Some((key, body_hash)) => answered_once(&mut step, route, key, body_hash, &run),
                }?;
                let shown = step.take_shown();
                step.keep_shown(&shown)?;
                Ok(reply)
            })
            .await
            .map_err(|refusal: Error| refusal.seen_by(actor))?;
        self.stir();
        Ok(reply)
    }

    /// Runs one use case that has no idempotency key of its own (its effect is idempotent by
    /// nature, or it repeats an earlier step).
    pub(crate) async fn apply<V, F>(&self, actor: &Actor, run: F) -> Result<V, Error>
    where
        V: Send + 'static,
        F: Fn(&mut Step<'_>) -> Result<V, Error> + Send + 'static,
    {
        let value = self.apply_quietly(actor, run).await?;
        self.stir();
        Ok(value)
    }

    /// Like [`Platform::apply`], for bookkeeping that nobody waits to see.
    pub(crate) async fn apply_quietly<V, F>(&self, actor: &Actor, run: F) -> Result<V, Error>
    where
        V: Send + 'static,
        F: Fn(&mut Step<'_>) -> Result<V, Error> + Send + 'static,
    {
        let (shared, caller, reader) = (Arc::clone(&self.shared), actor.clone(), self.reader);
        let moment = Moment::capture(&self.shared);
        self.db
            .write(move |tx: &mut Tx| {
                let mut step = Step::new(tx, &shared, &caller, &moment, reader);
                let value = run(&mut step)?;
                let shown = step.take_shown();
                step.keep_shown(&shown)?;
                Ok(value)
            })
            .await
            .map_err(|refusal: Error| refusal.seen_by(actor))
    }

    /// Reads in one consistent snapshot. Whose personal data staff are shown is recorded before
    /// the answer is given.
    pub(crate) async fn look<V, F>(&self, actor: &Actor, run: F) -> Result<V, Error>
    where
        V: Send + 'static,
        F: Fn(&mut Step<'_>) -> Result<V, Error> + Send + 'static,
    {
        let (shared, caller, reader) = (Arc::clone(&self.shared), actor.clone(), self.reader);
        let moment = Moment::capture(&self.shared);
        let (value, shown) = self
            .db
            .read(move |tx: &mut Tx| {
                let mut step = Step::reading(tx, &shared, &caller, &moment, reader);
                let value = run(&mut step)?;
                Ok((value, step.take_news()?))
            })
            .await
            .map_err(|refusal: Error| refusal.seen_by(actor))?;
        if !shown.is_empty() {
            self.apply_quietly(actor, move |step| step.keep_shown(&shown)).await?;
        }
        Ok(value)
    }

    fn stir(&self) {
        self.pulse.send_modify(|count| *count = count.wrapping_add(1));
        self.work.notify_one();
    }
}

fn answered_once<V, F>(
    step: &mut Step<'_>,
    route: &'static str,
    key: &IdempotencyKey,
    body_hash: &[u8],
    run: &F,
) -> Result<Reply<V>, Error>
where
    V: Serialize + DeserializeOwned,
    F: Fn(&mut Step<'_>) -> Result<V, Error>,
{
    let owner = step.actor.merchant.map_or(PLATFORM, starpay_domain::id::TypedId::uuid);
    let request =
        RequestKey { actor: step.actor.account(), route: route.to_owned(), key: key.as_str().to_owned() };
    let context = format!("answer|{}|{route}|{}", request.actor, request.key);
    let begun = idempotency::begin(step.tx, &request, body_hash, step.at).map_err(|error| match error {
        StoreError::KeyReused => {
            Error::new(ErrorKind::Unprocessable, "idempotency_mismatch").about("Idempotency-Key")
        }
        other => Error::from(other),
    })?;
    match begun {
        Begun::Replay(stored) => {
            let plain = step.open(owner, &context, &stored.answer)?;
            let Kept { answer, shown } = Kept::read(&plain)?;
            step.shows_again(shown);
            Ok(Reply { value: answer, replayed: Replayed::Yes })
        }
        Begun::Fresh => {
            let value = run(step)?;
            let kept = Kept { answer: value, shown: step.shown.clone() };
            let sealed = step.seal(owner, &context, &serde_json::to_vec(&kept)?)?;
            idempotency::finish(step.tx, &request, &sealed)?;
            Ok(Reply::fresh(kept.answer))
        }
    }
}
