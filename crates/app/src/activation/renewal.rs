//! 换发证书: an active terminal renews its certificate by itself, and ours recall one.
//!
//! A request signed by the device's key brings a certificate request for a *new* TLS key. What is
//! issued for it follows the certificate in force and replaces it only when the terminal has
//! confirmed it: until then both open connections, and a terminal that lost an answer asks the
//! same again. When that is allowed is [`CertificateStanding`]'s business; why it is so,
//! `docs/decisions/0007-device-certificate-renewal.md`.

use super::identity::{thumbprint, used};
use super::stage::blocked;
use super::{contradicts, wait_seconds};
use crate::error::{Error, ErrorKind};
use crate::platform::{Call, IdempotencyKey, Platform, Reply, Shared};
use crate::step::{Loaded, PLATFORM, Step};
use crate::vault::domain_of;
use crate::view::{
    CertificateConfirmation, CertificateRecall, CertificateRenewal, CertificateView, DeviceView,
    RenewedCertificate,
};
use crate::{Action, Actor};
use serde::{Deserialize, Serialize};
use starpay_domain::activation::Activation;
use starpay_domain::certificate::{CertificateStanding, renewable_from};
use starpay_domain::device::Device;
use starpay_domain::device_auth::{DeviceAuth, DeviceAuthEvent};
use starpay_domain::id::{DeviceAuthId, DeviceId, MerchantId, TypedId};
use starpay_domain::instant::Timestamp;
use starpay_domain::term::Term;
use starpay_keys::certificate::{
    Certificate, CertificateError, CertificateRequest, DeviceSubject, issue_device,
};
use starpay_keys::{constant_time_eq, wire};
use starpay_store::attempt::{self, Limit, Standing};
use starpay_store::{Value, aggregate};
use std::sync::Arc;

/// How often a certificate is made anew because another request was quicker.
const TRIES_MAX: usize = 3;
/// Certificates issued to one device that it never confirmed.
const UNCONFIRMED: Limit = Limit { failures_max: 10, window_seconds: 24 * 3600, lock_seconds: 24 * 3600 };
/// Former TLS keys of a device that are remembered: none of them comes back.
const USED_KEYS_MAX: usize = 64;
/// Longest reason of a recall, in characters.
const REASON_CHARS_MAX: usize = 200;

/// The certificate issued last, and every TLS key before it.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct KeptRenewal {
    /// Thumbprint of its key, hex.
    tls_key: String,
    /// DER, base64url.
    certificate: String,
    certificate_serial: String,
    not_after_s: i64,
    /// Thumbprints, hex, the oldest first.
    pub(super) used_keys: Vec<String>,
}

/// As many keys of a device as are remembered, the latest ones.
pub(super) fn latest_of(mut keys: Vec<String>) -> Vec<String> {
    let oldest = keys.len().saturating_sub(USED_KEYS_MAX);
    keys.split_off(oldest)
}

/// A terminal that may renew: its keys, its activation and what was issued before.
struct Served {
    serial: String,
    device: DeviceId,
    auth: Loaded<DeviceAuth>,
    activation: Loaded<Activation>,
    kept: Option<KeptRenewal>,
}

/// What a new certificate is made of.
struct Question {
    serial: String,
    device: DeviceId,
    at: Timestamp,
}

enum Prepared {
    /// Answered before.
    Known(KeptRenewal),
    /// To be made.
    New(Question),
}

impl Platform {
    /// The certificate that follows the present one, for the key of this request. The same key
    /// again gets the same certificate.
    ///
    /// # Errors
    /// `csr_invalid`; `csr_mismatch` for another terminal's serial; `csr_key_used` for a key that
    /// had a certificate before; `renewal_not_due` with the time to wait; `renewal_over` when only
    /// a new activation helps; `rate_limited`; `device_blocked` unless the terminal is active.
    pub async fn renew_certificate(
        &self,
        actor: &Actor,
        asked: CertificateRenewal,
    ) -> Result<RenewedCertificate, Error> {
        actor.may(Action::TerminalSpeak)?;
        let csr = wire::from_base64url(&asked.csr).ok_or_else(|| contradicts("csr_invalid", "csr"))?;
        let request = CertificateRequest::parse(&csr).map_err(|_| contradicts("csr_invalid", "csr"))?;
        let request = Arc::new(request);
        for _ in 0..TRIES_MAX {
            let wanted = Arc::clone(&request);
            let prepared = self
                .look(actor, move |step| {
                    let served = step.served()?;
                    prepare(step, &wanted, &served)
                })
                .await?;
            let question = match prepared {
                Prepared::Known(kept) => return self.shared.renewed(&kept),
                Prepared::New(question) => question,
            };
            let (shared, wanted) = (Arc::clone(&self.shared), Arc::clone(&request));
            let made = tokio::task::spawn_blocking(move || make(&shared, &wanted, &question))
                .await
                .map_err(|error| Error::internal(error.to_string()))??;
            let wanted = Arc::clone(&request);
            if let Some(kept) = self.apply(actor, move |step| put(step, &wanted, &made)).await?? {
                return self.shared.renewed(&kept);
            }
        }
        Err(Error::new(ErrorKind::Unavailable, "unavailable"))
    }

    /// The terminal has its new certificate: from now on it is the one in force, and the old one
    /// counts no more. `shown` is the serial number of the connection's certificate, if it has one.
    ///
    /// # Errors
    /// `certificate_mismatch` for one that was not issued last; `device_certificate_mismatch` when
    /// the connection was opened with another one; `device_blocked`.
    pub async fn confirm_certificate(
        &self,
        actor: &Actor,
        shown: Option<String>,
        said: CertificateConfirmation,
    ) -> Result<CertificateView, Error> {
        actor.may(Action::TerminalSpeak)?;
        let serial = said.certificate_serial.to_ascii_lowercase();
        self.apply(actor, move |step| confirm(step, shown.as_deref(), &serial)).await
    }

    /// How many terminals' certificates end within [`Term::CertificateWarning`]: a terminal that is
    /// switched on renews its own long before, so each of these lies in a drawer or has lost its way.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn certificates_ending(&self) -> Result<i64, Error> {
        let by = self.now().plus_seconds(self.shared.rules().terms.seconds(Term::CertificateWarning));
        self.db.read(move |tx| Ok(aggregate::device_auth::count_ending(tx, by)?)).await
    }

    /// 密钥泄露: a terminal's certificate counts no more from this moment. The terminal renews it
    /// with a new key as soon as it asks for its status.
    ///
    /// # Errors
    /// `not_found`, also for a terminal without keys; `illegal_transition` when they are not
    /// accepted; `length` for the reason.
    pub async fn recall_certificate(
        &self,
        actor: &Actor,
        key: Option<IdempotencyKey>,
        id: DeviceId,
        wanted: CertificateRecall,
    ) -> Result<Reply<DeviceView>, Error> {
        actor.may(Action::CertificateRecall)?;
        let reason = wanted.reason.trim().to_owned();
        if reason.is_empty() || reason.chars().count() > REASON_CHARS_MAX {
            return Err(Error::invalid("length", "reason"));
        }
        self.command(
            actor,
            Call::new("device.recall-certificate", key, (id.to_string(), wanted)),
            move |step| {
                let device: Loaded<Device> = step.get(id)?;
                let row = match aggregate::device_auth::find_accepted(step.tx, id.uuid())? {
                    Some(in_use) => in_use,
                    // Nothing is in use: the newest set says in which state it is instead.
                    None => aggregate::device_auth::latest_of_device(step.tx, id.uuid())?
                        .ok_or_else(Error::not_found)?,
                };
                let row = aggregate::lock(step.tx, &aggregate::DEVICE_AUTH, row.id, row.merchant_id)?;
                let mut auth: Loaded<DeviceAuth> = step.load(row)?;
                let standing = CertificateStanding::of(&auth.machine, step.terms(), step.at);
                let again = standing == CertificateStanding::Recalled && next_serial(&auth.machine).is_none();
                if !again {
                    auth.set("certificate_serial", Value::Null);
                    let (by, reason) = (step.actor.id.clone(), reason.clone());
                    step.advance(auth, DeviceAuthEvent::Recall { by, reason })?;
                }
                crate::device::view(step, &device)
            },
        )
        .await
    }
}

/// What may stand in the way of a renewal, and the answer to a repeated one.
fn prepare(step: &mut Step<'_>, request: &CertificateRequest, served: &Served) -> Result<Prepared, Error> {
    if request.common_name() != served.serial {
        return Err(contradicts("csr_mismatch", "csr"));
    }
    let tls_key = thumbprint(request);
    let standing = CertificateStanding::of(&served.auth.machine, step.terms(), step.at);
    if let Some(kept) = &served.kept
        && kept.tls_key == tls_key
        && still_good(&served.auth.machine, standing, kept, step.at)
    {
        return Ok(Prepared::Known(kept.clone()));
    }
    match standing {
        CertificateStanding::Due | CertificateStanding::Recalled | CertificateStanding::Ended => {}
        CertificateStanding::InForce => {
            let from = end_of(&served.auth.machine).map(|end| renewable_from(end, step.terms()));
            let wait = from.map_or(1, |from| wait_seconds(from, step.at));
            return Err(Error::conflict("renewal_not_due").retry_after(wait));
        }
        CertificateStanding::Over => return Err(Error::new(ErrorKind::Forbidden, "renewal_over")),
        CertificateStanding::Absent => return Err(Error::new(ErrorKind::Forbidden, "certificate_expired")),
    }
    let sign_key: Vec<u8> = served.auth.column("sign_thumbprint")?;
    if hex::encode(sign_key) == tls_key || step.used_keys(served)?.contains(&tls_key) {
        return Err(used());
    }
    let question = Question { serial: served.serial.clone(), device: served.device, at: step.at };
    Ok(Prepared::New(question))
}

/// Whether a certificate issued before still is what the device may install: it waits for its
/// confirmation, or is in force and not to be renewed yet.
fn still_good(auth: &DeviceAuth, standing: CertificateStanding, kept: &KeptRenewal, at: Timestamp) -> bool {
    let DeviceAuth::Accepted { certificate_serial, next_serial, next_not_after, .. } = auth else {
        return false;
    };
    let is = |serial: &Option<String>| serial.as_ref() == Some(&kept.certificate_serial);
    let waits = is(next_serial) && next_not_after.is_some_and(|end| end > at);
    waits || is(certificate_serial) && standing == CertificateStanding::InForce
}

/// Makes the certificate. No transaction is open.
fn make(shared: &Shared, request: &CertificateRequest, question: &Question) -> Result<KeptRenewal, Error> {
    let keystore = shared.vault.keystore();
    let subject = DeviceSubject { serial: &question.serial, device_id: &question.device.to_string() };
    let now_s = question.at.millis().div_euclid(1000);
    let root = keystore.root_certificate();
    let certificate = issue_device(keystore, &root, request, subject, now_s, shared.random.as_ref())
        .map_err(|error| match error {
            // The CA was replaced in between: asked again, it is of the new root.
            CertificateError::Issuer | CertificateError::Signature => {
                Error::new(ErrorKind::Unavailable, "unavailable")
            }
            _ => Error::internal(error.to_string()),
        })?;
    Ok(KeptRenewal {
        tls_key: thumbprint(request),
        certificate: wire::base64url(certificate.der()),
        certificate_serial: certificate.serial(),
        not_after_s: certificate.not_after_s(),
        used_keys: Vec::new(),
    })
}

/// Writes a new certificate down, before it leaves; `None` when another request was quicker and
/// it must be made anew. A refusal inside is committed.
fn put(
    step: &mut Step<'_>,
    request: &CertificateRequest,
    made: &KeptRenewal,
) -> Result<Result<Option<KeptRenewal>, Error>, Error> {
    let served = step.served_alone()?;
    if let Prepared::Known(kept) = prepare(step, request, &served)? {
        return Ok(Ok(Some(kept)));
    }
    let subject = unconfirmed_subject(step, served.device);
    if let Standing::Locked { until } =
        attempt::standing(step.tx, "certificate-renewal", &subject, step.at, UNCONFIRMED)?
    {
        let wait = wait_seconds(until, step.at);
        return Ok(Err(Error::new(ErrorKind::RateLimited, "rate_limited").retry_after(wait)));
    }
    attempt::fail(step.tx, "certificate-renewal", &subject, step.at, UNCONFIRMED)?;
    let mut used_keys = step.used_keys(&served)?;
    used_keys.push(made.tls_key.clone());
    let kept = KeptRenewal { used_keys: latest_of(used_keys), ..made.clone() };
    step.keep(&served.activation, "renewal", &kept)?;
    let not_after = Timestamp::from_micros(kept.not_after_s.saturating_mul(1_000_000));
    let certificate_serial = kept.certificate_serial.clone();
    step.advance(served.auth, DeviceAuthEvent::Renew { certificate_serial, not_after })?;
    Ok(Ok(Some(kept)))
}

fn confirm(step: &mut Step<'_>, shown: Option<&str>, serial: &str) -> Result<CertificateView, Error> {
    let Served { device, mut auth, .. } = step.served_alone()?;
    let mismatch = || contradicts("certificate_mismatch", "certificate_serial");
    let DeviceAuth::Accepted { certificate_serial, next_serial, next_not_after, recalled_at, .. } =
        &auth.machine
    else {
        return Err(blocked());
    };
    if certificate_serial.as_deref() == Some(serial) && recalled_at.is_none() {
        return view(&auth.machine, step).ok_or_else(mismatch);
    }
    let not_after = next_not_after.filter(|end| *end > step.at).ok_or_else(mismatch)?;
    if !next_serial.as_ref().is_some_and(|next| constant_time_eq(next.as_bytes(), serial.as_bytes())) {
        return Err(mismatch());
    }
    if shown.is_some_and(|shown| shown != serial) {
        let other = Error::new(ErrorKind::Forbidden, "device_certificate_mismatch");
        return Err(other.about("certificate_serial"));
    }
    let bytes = hex::decode(serial).map_err(|error| Error::internal(error.to_string()))?;
    auth.set("certificate_serial", Value::Bytes(bytes));
    let certificate_serial = serial.to_owned();
    let auth = step.advance(auth, DeviceAuthEvent::Certify { certificate_serial, not_after })?;
    let subject = unconfirmed_subject(step, device);
    attempt::clear(step.tx, "certificate-renewal", &subject)?;
    view(&auth.machine, step).ok_or_else(mismatch)
}

fn unconfirmed_subject(step: &Step<'_>, device: DeviceId) -> Vec<u8> {
    step.shared.vault.code_hash(domain_of::ATTEMPT, &format!("certificate|{device}"))
}

/// A certificate as terminals and people see it; `None` before there is one.
pub(crate) fn view(auth: &DeviceAuth, step: &Step<'_>) -> Option<CertificateView> {
    let DeviceAuth::Accepted { certificate_serial: Some(serial), not_after: Some(end), .. } = auth else {
        return None;
    };
    let standing = CertificateStanding::of(auth, step.terms(), step.at);
    Some(CertificateView {
        serial: serial.clone(),
        until: end.to_string(),
        renew_from: renewable_from(*end, step.terms()).to_string(),
        standing: standing.as_str().to_owned(),
        awaiting: standing.awaiting().map(|party| party.to_string()),
    })
}

fn end_of(auth: &DeviceAuth) -> Option<Timestamp> {
    match auth {
        DeviceAuth::Accepted { not_after, .. } => *not_after,
        DeviceAuth::Preauthorised { .. } | DeviceAuth::Pending { .. } | DeviceAuth::Rejected { .. } => None,
    }
}

/// The certificate that was issued to follow the present one and waits for its confirmation.
pub(super) fn next_serial(auth: &DeviceAuth) -> Option<&str> {
    match auth {
        DeviceAuth::Accepted { next_serial, .. } => next_serial.as_deref(),
        DeviceAuth::Preauthorised { .. } | DeviceAuth::Pending { .. } | DeviceAuth::Rejected { .. } => None,
    }
}

impl Shared {
    /// With the root that issued it: after the CA was replaced, that may be an earlier one.
    fn renewed(&self, kept: &KeptRenewal) -> Result<RenewedCertificate, Error> {
        let not_after = Timestamp::from_micros(kept.not_after_s.saturating_mul(1_000_000));
        let root = wire::from_base64url(&kept.certificate)
            .and_then(|der| Certificate::parse(&der).ok())
            .and_then(|certificate| self.vault.keystore().root_of(&certificate))
            .ok_or_else(|| Error::internal("a kept certificate is of no root of ours"))?;
        Ok(RenewedCertificate {
            certificate: kept.certificate.clone(),
            ca: wire::base64url(root.der()),
            certificate_serial: kept.certificate_serial.clone(),
            not_after: not_after.to_string(),
        })
    }
}

impl Step<'_> {
    /// Refuses to work with keys whose certificate does not count.
    pub(super) fn refuse_uncertified(&self, auth: &DeviceAuth, field: &str) -> Result<(), Error> {
        let standing = CertificateStanding::of(auth, self.terms(), self.at);
        let code = match standing {
            CertificateStanding::InForce | CertificateStanding::Due => return Ok(()),
            CertificateStanding::Recalled => "certificate_recalled",
            CertificateStanding::Absent | CertificateStanding::Ended | CertificateStanding::Over => {
                "certificate_expired"
            }
        };
        Err(Error::new(ErrorKind::Forbidden, code).about(field))
    }

    /// The terminal that speaks, if it is an active one under its accepted keys.
    fn served(&mut self) -> Result<Served, Error> {
        let device = self.speaking()?;
        let row = aggregate::get(self.tx, &aggregate::DEVICE, device.uuid(), PLATFORM)?;
        let found: Loaded<Device> = self.load(row)?;
        let accepted = aggregate::device_auth::find_accepted(self.tx, device.uuid())?.ok_or_else(blocked)?;
        let speaks = DeviceAuthId::from_uuid(accepted.id).to_string() == self.actor.id
            && found.machine.merchant() == Some(MerchantId::from_uuid(accepted.merchant_id));
        let Device::Active { activation, .. } = found.machine else { return Err(blocked()) };
        if !speaks {
            return Err(blocked());
        }
        let auth: Loaded<DeviceAuth> = self.load(accepted)?;
        let activation = self.get::<Activation>(activation)?;
        let kept = self.kept::<KeptRenewal>(&activation, "renewal")?;
        Ok(Served { serial: found.column("serial")?, device, auth, activation, kept })
    }

    /// As [`Step::served`], with the keys locked before they are looked at: two requests of one
    /// terminal are served one after the other.
    fn served_alone(&mut self) -> Result<Served, Error> {
        let device = self.speaking()?;
        let accepted = aggregate::device_auth::find_accepted(self.tx, device.uuid())?.ok_or_else(blocked)?;
        aggregate::lock(self.tx, &aggregate::DEVICE_AUTH, accepted.id, accepted.merchant_id)?;
        self.served()
    }

    fn speaking(&self) -> Result<DeviceId, Error> {
        self.actor.subject.as_deref().and_then(DeviceId::parse).ok_or_else(Error::forbidden)
    }

    /// TLS keys this device had a certificate for, the oldest first.
    fn used_keys(&mut self, served: &Served) -> Result<Vec<String>, Error> {
        if let Some(kept) = &served.kept {
            return Ok(kept.used_keys.clone());
        }
        self.identity_of(&served.activation)?.tls_keys()
    }
}
