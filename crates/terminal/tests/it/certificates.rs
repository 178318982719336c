//! The test platform's half of the certificate's life.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use starpay_keys::certificate::{self, CertificateRequest, DeviceSubject};
use starpay_keys::keystore::Keystore;
use starpay_keys::random::OsRandom;
use starpay_keys::wire;

use crate::platform::{Answer, DEVICE_ID, Quirk, SERIAL, b64, refuse};

const DAY_S: i64 = 86_400;

/// A certificate by serial number, with its last second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) serial: String,
    pub(crate) not_after_s: i64,
}

/// What the platform knows of the terminal's certificates.
#[derive(Debug, Default)]
pub(crate) struct Certificates {
    /// The one in force, and whether it was recalled.
    pub(crate) present: Option<Known>,
    pub(crate) recalled: bool,
    /// Issued and not confirmed.
    pub(crate) next: Option<Known>,
    /// Answers by the key they were for.
    pub(crate) issued: BTreeMap<String, (Known, Value)>,
    /// How often a renewal was confirmed.
    pub(crate) confirmed: u32,
}

impl Certificates {
    pub(crate) fn status(&self, now_s: i64) -> Value {
        let Some(present) = &self.present else { return Value::Null };
        let standing = match present.not_after_s - now_s {
            left if left < -90 * DAY_S => "over",
            _ if self.recalled => "recalled",
            left if left < 0 => "ended",
            left if left < 60 * DAY_S => "due",
            _ => "in_force",
        };
        json!({"serial": present.serial, "until": "2027-11-23T07:41:11Z",
            "renew_from": "2027-09-24T07:41:11Z", "standing": standing})
    }

    /// Whether a connection opened with that certificate may speak.
    pub(crate) fn takes(&self, shown: &str) -> bool {
        let is = |known: &Option<Known>| known.as_ref().is_some_and(|known| known.serial == shown);
        is(&self.present) && !self.recalled || is(&self.next)
    }

    pub(crate) fn counts(&self, now_s: i64) -> bool {
        self.present.as_ref().is_some_and(|present| present.not_after_s >= now_s) && !self.recalled
    }

    pub(crate) fn renew(&mut self, keystore: &Keystore, quirk: Quirk, body: &Value, now_s: i64) -> Answer {
        let request = CertificateRequest::parse(&b64(&body["csr"])).unwrap();
        assert_eq!(request.common_name(), SERIAL);
        let key = hex::encode(request.public_key().thumbprint());
        if let Some((known, answer)) = self.issued.get(&key)
            && self.next.as_ref() == Some(known)
        {
            return Ok(answer.clone());
        }
        if self.issued.contains_key(&key) {
            return Err(refuse(409, "csr_key_used", "csr".into()));
        }
        match self.status(now_s)["standing"].as_str() {
            Some("due" | "recalled" | "ended") => {}
            Some("over") => return Err(refuse(403, "renewal_over", Value::Null)),
            _ => return Err(refuse(409, "renewal_not_due", Value::Null)),
        }
        let serial = if quirk == Quirk::RenewsForAnother { "99990004STAR00000002" } else { SERIAL };
        let made = certificate::issue_device(
            keystore,
            &keystore.root_certificate(),
            &request,
            DeviceSubject { serial, device_id: DEVICE_ID },
            now_s,
            &OsRandom,
        )
        .unwrap();
        let known = Known { serial: made.serial(), not_after_s: made.not_after_s() };
        let answer = json!({"certificate": wire::base64url(made.der()), "certificate_serial": made.serial(),
            "ca": wire::base64url(keystore.root_certificate().der()), "not_after": "2028-11-22T07:41:11Z"});
        self.next = Some(known.clone());
        self.issued.insert(key, (known, answer.clone()));
        Ok(answer)
    }

    pub(crate) fn confirm(&mut self, shown: Option<&str>, body: &Value, now_s: i64) -> Answer {
        let said = body["certificate_serial"].as_str().unwrap();
        let in_force = self.present.as_ref().is_some_and(|present| present.serial == said);
        if !in_force {
            let Some(next) = self.next.take_if(|next| next.serial == said) else {
                return Err(refuse(422, "certificate_mismatch", "certificate_serial".into()));
            };
            // A terminal tries a certificate before it lets the old one go.
            assert!(shown.is_none_or(|shown| shown == said), "confirmed over another certificate");
            self.present = Some(next);
            self.recalled = false;
            self.confirmed += 1;
        }
        Ok(self.status(now_s))
    }
}
