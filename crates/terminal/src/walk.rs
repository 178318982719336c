//! What each step sends, and what it makes of the answer.

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use starpay_keys::envelope::EnvelopePublicKey;
use starpay_keys::{constant_time_eq, random, wire};

use crate::activation::{Done, Terminal};
use crate::answer::{BackupDocument, Claimed, Configuration, SignedStatement, Status};
use crate::attendant::Attendant;
use crate::device::{FREE_KIB, Printer};
use crate::fault::Fault;
use crate::journal::{Activation, AppliedConfiguration, ClaimNonces, Progress};
use crate::keyset::{Expected, KeySet};
use crate::link::{Repeat, Request};
use crate::network_test::{self, NetworkTest};
use crate::operator;
use crate::{Error, Step};

/// The merchant's document, kept sealed in the folder.
const BACKUP_FILE: &str = "merchant-backup.sealed";

impl Terminal<'_> {
    /// Sends one step after the claim.
    pub(crate) fn send(&mut self, step: Step, attendant: &mut dyn Attendant) -> Result<Done, Error> {
        match step {
            Step::Claim => Err(Error::NoAnswer("a claim needs a code".to_owned())),
            Step::Identity => self.prove_identity(),
            Step::Compatibility => self.tell_compatibility(),
            Step::Network => self.test_network(),
            Step::Location => self.tell_location(),
            Step::Backup => self.keep_backup(),
            Step::Keys => self.load_keys(),
            Step::Configuration => self.apply_configuration(),
            Step::SignIn => self.sign_in(),
            Step::Pin => self.set_pins(attendant),
            Step::Test => self.run_test(),
        }
    }

    /// Redeems the code noted in the journal.
    pub(crate) fn redeem(&mut self, fault: Option<Fault>) -> Result<String, Error> {
        let Progress::Claiming { code, device_nonce } = &self.journal.progress else {
            return Err(Error::NoAnswer("there is no activation code to redeem".to_owned()));
        };
        let device_nonce = device_nonce.clone();
        let mut body = json!({
            "code": code.expose_secret(),
            "serial": self.device.serial(),
            "model": self.device.model(),
            "firmware": self.device.firmware(),
            "sign_key": wire::base64url(&self.device.sign_key_der()),
            "envelope_key": wire::base64url(&self.device.envelope_key()),
            "device_nonce": device_nonce,
        });
        let request = Request::post("/terminal/v1/claims", &body)?;
        let claimed = self.link.call::<Claimed>(&self.device, &request)?.content;
        if fault == Some(Fault::ClonedSerial) {
            self.try_clone(&mut body)?;
        }
        let claim = ClaimNonces {
            device_auth_id: claimed.device_auth_id,
            challenge: claimed.challenge,
            server_nonce: claimed.server_nonce,
            device_nonce,
        };
        let detail = claimed.status.activation_id.clone();
        self.journal.progress = Progress::Claimed(Box::new(Activation::new(claimed.status, Some(claim))));
        self.save()?;
        Ok(detail)
    }

    /// Another device with our serial and its own keys tries the same code.
    fn try_clone(&mut self, body: &mut Value) -> Result<(), Error> {
        let twin = self.device.twin(self.surroundings.random());
        body["sign_key"] = wire::base64url(&twin.sign_key_der()).into();
        body["envelope_key"] = wire::base64url(&twin.envelope_key()).into();
        let request = Request::post("/terminal/v1/claims", &*body)?;
        match self.link.call::<Value>(&twin, &request) {
            Err(Error::Refused(refusal)) if refusal.status < 500 => Ok(()),
            Err(error) => Err(error),
            Ok(_) => Err(Error::FaultAccepted {
                fault: Fault::ClonedSerial.name(),
                expected: "a refusal",
                got: "a claim".to_owned(),
            }),
        }
    }

    /// What is known of the activation.
    fn activation(&mut self) -> Result<&mut Activation, Error> {
        match &mut self.journal.progress {
            Progress::Claimed(activation) => Ok(activation),
            Progress::Unclaimed | Progress::Claiming { .. } => {
                Err(Error::NoAnswer("there is no activation yet".to_owned()))
            }
        }
    }

    /// The path of something of this activation.
    fn path(&mut self, last: &str) -> Result<String, Error> {
        Ok(format!("/terminal/v1/activations/{}/{last}", self.activation()?.status.activation_id))
    }

    /// Posts a step and takes its status.
    fn post(&mut self, last: &str, body: &Value, detail: impl Into<String>) -> Result<Done, Error> {
        let request = Request::post(self.path(last)?, body)?;
        let answer = self.link.call::<Status>(&self.device, &request)?;
        Ok(Done { status: answer.content, retry_after: answer.retry_after, detail: detail.into() })
    }

    /// Step 2: the sign key's word over challenge, nonces and the certificate request. A TLS key that
    /// the platform certifies no more (it was renewed or recalled in an earlier activation) is
    /// made anew, once.
    fn prove_identity(&mut self) -> Result<Done, Error> {
        match self.send_proof() {
            Err(Error::Refused(refusal)) if refusal.code == "csr_key_used" => {
                self.device.make_tls_key(&self.folder, self.surroundings)?;
                self.send_proof()
            }
            sent => sent,
        }
    }

    fn send_proof(&mut self) -> Result<Done, Error> {
        let activation = self.activation()?;
        let activation_id = activation.status.activation_id.clone();
        let claim = claim_of(activation)?;
        let csr_der = self.device.certificate_request()?;
        let identity = wire::Identity {
            activation_id: &activation_id,
            serial: self.device.serial(),
            challenge: &array(&claim.challenge, "challenge")?,
            server_nonce: &array(&claim.server_nonce, "server_nonce")?,
            device_nonce: &array(&claim.device_nonce, "device_nonce")?,
            csr_der: &csr_der,
        };
        let proof = self.device.sign(wire::identity_text(&identity).as_bytes());
        let body = json!({
            "device_nonce": claim.device_nonce,
            "server_nonce": claim.server_nonce,
            "challenge": claim.challenge,
            "csr": wire::base64url(&csr_der),
            "proof": wire::base64url(&proof),
        });
        let key = self.device.sign_key_id().get(..16).unwrap_or_default().to_owned();
        self.post("identity", &body, format!("{} key {key}", claim.device_auth_id))
    }

    /// Step 3.
    fn tell_compatibility(&mut self) -> Result<Done, Error> {
        let body = json!({
            "model": self.device.model(),
            "firmware": self.device.firmware(),
            "printer": self.device.printer() == Printer::Ready,
            "positioning": true,
            "free_kib": FREE_KIB,
        });
        let detail = format!("{} {}", self.device.model(), self.device.firmware());
        self.post("compatibility", &body, detail)
    }

    /// Step 4: a broken leg on our side is named before anything is sent.
    fn test_network(&mut self) -> Result<Done, Error> {
        let test = NetworkTest { trust: &self.trust, surroundings: self.surroundings };
        let legs = test.run(&mut self.link)?;
        if let Some(broken) = network_test::broken(&legs) {
            return Err(Error::Unreachable { leg: broken.leg, detail: broken.detail.clone() });
        }
        let detail =
            legs.iter().map(|leg| format!("{} {} ms", leg.leg, leg.ms)).collect::<Vec<_>>().join(", ");
        self.post("network", &json!({ "legs": legs }), detail)
    }

    /// Step 5.
    fn tell_location(&mut self) -> Result<Done, Error> {
        let position = self.position;
        let body = json!({
            "latitude_e6": position.latitude_e6,
            "longitude_e6": position.longitude_e6,
            "accuracy_m": position.accuracy_m,
            "source": position.source,
        });
        self.post("location", &body, format!("within {} m", position.accuracy_m))
    }

    /// Step 6: the document is kept before it is acknowledged.
    fn keep_backup(&mut self) -> Result<Done, Error> {
        let request = Request::get(self.path("backup")?);
        let answer = self.link.call::<BackupDocument>(&self.device, &request)?.content;
        let document = wire::from_base64url(&answer.document).ok_or_else(|| Error::Malformed {
            request: "GET backup".to_owned(),
            detail: "document is not base64url".to_owned(),
        })?;
        let sha256 = hex::encode(Sha256::digest(&document));
        if !constant_time_eq(sha256.as_bytes(), answer.sha256.to_lowercase().as_bytes()) {
            return Err(Error::Damaged { what: "the merchant's document".to_owned(), proof: "hash" });
        }
        self.folder.store_bytes(BACKUP_FILE, &document, self.surroundings)?;
        self.activation()?.backup_sha256 = Some(sha256.clone());
        self.save()?;
        self.post("backup", &json!({ "sha256": sha256 }), format!("{} bytes kept", document.len()))
    }

    /// Step 7: asks for the keys, installs them, confirms with the key check value.
    ///
    /// A terminal that slept between installing and confirming may find its set given up; it then
    /// asks one new question.
    fn load_keys(&mut self) -> Result<Done, Error> {
        self.receive_keys()?;
        match self.confirm_keys() {
            Err(Error::Refused(refusal)) if refusal.code == "key_version_stale" => {
                self.activation()?.keys_nonce = None;
                self.receive_keys()?;
                self.confirm_keys()
            }
            outcome => outcome,
        }
    }

    /// Step 7a. A key set already in the folder for this question was installed before a power
    /// cut, and is not asked for again.
    fn receive_keys(&mut self) -> Result<(), Error> {
        let fresh = wire::base64url(&random::array::<16>(self.surroundings.random()));
        let activation = self.activation()?;
        let device_nonce = activation.keys_nonce.get_or_insert(fresh).clone();
        let activation_id = activation.status.activation_id.clone();
        let claim = claim_of(activation)?;
        self.save()?;
        if self.keys.as_ref().is_some_and(|keys| keys.answers(&activation_id, &device_nonce)) {
            return Ok(());
        }
        let request = Request::post(self.path("keys")?, &json!({ "device_nonce": device_nonce }))?;
        let signed = self.link.call::<SignedStatement>(&self.device, &request)?.content;
        let expected = Expected {
            activation_id: &activation_id,
            device_nonce: &device_nonce,
            server_nonce: &claim.server_nonce,
            version_above: self.keys.as_ref().map_or(0, KeySet::version),
            now_ms: self.link.now_ms(),
        };
        let keys = KeySet::receive(&signed, &expected, &self.device, &self.trust)?;
        keys.install(&self.folder, self.surroundings)?;
        self.keys = Some(keys);
        Ok(())
    }

    /// Step 7b. The question is over only when the platform has heard its end.
    fn confirm_keys(&mut self) -> Result<Done, Error> {
        let keys = self.keys.as_ref().ok_or_else(|| Error::Keys("no keys after installing".to_owned()))?;
        let body = json!({
            "key_version": keys.version(),
            "kcv": keys.kcv(),
            "certificate_serial": keys.certificate_serial(),
        });
        let detail = format!("version {} KCV {}", keys.version(), keys.kcv());
        let done = self.post("keys/confirm", &body, detail)?;
        self.activation()?.keys_nonce = None;
        Ok(done)
    }

    /// Step 8: the hash is checked over what was read, and written down before it is acknowledged.
    fn apply_configuration(&mut self) -> Result<Done, Error> {
        let request = Request::get(self.path("config")?);
        let answer = self.link.call::<Configuration>(&self.device, &request)?.content;
        let sha256 = hex::encode(Sha256::digest(canonical(&answer.values).as_bytes()));
        if !constant_time_eq(sha256.as_bytes(), answer.sha256.to_lowercase().as_bytes()) {
            return Err(Error::Damaged { what: "the configuration".to_owned(), proof: "hash" });
        }
        let version = answer.version;
        self.activation()?.configuration =
            Some(AppliedConfiguration { version, sha256: sha256.clone(), values: answer.values });
        self.save()?;
        let body = json!({ "version": version, "sha256": sha256 });
        self.post("config", &body, format!("version {version}"))
    }

    /// Version of the installed keys.
    fn key_version(&self) -> Result<u32, Error> {
        match &self.keys {
            Some(keys) => Ok(keys.version()),
            None => Err(Error::Keys("the keys delivered to this terminal are gone".to_owned())),
        }
    }

    /// Step 9.
    fn sign_in(&mut self) -> Result<Done, Error> {
        let version = self.key_version()?;
        self.post("sign-in", &json!({ "key_version": version, "amount_fen": 0 }), "0.00")
    }

    /// Step 10: asks until the platform takes the PINs.
    fn set_pins(&mut self, attendant: &mut dyn Attendant) -> Result<Done, Error> {
        let device_id = self.activation()?.status.device_id.clone();
        let platform = self.platform_key()?;
        let mut refused = None;
        loop {
            let operators = match (attendant.operators(refused.as_ref()), refused.take()) {
                (Err(Error::NoAnswer(_)), Some(refusal)) => return Err(refusal.into()),
                (answer, _) => answer?,
            };
            let sealed: Vec<_> = operators
                .iter()
                .map(|operator| operator.seal(&platform, &device_id, self.surroundings.random()))
                .collect::<Result<_, _>>()?;
            let detail = format!("{} operators", sealed.len());
            match self.post("pin", &json!({ "operators": sealed }), detail) {
                Err(Error::Refused(refusal)) if refusal.is_about_pin() => refused = Some(*refusal),
                outcome => return outcome,
            }
        }
    }

    /// Step 11.
    fn run_test(&mut self) -> Result<Done, Error> {
        let version = self.key_version()?;
        let printed = self.device.printer() == Printer::Ready;
        self.post("test", &json!({ "amount_fen": 0, "key_version": version, "printed": printed }), "0.00")
    }

    /// The key under which PINs travel.
    fn platform_key(&self) -> Result<EnvelopePublicKey, Error> {
        match &self.keys {
            Some(keys) => Ok(*keys.platform_key()),
            None => Err(Error::Keys("the keys delivered to this terminal are gone".to_owned())),
        }
    }

    /// Asks the platform whether a PIN is right. Sent once: a lost answer must not cost a second try.
    ///
    /// # Errors
    /// [`Error::Refused`] with `pin_wrong` or `operator_locked`, or what kept the question from its answer.
    pub fn verify_operator(&mut self, number: &str, pin: &secrecy::SecretString) -> Result<(), Error> {
        match self.ask_about_operator(number, pin) {
            // Refused at the door: no try was counted. A certificate that ended is renewed at once.
            Err(Error::Refused(refusal)) if refusal.is_about_certificate() => {
                self.renew_certificate()?;
                self.ask_about_operator(number, pin)
            }
            outcome => outcome,
        }
    }

    fn ask_about_operator(&mut self, number: &str, pin: &secrecy::SecretString) -> Result<(), Error> {
        let device_id = self.activation()?.status.device_id.clone();
        let platform = self.platform_key()?;
        let sealed = operator::seal_pin(&platform, &device_id, number, pin, self.surroundings.random())?;
        let body = json!({ "number": number, "pin": sealed });
        let mut request = Request::post("/terminal/v1/operators/verify", &body)?;
        request.repeat = Repeat::Never;
        self.link.call::<Value>(&self.device, &request)?;
        self.save()
    }
}

fn claim_of(activation: &Activation) -> Result<ClaimNonces, Error> {
    activation.claim.clone().ok_or_else(|| Error::NoAnswer("the claim's nonces are not known".to_owned()))
}

fn array<const N: usize>(text: &str, name: &str) -> Result<[u8; N], Error> {
    wire::array_from_base64url(text).ok_or_else(|| Error::Malformed {
        request: "POST /terminal/v1/claims".to_owned(),
        detail: format!("{name} is not {N} bytes in base64url"),
    })
}

/// JSON text with keys sorted at every level and no spaces: the form the configuration's hash is over.
pub(crate) fn canonical(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_by(|left, right| left.0.cmp(right.0));
            let fields: Vec<_> = sorted
                .into_iter()
                .map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), canonical(value)))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(","))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_hash_does_not_depend_on_the_order_of_keys() {
        let one: Value =
            serde_json::from_str(r#"{"b":[1,{"z":null,"a":"图"}],"a":{"d":true,"c":2}}"#).unwrap();
        assert_eq!(canonical(&one), r#"{"a":{"c":2,"d":true},"b":[1,{"a":"图","z":null}]}"#);
    }
}
