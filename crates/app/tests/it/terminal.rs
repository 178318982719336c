//! The device's side, with the device's own half of `starpay-keys`.

use crate::world::{SERIAL, World};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use starpay_app::port::Clock;
use starpay_app::view::{
    BackupAcknowledgement, Claim, Claimed, CompatibilityReport, ConfigAcknowledgement, IdentityProof,
    KeyConfirmation, KeyRequest, Leg, LocationReport, NetworkReport, OperatorSetting, PinEnvelope,
    PinSetting, PinVerification, SignIn, TerminalStatus, TestCall, VerifyOperator,
};
use starpay_app::{Actor, Error, Replayed, SignedRequest};
use starpay_domain::id::{ActivationId, TypedId};
use starpay_keys::delivery::{KeySet, Question, SignedStatement, accept};
use starpay_keys::device::DeviceKeys;
use starpay_keys::envelope::{self, EnvelopePublicKey};
use starpay_keys::{OsRandom, random, wire};
use std::net::IpAddr;

/// A PIN that is on no list.
pub(crate) const PIN: &str = "739164";

/// A terminal with keys of its own.
pub(crate) struct Terminal<'w> {
    pub(crate) world: &'w World,
    pub(crate) keys: DeviceKeys,
    pub(crate) serial: String,
    device_nonce: [u8; 16],
    pub(crate) claimed: Option<Claimed>,
    pub(crate) installed: Option<KeySet>,
}

/// The steps between claim and 已激活.
pub(crate) const STEPS: [&str; 10] = [
    "identity",
    "compatibility",
    "network",
    "location",
    "backup",
    "keys",
    "config",
    "sign-in",
    "pin",
    "test",
];

impl<'w> Terminal<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        Self {
            world,
            keys: DeviceKeys::generate(&OsRandom),
            serial: SERIAL.to_owned(),
            device_nonce: random::array(&OsRandom),
            claimed: None,
            installed: None,
        }
    }

    /// A signed request with a fresh nonce.
    pub(crate) fn signed(&self, method: &str, path: &str, body: &[u8]) -> SignedRequest {
        let timestamp = self.world.clock.now().millis();
        let nonce = wire::base64url(&random::array::<16>(&OsRandom));
        let text = wire::request_text(method, path, timestamp, &nonce, body);
        SignedRequest {
            key: hex::encode(self.keys.sign_key().thumbprint()),
            timestamp: timestamp.to_string(),
            nonce,
            signature: wire::base64url(&self.keys.sign(text.as_bytes()).to_bytes()),
            method: method.to_owned(),
            path_and_query: path.to_owned(),
            body: Bytes::copy_from_slice(body),
            certificate: None,
        }
    }

    /// The claim's body for this code.
    pub(crate) fn claim_body(&self, code: &str) -> Claim {
        Claim {
            code: code.to_owned(),
            serial: self.serial.clone(),
            model: "STAR-A1".to_owned(),
            firmware: "1.4.0".to_owned(),
            sign_key: wire::base64url(&self.keys.sign_key().spki_der()),
            envelope_key: wire::base64url(&self.keys.envelope_key().to_bytes()),
            device_nonce: wire::base64url(&self.device_nonce),
        }
    }

    /// Step 1.
    pub(crate) async fn claim(&mut self, code: &str) -> Result<Replayed, Error> {
        self.claim_from(code, Some("192.0.2.7".parse().unwrap())).await
    }

    /// Step 1, from this address.
    pub(crate) async fn claim_from(
        &mut self,
        code: &str,
        address: Option<IpAddr>,
    ) -> Result<Replayed, Error> {
        let body = self.claim_body(code);
        let request = self.signed("POST", "/terminal/v1/claims", &serde_json::to_vec(&body).unwrap());
        let (claimed, replayed) = self.world.platform.asked_from(address).claim(&request, body).await?;
        self.claimed = Some(claimed);
        Ok(replayed)
    }

    /// Who the platform takes it for.
    pub(crate) async fn actor(&self) -> Actor {
        let request = self.signed("GET", "/terminal/v1/activations/current", b"");
        self.world.platform.authenticate_terminal(&request).await.unwrap()
    }

    pub(crate) fn id(&self) -> ActivationId {
        ActivationId::parse(&self.claimed.as_ref().unwrap().status.activation_id).unwrap()
    }

    pub(crate) async fn status(&self) -> Result<TerminalStatus, Error> {
        self.world.platform.terminal_status(&self.actor().await, self.id()).await
    }

    /// One step by the last word of its path, done well.
    pub(crate) async fn step(&mut self, step: &str) -> Result<TerminalStatus, Error> {
        let (actor, id, platform) = (self.actor().await, self.id(), &self.world.platform);
        match step {
            "identity" => platform.prove_identity(&actor, id, self.identity()).await,
            "compatibility" => platform.report_compatibility(&actor, id, compatible()).await,
            "network" => platform.report_network(&actor, id, network()).await,
            "location" => platform.report_location(&actor, id, location(22_543_100, "gnss")).await,
            "backup" => {
                let document = platform.backup_document(&actor, id).await?;
                let bytes = wire::from_base64url(&document.document).unwrap();
                assert_eq!(hex::encode(Sha256::digest(bytes)), document.sha256);
                let kept = BackupAcknowledgement { sha256: document.sha256 };
                platform.acknowledge_backup(&actor, id, kept).await
            }
            "keys" => {
                let nonce = random::array(&OsRandom);
                self.load(nonce).await?;
                self.confirm(self.confirmation()).await
            }
            "config" => {
                let config = platform.device_config(&actor, id).await?;
                let text = serde_json::to_string(&config.values).unwrap();
                assert_eq!(hex::encode(Sha256::digest(text)), config.sha256);
                let applied = ConfigAcknowledgement { version: config.version, sha256: config.sha256 };
                platform.acknowledge_config(&actor, id, applied).await
            }
            "sign-in" => {
                let said = SignIn { key_version: self.key_version(), amount_fen: 0 };
                platform.sign_in(&actor, id, said).await
            }
            "pin" => platform.set_pins(&actor, id, self.operators(&[("01", "manager", PIN)])).await,
            "test" => {
                let said = TestCall { amount_fen: 0, key_version: self.key_version(), printed: true };
                platform.test_call(&actor, id, said).await
            }
            other => panic!("no such step: {other}"),
        }
    }

    /// The steps from the claim until this one, itself left out.
    pub(crate) async fn until(&mut self, step: &str) {
        for before in STEPS.iter().take_while(|name| **name != step) {
            self.step(before).await.unwrap_or_else(|error| panic!("{before}: {error} {:?}", error.detail));
        }
    }

    /// What proves the keys.
    pub(crate) fn identity(&self) -> IdentityProof {
        let claimed = self.claimed.as_ref().unwrap();
        let csr = self.keys.certificate_request(&self.serial).unwrap();
        let text = wire::identity_text(&wire::Identity {
            activation_id: &claimed.status.activation_id,
            serial: &self.serial,
            challenge: &wire::array_from_base64url(&claimed.challenge).unwrap(),
            server_nonce: &wire::array_from_base64url(&claimed.server_nonce).unwrap(),
            device_nonce: &self.device_nonce,
            csr_der: &csr,
        });
        IdentityProof {
            device_nonce: wire::base64url(&self.device_nonce),
            server_nonce: claimed.server_nonce.clone(),
            challenge: claimed.challenge.clone(),
            csr: wire::base64url(&csr),
            proof: wire::base64url(&self.keys.sign(text.as_bytes()).to_bytes()),
        }
    }

    /// Step 7a: asks with this nonce and installs what comes, by all the rules of the device.
    pub(crate) async fn load(&mut self, nonce: [u8; 16]) -> Result<(), Error> {
        let asked = KeyRequest { device_nonce: wire::base64url(&nonce) };
        let answer = self.world.platform.request_keys(&self.actor().await, self.id(), asked).await?;
        let claimed = self.claimed.as_ref().unwrap();
        let signed = SignedStatement {
            statement: wire::from_base64url(&answer.statement).unwrap(),
            signature: wire::from_base64url(&answer.signature).unwrap(),
            signer: wire::from_base64url(&answer.signer).unwrap(),
        };
        let question = Question {
            activation_id: &claimed.status.activation_id,
            serial: &self.serial,
            device_nonce: &nonce,
            server_nonce: &wire::array_from_base64url(&claimed.server_nonce).unwrap(),
            installed_version: self.installed.as_ref().map_or(0, KeySet::key_version),
            trust_anchor: &self.world.trust,
            now_s: self.world.clock.now().millis() / 1000,
        };
        self.installed = Some(accept(&signed, &question, &self.keys).unwrap());
        Ok(())
    }

    /// Step 7b as the installed keys say.
    pub(crate) fn confirmation(&self) -> KeyConfirmation {
        let installed = self.installed.as_ref().unwrap();
        KeyConfirmation {
            key_version: i64::from(installed.key_version()),
            kcv: installed.check_value(),
            certificate_serial: installed.certificate().serial(),
        }
    }

    pub(crate) async fn confirm(&self, said: KeyConfirmation) -> Result<TerminalStatus, Error> {
        self.world.platform.confirm_keys(&self.actor().await, self.id(), said).await
    }

    pub(crate) fn key_version(&self) -> i64 {
        i64::from(self.installed.as_ref().unwrap().key_version())
    }

    /// Step 10's body: number, role and PIN of each.
    pub(crate) fn operators(&self, operators: &[(&str, &str, &str)]) -> PinSetting {
        let operators = operators
            .iter()
            .map(|(number, role, pin)| OperatorSetting {
                number: (*number).to_owned(),
                role: (*role).to_owned(),
                pin: self.sealed(number, pin),
            })
            .collect();
        PinSetting { operators }
    }

    pub(crate) fn sealed(&self, number: &str, pin: &str) -> PinEnvelope {
        let device = &self.claimed.as_ref().unwrap().status.device_id;
        let platform: &EnvelopePublicKey = self.installed.as_ref().unwrap().server_envelope_key();
        let info = wire::pin_info(device, number);
        let sealed = envelope::seal(platform, info.as_bytes(), &[], pin.as_bytes(), &OsRandom).unwrap();
        PinEnvelope { enc: wire::base64url(&sealed.enc), ct: wire::base64url(&sealed.ct) }
    }

    /// An operator types a PIN.
    pub(crate) async fn verify(&self, number: &str, pin: &str) -> Result<PinVerification, Error> {
        let asked = VerifyOperator { number: number.to_owned(), pin: self.sealed(number, pin) };
        self.world.platform.verify_operator(&self.actor().await, asked).await
    }
}

pub(crate) fn compatible() -> CompatibilityReport {
    CompatibilityReport {
        model: "STAR-A1".to_owned(),
        firmware: "1.4.0".to_owned(),
        printer: true,
        positioning: true,
        free_kib: 65_536,
    }
}

pub(crate) fn network() -> NetworkReport {
    let leg = |name: &str| Leg { leg: name.to_owned(), ok: true, ms: 12, detail: String::new() };
    NetworkReport { legs: ["resolve", "connect", "tls", "http", "clock", "throughput"].map(leg).to_vec() }
}

pub(crate) fn location(latitude_e6: i64, source: &str) -> LocationReport {
    LocationReport { latitude_e6, longitude_e6: 114_057_870, accuracy_m: 20, source: source.to_owned() }
}
