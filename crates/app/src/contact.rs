//! First contact: a mobile number proves itself with a one-time code and becomes a merchant's
//! owner.
//!
//! The answer to "send me a code" is the same for every number, known or not. A code is six
//! digits, kept as a keyed hash, good for one purpose, ten minutes and five tries; its row is
//! locked while it is compared, so that nobody gets extra tries by asking in parallel. Codes for
//! different purposes do not touch each other.
//!
//! Whoever lost the answer repeats the request under its idempotency key, for as long as the code
//! lives: no second message is sent, no second session begins. Repeated wrongly, it is a wrong try.
//!
//! A stranger has no account that a key could belong to, and two strangers' programs may number
//! their requests alike; so a key asks for a code of one number, and stands with that code. With
//! another e-mail address it is refused while the code lives, as everywhere; with another number
//! it is somebody else's key.

use crate::access::Credential;
use crate::error::{Error, ErrorKind, FieldError};
use crate::message::{Notice, Template};
use crate::platform::{IdempotencyKey, Platform};
use crate::step::{PLATFORM, Step};
use crate::vault::domain_of;
use crate::view::{ContactStarted, SessionView, StartContact, VerifyContact};
use crate::{Actor, Role};
use serde::{Deserialize, Serialize};
use starpay_domain::id::{ContactId, MerchantId, TypedId};
use starpay_domain::identifier::Mobile;
use starpay_store::access_key;
use starpay_store::attempt::{self, Limit, Standing};
use starpay_store::contact::{self, ContactRow};
use starpay_store::merchant::{self, MerchantRow};
use starpay_store::one_time_code;
use uuid::{Builder, Uuid};

/// A one-time code's life.
pub(crate) const CODE_SECONDS: i64 = 10 * 60;
/// Wrong tries per code.
pub(crate) const CODE_TRIES_MAX: i64 = 5;
/// Digits of a one-time code.
pub(crate) const CODE_DIGITS: usize = 6;
/// The purpose of a code that opens a session.
const SIGN_IN: &str = "sign-in";
/// A session's life.
const SESSION_SECONDS: i64 = 30 * 24 * 3600;
/// Codes per number and hour.
const PER_NUMBER: Limit = Limit { failures_max: 10, window_seconds: 3600, lock_seconds: 3600 };
/// Codes that one network address may have sent, to whatever numbers: enough for a shop's shared
/// address, too few to make a stranger's messages our expense.
const PER_ADDRESS: Limit = Limit { failures_max: 40, window_seconds: 600, lock_seconds: 600 };

/// What a contact row holds, sealed.
#[derive(Serialize, Deserialize, Clone)]
pub(crate) struct ContactProfile {
    pub(crate) mobile: String,
    pub(crate) email: Option<String>,
}

/// Nobody in particular.
fn public() -> Actor {
    Actor { id: "public".to_owned(), role: Role::Applicant, merchant: None, subject: None, request: None }
}

impl Platform {
    /// Sends a one-time code to a mobile number. Repeated under its key while that code lives, it
    /// sends nothing. Codes are counted where they are asked for: [`Platform::asked_from`].
    ///
    /// # Errors
    /// `validation_failed` for a number that cannot be one; `idempotency_mismatch` for a key that asked
    /// for this number's code with another e-mail address; `rate_limited`; `closed` while a live
    /// deployment has no licence configured (C11).
    pub async fn start_contact(
        &self,
        key: Option<IdempotencyKey>,
        wanted: StartContact,
    ) -> Result<ContactStarted, Error> {
        let deployment = &self.shared.deployment;
        let licensed = deployment.acquirer_name.is_some() && deployment.licence_no.is_some();
        if deployment.mode == crate::Mode::Live && !licensed {
            return Err(Error::new(ErrorKind::Unavailable, "unavailable"));
        }
        let (mobile, email) = reachable(&wanted)?;
        self.apply(&public(), move |step| {
            let index = step.shared.vault.index(domain_of::MOBILE, &mobile);
            let asked_by = key.as_ref().map(|key| step.asked_by(key, &mobile, email.as_deref()));
            if let Some(asked_before) = step.sent_before(&index, &mobile, asked_by.as_ref())? {
                return Ok(asked_before);
            }
            if let Some(address) = step.address {
                let address = step.shared.vault.address(address);
                step.count_code("code-address", &address, PER_ADDRESS)?;
            }
            step.count_code("code", &index, PER_NUMBER)?;
            let row = step.unproved_contact(index, &mobile, email.as_deref())?;
            let id = ContactId::from_uuid(row.id);
            let asked_by = asked_by.map(|by| by.stored());
            let expires_at =
                step.send_code(&row, SIGN_IN, Template::OneTimeCode, &mobile, asked_by.as_deref())?;
            Ok(started(id, &mobile, expires_at))
        })
        .await
    }

    /// Checks the code and opens a session; the first time, the merchant begins to exist.
    ///
    /// # Errors
    /// `code_format` for what can be no code, which costs no try; `code_invalid` (wrong or unknown: not
    /// told apart), `code_expired` for one that was right, `code_locked` after five tries.
    pub async fn verify_contact(
        &self,
        key: Option<IdempotencyKey>,
        id: ContactId,
        given: VerifyContact,
    ) -> Result<SessionView, Error> {
        six_digits(&given.code)?;
        self.apply(&public(), move |step| {
            let Some(mut row) = contact::lock(step.tx, id.uuid())? else { return Ok(Err(wrong_code())) };
            if let Err(refusal) = step.try_code(row.id, SIGN_IN, &given.code)? {
                return Ok(Err(refusal));
            }
            let used_by = step.repeatable("contact.verify", key.as_ref(), &id.to_string());
            let secret = match step.use_up(row.id, used_by)? {
                CodeUse::First { secret } => secret,
                CodeUse::Repeated { secret } => return step.session_of(&secret),
                CodeUse::Other => return step.miss_code(row.id, SIGN_IN).map(Err),
            };
            let merchant = match row.merchant_id {
                Some(known) => MerchantId::from_uuid(known),
                None => step.open_merchant()?,
            };
            row.merchant_id = Some(merchant.uuid());
            row.verified_at = Some(row.verified_at.unwrap_or(step.at));
            contact::update(step.tx, &row)?;
            let end = step.at.plus_seconds(SESSION_SECONDS);
            let session = Credential {
                kind: "session",
                role: Role::Applicant,
                subject: &id.to_string(),
                merchant: Some(merchant),
                label: "session",
                expires_at: Some(end),
            };
            let (_, token) = step.issue_with(&session, &secret)?;
            Ok(Ok(SessionView { token, merchant_id: merchant.to_string(), expires_at: end.to_string() }))
        })
        .await?
    }
}

/// What a request for a code is known by: its key and its number, and the whole of it.
struct AskedBy {
    key: Vec<u8>,
    body: Vec<u8>,
}

impl AskedBy {
    /// As it stands with the code: what begins alike had the same key.
    fn stored(&self) -> Vec<u8> {
        [self.key.as_slice(), self.body.as_slice()].concat()
    }
}

/// What became of a right code.
enum CodeUse {
    /// It was out: it is used now, and these bytes make the session's token.
    First { secret: Vec<u8> },
    /// The same request used it before, and got the token of these bytes.
    Repeated { secret: Vec<u8> },
    /// Another request used it before.
    Other,
}

impl Step<'_> {
    /// What tells a repeated request from another one, if its caller gave it a key.
    fn repeatable(&self, route: &str, key: Option<&IdempotencyKey>, body: &str) -> Option<Vec<u8>> {
        let text = format!("{route}|{}|{body}", key?.as_str());
        Some(self.shared.vault.code_hash(domain_of::REQUEST, &text))
    }

    /// What a request for a code is known by.
    fn asked_by(&self, key: &IdempotencyKey, mobile: &str, email: Option<&str>) -> AskedBy {
        let hash = |text: &str| self.shared.vault.code_hash(domain_of::REQUEST, text);
        let key = format!("contact.start|{}|{mobile}", key.as_str());
        let body = format!("{key}|{}", email.unwrap_or_default());
        AskedBy { key: hash(&key), body: hash(&body) }
    }

    /// The answer of a request for a code that was made before, while that code lives.
    fn sent_before(
        &mut self,
        mobile_index: &[u8],
        mobile: &str,
        asked_by: Option<&AskedBy>,
    ) -> Result<Option<ContactStarted>, Error> {
        let Some(asked_by) = asked_by else { return Ok(None) };
        let Some(known) = contact::lock_by_mobile(self.tx, mobile_index)? else { return Ok(None) };
        let out = one_time_code::lock(self.tx, known.id, SIGN_IN)?.filter(|out| out.expires_at > self.at);
        let Some(before) = out.as_ref().and_then(|out| out.asked_by.as_deref()) else { return Ok(None) };
        if !before.starts_with(&asked_by.key) {
            return Ok(None);
        }
        if before != asked_by.stored() {
            let other = Error::new(ErrorKind::Unprocessable, "idempotency_mismatch");
            return Err(other.about("Idempotency-Key"));
        }
        let id = ContactId::from_uuid(known.id);
        Ok(out.map(|out| started(id, mobile, out.expires_at.to_string())))
    }

    /// Uses the code of a sign-in up. For a request that may be repeated it stays noted until its
    /// end; the session's token then follows from code and request, so that it need not be kept.
    fn use_up(&mut self, contact: Uuid, used_by: Option<Vec<u8>>) -> Result<CodeUse, Error> {
        let out = one_time_code::lock(self.tx, contact, SIGN_IN)?;
        let out = out.ok_or_else(|| Error::internal("a code that was right is not out"))?;
        let Some(used_by) = used_by else {
            if out.used_by.is_some() {
                return Ok(CodeUse::Other);
            }
            one_time_code::remove(self.tx, contact, SIGN_IN)?;
            return Ok(CodeUse::First { secret: self.draw::<32>().to_vec() });
        };
        let (code, request) = (hex::encode(&out.hash), hex::encode(&used_by));
        let text = format!("{}|{code}|{}|{request}", contact.simple(), out.expires_at.micros());
        let secret = self.shared.vault.code_hash(domain_of::SESSION, &text);
        match out.used_by {
            None => {
                one_time_code::use_up(self.tx, contact, SIGN_IN, &used_by)?;
                Ok(CodeUse::First { secret })
            }
            Some(before) if before == used_by => Ok(CodeUse::Repeated { secret }),
            Some(_) => Ok(CodeUse::Other),
        }
    }

    /// The session with the token of these bytes, unless it was ended.
    fn session_of(&mut self, secret: &[u8]) -> Result<Result<SessionView, Error>, Error> {
        let token = self.token_of(secret);
        let hash = self.shared.vault.code_hash(domain_of::TOKEN, &token);
        let found = access_key::find_by_secret(self.tx, &hash)?.filter(|row| row.revoked_at.is_none());
        let Some((merchant, end)) = found.and_then(|row| row.merchant_id.zip(row.expires_at)) else {
            return Ok(Err(wrong_code()));
        };
        let merchant_id = MerchantId::from_uuid(merchant).to_string();
        Ok(Ok(SessionView { token, merchant_id, expires_at: end.to_string() }))
    }

    /// Counts one code for this subject, or refuses when it had too many lately.
    fn count_code(&mut self, kind: &str, subject: &[u8], limit: Limit) -> Result<(), Error> {
        if let Standing::Locked { until } = attempt::standing(self.tx, kind, subject, self.at, limit)? {
            let wait = until.seconds_since(self.at).max(1);
            return Err(Error::new(ErrorKind::RateLimited, "rate_limited").retry_after(wait));
        }
        attempt::fail(self.tx, kind, subject, self.at, limit).map(|_| ()).map_err(Error::from)
    }

    /// Counts one code of this kind for a merchant: each is a message at our cost and five more
    /// guesses.
    pub(crate) fn count_merchant_code(&mut self, kind: &str, merchant: MerchantId) -> Result<(), Error> {
        let subject = self.shared.vault.code_hash(domain_of::ATTEMPT, &format!("merchant|{merchant}"));
        self.count_code(kind, &subject, PER_NUMBER)
    }

    /// The contact of a number, about to be sent a code.
    ///
    /// A new one's id tells no time: whoever asks for a code must not learn from it whether the
    /// number was known. What is known of a number changes only once it has proved itself; before,
    /// whoever asks may be anybody, and an e-mail address stands only while nobody says another.
    fn unproved_contact(
        &mut self,
        mobile_index: Vec<u8>,
        mobile: &str,
        email: Option<&str>,
    ) -> Result<ContactRow, Error> {
        // Locked, as whoever signs in locks it first and the code after: what they write stands.
        let Some(known) = contact::lock_by_mobile(self.tx, &mobile_index)? else {
            let id = Builder::from_random_bytes(self.draw()).into_uuid();
            let row = ContactRow {
                id,
                mobile_index,
                profile: self.seal_profile(id, mobile, email)?,
                merchant_id: None,
                verified_at: None,
                created_at: self.at,
            };
            contact::insert(self.tx, &row)?;
            return Ok(row);
        };
        if known.verified_at.is_some() {
            return Ok(known);
        }
        let out = one_time_code::lock(self.tx, known.id, SIGN_IN)?;
        let asked_already = out.is_some_and(|code| code.expires_at > self.at);
        let said = if asked_already { self.profile_of(&known)?.email } else { email.map(str::to_owned) };
        let email = email.filter(|email| said.as_deref() == Some(*email));
        let profile = self.seal_profile(known.id, mobile, email)?;
        let known = ContactRow { profile, ..known };
        contact::update(self.tx, &known)?;
        Ok(known)
    }

    fn seal_profile(&mut self, id: Uuid, mobile: &str, email: Option<&str>) -> Result<Vec<u8>, Error> {
        let profile = ContactProfile { mobile: mobile.to_owned(), email: email.map(str::to_owned) };
        let context = profile_context(ContactId::from_uuid(id));
        self.seal(PLATFORM, &context, &serde_json::to_vec(&profile)?)
    }

    fn profile_of(&mut self, row: &ContactRow) -> Result<ContactProfile, Error> {
        let profile = self.open(PLATFORM, &profile_context(ContactId::from_uuid(row.id)), &row.profile)?;
        Ok(serde_json::from_slice(&profile)?)
    }

    /// Sends a contact a fresh code for a purpose. An earlier one for the same purpose is void.
    /// Answers its end.
    pub(crate) fn send_code(
        &mut self,
        row: &ContactRow,
        purpose: &str,
        template: Template,
        mobile: &str,
        asked_by: Option<&[u8]>,
    ) -> Result<String, Error> {
        let code = self.draw_digits(CODE_DIGITS);
        let end = self.at.plus_seconds(CODE_SECONDS);
        let bound = bound_code(row.id, purpose, &code);
        let hash = self.shared.vault.code_hash(domain_of::ONE_TIME_CODE, &bound);
        one_time_code::put(self.tx, row.id, purpose, &hash, end, asked_by)?;
        let merchant = row.merchant_id.map(MerchantId::from_uuid);
        self.notify(&Notice::sms(merchant, template, mobile, &code))?;
        Ok(end.to_string())
    }

    /// Tries a code once. A wrong one is counted and must be committed, so the refusal comes back
    /// as a value; a right one stays until the caller takes it back in the transaction it is for.
    pub(crate) fn try_code(
        &mut self,
        contact: Uuid,
        purpose: &str,
        code: &str,
    ) -> Result<Result<(), Error>, Error> {
        let out = one_time_code::lock(self.tx, contact, purpose)?;
        let Some(out) = out else { return Ok(Err(wrong_code())) };
        let bound = bound_code(contact, purpose, code.trim());
        let is_right = || self.shared.vault.code_matches(domain_of::ONE_TIME_CODE, &bound, &out.hash);
        if out.expires_at <= self.at {
            // That it is too late learns only who had the code; to others it is just wrong.
            let late = out.used_by.is_none() && out.tries < CODE_TRIES_MAX && is_right();
            return Ok(Err(if late { Error::invalid("code_expired", "code") } else { wrong_code() }));
        }
        if out.tries >= CODE_TRIES_MAX {
            // No time is named: this code stays void, and another one can be had at once.
            return Ok(Err(Error::new(ErrorKind::Locked, "code_locked").about("code")));
        }
        if is_right() {
            return Ok(Ok(()));
        }
        self.miss_code(contact, purpose).map(Err)
    }

    /// Whether a code for this purpose is out: one that was asked for, whatever became of it since.
    pub(crate) fn is_code_out(&mut self, contact: Uuid, purpose: &str) -> Result<bool, Error> {
        Ok(one_time_code::lock(self.tx, contact, purpose)?.is_some())
    }

    /// Counts a wrong try; what the caller is told of it.
    fn miss_code(&mut self, contact: Uuid, purpose: &str) -> Result<Error, Error> {
        let tries = one_time_code::miss(self.tx, contact, purpose)?;
        Ok(Error { tries_left: Some(CODE_TRIES_MAX.saturating_sub(tries)), ..wrong_code() })
    }

    /// The contact that owns a merchant.
    pub(crate) fn contact_of(&mut self, merchant: MerchantId) -> Result<(ContactRow, ContactProfile), Error> {
        let row = contact::list_by_merchant(self.tx, merchant.uuid(), None, 1)?
            .rows
            .pop()
            .ok_or_else(|| Error::internal("a merchant has no contact"))?;
        let profile = self.profile_of(&row)?;
        Ok((row, profile))
    }

    /// Removes what is known of a merchant's contacts but the keyed index of their number, by which
    /// the same person comes back as somebody new; how many there were.
    pub(crate) fn clear_contacts(&mut self, merchant: MerchantId) -> Result<u64, Error> {
        let mut cleared = 0;
        while let Some(mut row) = contact::list_by_merchant(self.tx, merchant.uuid(), None, 1)?.rows.pop() {
            row.profile = self.seal_profile(row.id, "", None)?;
            (row.merchant_id, row.verified_at) = (None, None);
            // The contact's lock before its code's, as signing in takes them.
            contact::update(self.tx, &row)?;
            one_time_code::forget(self.tx, row.id)?;
            cleared += 1;
        }
        Ok(cleared)
    }

    fn open_merchant(&mut self) -> Result<MerchantId, Error> {
        let id: MerchantId = self.new_id();
        let profile = self.seal(id.uuid(), &format!("merchant|{id}"), b"{}")?;
        merchant::insert(
            self.tx,
            &MerchantRow { id: id.uuid(), created_at: self.at, profile, subject_index: None },
        )?;
        self.request_capabilities(id)?;
        Ok(id)
    }
}

/// Where somebody says they can be reached; every part of it that cannot be true is named.
fn reachable(wanted: &StartContact) -> Result<(String, Option<String>), Error> {
    let mobile = Mobile::parse(&wanted.mobile).map_err(|invalid| FieldError::identifier("mobile", invalid));
    let email = wanted.email.as_deref().map(crate::form::email).transpose();
    match (mobile, email.map_err(|code| FieldError::new("email", code))) {
        (Ok(mobile), Ok(email)) => Ok((mobile.expose().to_owned(), email)),
        (Err(wrong), Ok(_)) | (Ok(_), Err(wrong)) => Err(Error {
            particular: wrong.particular.map(Box::new),
            ..Error::invalid(wrong.code, wrong.field)
        }),
        (Err(one), Err(other)) => Err(Error::invalid_fields(vec![one, other])),
    }
}

/// Refuses what can be no code before it is counted as a try.
pub(crate) fn six_digits(code: &str) -> Result<(), Error> {
    let code = code.trim();
    let is_code = code.len() == CODE_DIGITS && code.bytes().all(|byte| byte.is_ascii_digit());
    if is_code { Ok(()) } else { Err(Error::invalid("code_format", "code")) }
}

fn wrong_code() -> Error {
    Error::invalid("code_invalid", "code")
}

fn started(id: ContactId, mobile: &str, expires_at: String) -> ContactStarted {
    ContactStarted { contact_id: id.to_string(), mobile: crate::form::masked(mobile, 3, 4), expires_at }
}

fn profile_context(id: ContactId) -> String {
    format!("contact|{id}")
}

/// A code is bound to its contact and its purpose: a sign-in code signs no agreement.
fn bound_code(contact: Uuid, purpose: &str, code: &str) -> String {
    format!("{}|{purpose}|{code}", contact.simple())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_no_code_is_told_so() {
        assert!([" 012345 ", "999999"].iter().all(|code| six_digits(code).is_ok()));
        for code in ["", "12345", "1234567", "12345a", "１２３４５６"] {
            assert_eq!(six_digits(code).unwrap_err().code, "code_format", "{code:?}");
        }
    }

    #[test]
    fn whatever_is_wrong_with_where_somebody_is_reached_is_named_at_once() {
        let refused = |mobile: &str, email: &str| {
            let wanted = StartContact { mobile: mobile.to_owned(), email: Some(email.to_owned()) };
            let error = reachable(&wanted).unwrap_err();
            let fields = error.fields.into_iter().map(|wrong| (wrong.field, wrong.code)).collect::<Vec<_>>();
            (error.code, error.field.unwrap(), fields)
        };
        assert_eq!(refused("15400000001", "nope"), ("email", "email".to_owned(), Vec::new()));
        let (_, field, fields) = refused("1540000000", "a@example.test");
        assert_eq!((field.as_str(), fields.len()), ("mobile", 0));
        let (code, field, fields) = refused("1540000000", "nope");
        assert_eq!((code, field.as_str()), ("validation_failed", "mobile"));
        let named: Vec<_> = fields.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(named, ["mobile", "email"]);
    }
}
