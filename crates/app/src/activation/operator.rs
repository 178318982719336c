//! 操作员: PINs set at the terminal and checked afterwards.
//!
//! A PIN travels in an envelope only the keystore opens, and is kept as argon2id under a pepper. A
//! try is charged before the comparison, so asking in parallel gains nothing. Hashing runs on a
//! bounded pool, never inside a transaction.

use super::stage::{Outcome, Turn, blocked, serves};
use super::{contradicts, wait_seconds};
use crate::error::{Error, ErrorKind};
use crate::platform::{Platform, Shared};
use crate::step::{Loaded, PLATFORM, Step};
use crate::vault::domain_of;
use crate::view::{PinEnvelope, PinSetting, PinVerification, TerminalStatus, VerifyOperator};
use crate::{Action, Actor};
use starpay_domain::activation::{Activation, ActivationEvent, Step as Stage};
use starpay_domain::device::Device;
use starpay_domain::device_auth::DeviceAuth;
use starpay_domain::id::{ActivationId, DeviceAuthId, DeviceId, MerchantId, OperatorId, TypedId};
use starpay_domain::instant::Timestamp;
use starpay_domain::text_enum;
use starpay_keys::envelope::{Envelope, Suite};
use starpay_keys::pin::{Pin, PinHashError, StrongPin};
use starpay_keys::wire;
use starpay_store::aggregate;
use starpay_store::attempt::{self, Limit, Standing};
use starpay_store::operator::{self, OperatorRow};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Operators set in one request.
const OPERATORS_MAX: usize = 20;
/// Wrong PINs before a pause.
const TRIES_MAX: i64 = 5;
/// The first pause; each further one is twice as long.
const LOCK_SECONDS_FIRST: i64 = 30 * 60;
/// The longest pause.
const LOCK_SECONDS_MAX: i64 = 24 * 3600;
/// Tries at a number that no operator has: counted alike, so that numbers cannot be told apart.
const UNKNOWN_NUMBER: Limit =
    Limit { failures_max: TRIES_MAX, window_seconds: LOCK_SECONDS_MAX, lock_seconds: LOCK_SECONDS_FIRST };
/// A hash of nobody's PIN, as dear to compare as a real one.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c3RhcnBheS1ub2JvZHktMQ$VbQH0iDxmzzJ1v8Ms6KPGxZAXWUa1TKwXhEqCpyV3qU";

text_enum! {
    /// What an operator may do at the terminal.
    enum OperatorRole {
        /// 店长.
        Manager "manager",
        /// 收银员.
        Cashier "cashier",
    }
}

/// An operator whose PIN was opened and is strong.
struct Chosen {
    number: String,
    role: OperatorRole,
    pin: StrongPin,
}

/// An operator ready to be written.
#[derive(Clone)]
struct Hashed {
    number: String,
    role: OperatorRole,
    pin_hash: String,
}

/// What choosing PINs needs to know: the device's id, and the numbers everybody at the counter knows.
enum Asked {
    Done(TerminalStatus),
    Now { device: DeviceId, own_numbers: Vec<String> },
    Over(Error),
}

impl Platform {
    /// Step 10: the operators choose their PINs. There is no default one.
    ///
    /// # Errors
    /// `pin_weak`, `pin_format`, `operator_manager_missing`, `operator_number_taken`, `charset`,
    /// `choice`, `pattern`, `illegal_transition`.
    pub async fn set_pins(
        &self,
        actor: &Actor,
        id: ActivationId,
        setting: PinSetting,
    ) -> Result<TerminalStatus, Error> {
        actor.may(Action::TerminalSpeak)?;
        let asked = self
            .apply_quietly(actor, move |step| match step.turn(id, Stage::PinSet)? {
                Turn::Done(found) => step.status(&found).map(Asked::Done),
                Turn::Over(refusal) => Ok(Asked::Over(refusal)),
                Turn::Now(found) => {
                    let own_numbers = step.own_numbers(&found)?;
                    Ok(Asked::Now { device: found.machine.device(), own_numbers })
                }
            })
            .await?;
        let (device, own_numbers) = match asked {
            Asked::Done(status) => return Ok(status),
            Asked::Over(refusal) => return Err(refusal),
            Asked::Now { device, own_numbers } => (device, own_numbers),
        };
        let chosen = choose(&self.shared, device, &own_numbers, &setting)?;
        let mut hashed = Vec::with_capacity(chosen.len());
        for Chosen { number, role, pin } in chosen {
            let pin_hash = self.hash_pin(move |shared| {
                shared.vault.keystore().pin_hasher().hash(&pin, shared.random.as_ref())
            });
            hashed.push(Hashed { number, role, pin_hash: pin_hash.await? });
        }
        self.take(actor, id, Stage::PinSet, move |step, found| keep_operators(step, found, &hashed)).await
    }

    /// An operator signs in at the terminal.
    ///
    /// # Errors
    /// `pin_wrong` with the tries left, also for a number nobody has; `operator_locked` with the
    /// time to wait; `pin_format`, `pattern`; `device_blocked`; `certificate_expired` or
    /// `certificate_recalled` until the terminal has renewed its certificate.
    pub async fn verify_operator(
        &self,
        actor: &Actor,
        asked: VerifyOperator,
    ) -> Result<PinVerification, Error> {
        actor.may(Action::TerminalSpeak)?;
        let device = actor.subject.as_deref().and_then(DeviceId::parse).ok_or_else(Error::forbidden)?;
        check_number(&asked.number, "number")?;
        let pin = open(&self.shared, device, &asked.number, &asked.pin, "pin")?;
        let number = asked.number.clone();
        let charged = self.apply_quietly(actor, move |step| charge(step, device, &number)).await??;
        let stored = charged.pin_hash.clone();
        let compared = stored.clone().unwrap_or_else(|| NOBODY.to_owned());
        let right =
            self.hash_pin(move |shared| shared.vault.keystore().pin_hasher().verify(&pin, &compared)).await?;
        let (true, Some(stored)) = (right, stored) else { return Err(charged.refusal()) };
        let number = asked.number;
        let role = self.apply_quietly(actor, move |step| clear(step, device, &number, &stored)).await?;
        role.map(|role| PinVerification { ok: true, role }).ok_or_else(|| charged.refusal())
    }

    /// Runs one costly hash on the bounded pool.
    async fn hash_pin<V: Send + 'static>(
        &self,
        run: impl FnOnce(&Shared) -> Result<V, PinHashError> + Send + 'static,
    ) -> Result<V, Error> {
        let shared = Arc::clone(&self.shared);
        in_turn(&self.shared.pin_pool, move || run(&shared)).await?.map_err(|error| match error {
            PinHashError::Unavailable => Error::new(ErrorKind::Unavailable, "unavailable"),
            PinHashError::Malformed => Error::internal(error.to_string()),
        })
    }
}

/// Runs costly work when its turn comes. The turn is the work's, not the caller's: one who hangs up
/// leaves the work running, and makes no room for more.
async fn in_turn<V: Send + 'static>(
    pool: &Arc<Semaphore>,
    work: impl FnOnce() -> V + Send + 'static,
) -> Result<V, Error> {
    let turn = Arc::clone(pool).acquire_owned().await.map_err(|error| Error::internal(error.to_string()))?;
    let done = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        work()
    });
    done.await.map_err(|error| Error::internal(error.to_string()))
}

/// Opens a PIN's envelope. What it holds goes into no error and no log.
fn open(
    shared: &Shared,
    device: DeviceId,
    number: &str,
    sealed: &PinEnvelope,
    field: &str,
) -> Result<Pin, Error> {
    let malformed = || Error::invalid("pattern", field);
    let envelope = Envelope {
        enc: wire::array_from_base64url(&sealed.enc).ok_or_else(malformed)?,
        ct: wire::from_base64url(&sealed.ct).ok_or_else(malformed)?,
    };
    let info = wire::pin_info(&device.to_string(), number);
    let digits = shared
        .vault
        .keystore()
        .envelope_key()
        .open(Suite::Aes256Gcm, info.as_bytes(), &[], &envelope)
        .map_err(|_| malformed())?;
    Pin::parse(&digits).map_err(|_| contradicts("pin_format", field))
}

fn check_number(number: &str, field: &str) -> Result<(), Error> {
    let fits = (2..=4).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    if fits { Ok(()) } else { Err(Error::invalid("charset", field)) }
}

fn choose(
    shared: &Shared,
    device: DeviceId,
    own_numbers: &[String],
    setting: &PinSetting,
) -> Result<Vec<Chosen>, Error> {
    if setting.operators.len() > OPERATORS_MAX {
        return Err(Error::invalid("length", "operators"));
    }
    let own_numbers: Vec<&str> = own_numbers.iter().map(String::as_str).collect();
    let mut numbers = BTreeSet::new();
    let mut chosen = Vec::with_capacity(setting.operators.len());
    for (index, operator) in setting.operators.iter().enumerate() {
        let field = |name: &str| format!("operators.{index}.{name}");
        check_number(&operator.number, &field("number"))?;
        if !numbers.insert(&operator.number) {
            return Err(contradicts("operator_number_taken", &field("number")));
        }
        let role = OperatorRole::parse(&operator.role)
            .ok_or_else(|| Error::choice(field("role"), OperatorRole::ALL.iter().map(|one| one.as_str())))?;
        let pin = open(shared, device, &operator.number, &operator.pin, &field("pin"))?
            .into_strong(&own_numbers)
            .map_err(|_| contradicts("pin_weak", &field("pin")))?;
        chosen.push(Chosen { number: operator.number.clone(), role, pin });
    }
    if !chosen.iter().any(|operator| operator.role == OperatorRole::Manager) {
        return Err(contradicts("operator_manager_missing", "operators"));
    }
    Ok(chosen)
}

fn keep_operators(
    step: &mut Step<'_>,
    found: Loaded<Activation>,
    hashed: &[Hashed],
) -> Result<Outcome, Error> {
    let (device, merchant) = (found.machine.device().uuid(), found.merchant.uuid());
    for Hashed { number, role, pin_hash } in hashed {
        let row = OperatorRow {
            id: step.new_id::<OperatorId>().uuid(),
            merchant_id: merchant,
            device_id: device,
            number: number.clone(),
            role: role.as_str().to_owned(),
            pin_hash: pin_hash.clone(),
            failed: 0,
            locked_until: None,
            created_at: step.at,
            changed_at: step.at,
        };
        match operator::lock_by_number(step.tx, device, number)? {
            Some(known) => operator::update(step.tx, &OperatorRow { id: known.id, ..row })?,
            None => operator::insert(step.tx, &row)?,
        }
    }
    let operators = u32::try_from(hashed.len()).unwrap_or(u32::MAX);
    step.go_on(found, ActivationEvent::SetPin { operators }).map(Ok)
}

/// A try that was charged before the comparison.
struct Charged {
    /// The hash to compare with; `None` when nobody has that number.
    pin_hash: Option<String>,
    left: i64,
}

impl Charged {
    fn refusal(&self) -> Error {
        let wrong = Error::new(ErrorKind::Unauthenticated, "pin_wrong").about("pin");
        Error { tries_left: Some(self.left), ..wrong }
    }
}

fn locked(until: Timestamp, at: Timestamp) -> Error {
    Error::new(ErrorKind::Locked, "operator_locked").about("number").retry_after(wait_seconds(until, at))
}

/// How long the pause is after so many wrong PINs in a row.
fn pause_seconds(failed: i64) -> i64 {
    let earlier = (failed / TRIES_MAX - 1).clamp(0, 16);
    (LOCK_SECONDS_FIRST << earlier).min(LOCK_SECONDS_MAX)
}

/// Charges one try. A refusal inside is committed.
fn charge(step: &mut Step<'_>, device: DeviceId, number: &str) -> Result<Result<Charged, Error>, Error> {
    refuse_unserved(step, device)?;
    let Some(mut row) = operator::lock_by_number(step.tx, device.uuid(), number)? else {
        let subject = step.shared.vault.code_hash(domain_of::ATTEMPT, &format!("operator|{device}|{number}"));
        if let Standing::Locked { until } =
            attempt::standing(step.tx, "operator", &subject, step.at, UNKNOWN_NUMBER)?
        {
            return Ok(Err(locked(until, step.at)));
        }
        let left = match attempt::fail(step.tx, "operator", &subject, step.at, UNKNOWN_NUMBER)? {
            Standing::Open { left } => left,
            Standing::Locked { .. } => 0,
        };
        return Ok(Ok(Charged { pin_hash: None, left }));
    };
    if let Some(until) = row.locked_until.filter(|until| *until > step.at) {
        return Ok(Err(locked(until, step.at)));
    }
    row.failed = row.failed.saturating_add(1);
    let within = row.failed % TRIES_MAX;
    row.locked_until = (within == 0).then(|| step.at.plus_seconds(pause_seconds(row.failed)));
    operator::update(step.tx, &row)?;
    let left = if within == 0 { 0 } else { TRIES_MAX - within };
    Ok(Ok(Charged { pin_hash: Some(row.pin_hash), left }))
}

/// Gives the charged tries back after the right PIN, and answers the role; `None` when the PIN was
/// changed meanwhile.
fn clear(
    step: &mut Step<'_>,
    device: DeviceId,
    number: &str,
    compared: &str,
) -> Result<Option<String>, Error> {
    let Some(mut row) = operator::lock_by_number(step.tx, device.uuid(), number)? else { return Ok(None) };
    if row.pin_hash != compared {
        return Ok(None);
    }
    row.failed = 0;
    row.locked_until = None;
    operator::update(step.tx, &row)?;
    Ok(Some(row.role))
}

/// Only the accepted keys of a merchant's terminal in use may ask, and only while their certificate counts.
fn refuse_unserved(step: &mut Step<'_>, device: DeviceId) -> Result<(), Error> {
    let row = aggregate::get(step.tx, &aggregate::DEVICE, device.uuid(), PLATFORM)?;
    let device: Loaded<Device> = step.load(row)?;
    let accepted = aggregate::device_auth::find_accepted(step.tx, device.id.uuid())?;
    let accepted = accepted.filter(|row| {
        let auth = DeviceAuthId::from_uuid(row.id).to_string();
        auth == step.actor.id && Some(MerchantId::from_uuid(row.merchant_id)) == device.machine.merchant()
    });
    let Some(row) = accepted.filter(|_| serves(&device.machine)) else { return Err(blocked()) };
    let auth: Loaded<DeviceAuth> = step.load(row)?;
    step.refuse_uncertified(&auth.machine, "Starpay-Key")
}

impl Step<'_> {
    /// Numbers that everybody near the counter knows: none of them may hold a PIN.
    fn own_numbers(&mut self, found: &Loaded<Activation>) -> Result<Vec<String>, Error> {
        let (_, contact) = self.contact_of(found.merchant)?;
        let mut numbers = vec![self.device_seen(found)?.column("serial")?, contact.mobile];
        if let Some((merchant_no, terminal_no)) = self.registered_numbers(found.merchant)? {
            numbers.extend([merchant_no, terminal_no]);
        }
        Ok(numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use starpay_keys::pepper::Pepper;
    use starpay_keys::pin::PinHasher;
    use std::time::Duration;

    #[test]
    fn pauses_double_up_to_a_day() {
        let hours: Vec<i64> =
            [5, 10, 15, 20, 25, 30, 35, 500].map(|failed| pause_seconds(failed) / 1800).to_vec();
        assert_eq!(hours, [1, 2, 4, 8, 16, 32, 48, 48]);
    }

    #[tokio::test]
    async fn a_caller_who_hangs_up_makes_no_room_for_another_hash() {
        let pool = Arc::new(Semaphore::new(2));
        let (finish, wait) = std::sync::mpsc::channel::<()>();
        let wait = Arc::new(std::sync::Mutex::new(wait));
        for _ in 0..2 {
            let wait = Arc::clone(&wait);
            let asked = in_turn(&pool, move || wait.lock().unwrap().recv().unwrap());
            // The work begins, and its caller goes away.
            let gone = tokio::time::timeout(Duration::from_millis(50), asked).await;
            assert!(gone.is_err());
        }
        let third = in_turn(&pool, || ());
        let mut third = std::pin::pin!(third);
        let early = tokio::time::timeout(Duration::from_millis(100), third.as_mut()).await;
        assert!(early.is_err(), "two are still under way");
        finish.send(()).unwrap();
        third.await.unwrap();
        finish.send(()).unwrap();
    }

    #[test]
    fn nobodys_hash_is_compared_like_any_other() {
        let hasher = PinHasher::new(Pepper::from_bytes([7; 32]));
        assert_eq!(hasher.verify(&Pin::parse(b"739164").unwrap(), NOBODY), Ok(false));
    }
}
