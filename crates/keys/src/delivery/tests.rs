use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::*;
use crate::certificate::{CertificateRequest, DeviceSubject, issue_device};
use crate::keystore::{Keystore, MasterKey};
use crate::seal::DataKey;
use crate::testing::Sequence;

const NOW_S: i64 = 1_795_000_000;
const SERIAL: &str = "99990004STAR00000001";
const DEVICE_NONCE: [u8; 16] = [1; 16];
const SERVER_NONCE: [u8; 16] = [2; 16];

/// A platform and a device that has been certified by it.
struct World {
    platform: Keystore,
    random: Sequence,
    device: DeviceKeys,
    certificate: Certificate,
    tmk: Tmk,
    root: Certificate,
    signer: Certificate,
    device_envelope_key: EnvelopePublicKey,
    server_envelope_key: EnvelopePublicKey,
    _folder: tempfile::TempDir,
}

fn platform(folder: &Path, seed: u64) -> Keystore {
    let random = Arc::new(Sequence::new(seed));
    Keystore::create(&folder.join("keystore"), &MasterKey::given([1; 32]), NOW_S, random).unwrap()
}

impl World {
    fn new(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let platform = platform(folder.path(), seed);
        let random = Sequence::new(seed + 1000);
        let device = DeviceKeys::generate(&random);
        let certificate = certify(&platform, &device, SERIAL, &random);
        Self {
            tmk: Tmk::generate(&random),
            root: platform.root_certificate(),
            signer: platform.platform_certificate(),
            device_envelope_key: device.envelope_key(),
            server_envelope_key: platform.envelope_public_key(),
            platform,
            random,
            device,
            certificate,
            _folder: folder,
        }
    }

    fn deliver<'a>(&'a self, change: impl FnOnce(&mut Delivery<'a>)) -> SignedStatement {
        let mut delivery = Delivery {
            activation_id: "act_1",
            serial: SERIAL,
            device_nonce: &DEVICE_NONCE,
            server_nonce: &SERVER_NONCE,
            key_version: 3,
            tmk_id: "tmk_1",
            tmk: &self.tmk,
            device_envelope_key: &self.device_envelope_key,
            certificate: &self.certificate,
            root: &self.root,
            server_envelope_key: &self.server_envelope_key,
            signer: &self.signer,
            not_after_s: NOW_S + 600,
        };
        change(&mut delivery);
        deliver(&delivery, &self.platform, &self.random).unwrap()
    }

    fn accept(&self, answer: &SignedStatement) -> Result<KeySet, DeliveryError> {
        self.accept_as(answer, |_| {})
    }

    fn accept_as<'a>(
        &'a self,
        answer: &SignedStatement,
        change: impl FnOnce(&mut Question<'a>),
    ) -> Result<KeySet, DeliveryError> {
        let mut question = Question {
            activation_id: "act_1",
            serial: SERIAL,
            device_nonce: &DEVICE_NONCE,
            server_nonce: &SERVER_NONCE,
            installed_version: 2,
            trust_anchor: &self.root,
            now_s: NOW_S,
        };
        change(&mut question);
        accept(answer, &question, &self.device)
    }

    /// Changes the statement's JSON and signs it again with the platform's key.
    fn resigned(&self, change: impl FnOnce(&mut Value)) -> SignedStatement {
        let mut answer = self.deliver(|_| {});
        let mut json: Value = serde_json::from_slice(&answer.statement).unwrap();
        change(&mut json);
        answer.statement = serde_json::to_vec(&json).unwrap();
        let text = wire::statement_text(&answer.statement);
        answer.signature = self.platform.sign(SignerName::Platform, &text).unwrap().to_bytes().to_vec();
        answer
    }
}

fn certify(platform: &Keystore, device: &DeviceKeys, serial: &str, random: &Sequence) -> Certificate {
    let request = CertificateRequest::parse(&device.certificate_request(serial).unwrap()).unwrap();
    let subject = DeviceSubject { serial, device_id: "dev_1" };
    issue_device(platform, &platform.root_certificate(), &request, subject, NOW_S, random).unwrap()
}

#[test]
fn a_device_gets_the_key_the_platform_made() {
    let world = World::new(1);
    let set = world.accept(&world.deliver(|_| {})).unwrap();
    assert_eq!(set.tmk(), &world.tmk);
    assert_eq!(set.check_value(), world.tmk.check_value());
    assert_eq!((set.key_version(), set.tmk_id()), (3, "tmk_1"));
    assert_eq!(set.certificate(), &world.certificate);
    assert_eq!(set.server_envelope_key(), &world.platform.envelope_public_key());
    let further = world.tmk.to_block(set.protection(), &world.random).unwrap();
    assert!(Tmk::from_block(set.protection(), &further).is_ok());
}

#[test]
fn the_statement_is_the_json_of_the_protocol() {
    let world = World::new(2);
    let answer = world.deliver(|_| {});
    let json: Value = serde_json::from_slice(&answer.statement).unwrap();
    let mut fields: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "activation_id",
            "ca",
            "certificate",
            "device_nonce",
            "envelope",
            "key_version",
            "not_after",
            "serial",
            "server_envelope_key",
            "server_nonce",
            "tmk_block",
            "tmk_id",
        ]
    );
    assert_eq!(json["device_nonce"], "AQEBAQEBAQEBAQEBAQEBAQ");
    assert_eq!(json["not_after"], "2026-11-18T11:16:40Z");
    assert_eq!(json["key_version"], 3);
    assert!(json["tmk_block"].as_str().unwrap().starts_with("D0112K0TB00N0000"));
    assert_eq!(json["envelope"]["ct"].as_str().unwrap().len(), 64);
    assert_eq!(json["server_envelope_key"].as_str().unwrap().len(), 43);
}

#[test]
fn no_clear_key_is_in_the_statement() {
    let world = World::new(3);
    let answer = world.deliver(|_| {});
    let set = world.accept(&answer).unwrap();
    let text = String::from_utf8(answer.statement).unwrap();
    for secret in [world.tmk.expose().as_slice(), set.protection().expose()] {
        assert!(!text.to_lowercase().contains(&hex::encode(secret)));
        assert!(!text.contains(&wire::base64url(secret)));
    }
}

#[test]
fn an_answer_to_another_question_is_refused() {
    let world = World::new(4);
    let refused = |answer: &SignedStatement, field| {
        assert_eq!(world.accept(answer).unwrap_err(), DeliveryError::NotForUs(field));
    };
    refused(&world.deliver(|delivery| delivery.activation_id = "act_2"), "activation_id");
    refused(&world.deliver(|delivery| delivery.serial = "99990004STAR00000002"), "serial");
    refused(&world.deliver(|delivery| delivery.device_nonce = &[9; 16]), "device_nonce");
    refused(&world.deliver(|delivery| delivery.server_nonce = &[9; 16]), "server_nonce");
}

#[test]
fn only_a_higher_version_is_installed_and_only_in_time() {
    let world = World::new(5);
    let answer = world.deliver(|_| {});
    for installed in [3, 4] {
        let verdict = world.accept_as(&answer, |question| question.installed_version = installed);
        assert_eq!(verdict.unwrap_err(), DeliveryError::Version { offered: 3, installed });
    }
    assert!(world.accept_as(&answer, |question| question.now_s = NOW_S + 600).is_ok());
    let late = world.accept_as(&answer, |question| question.now_s = NOW_S + 601);
    assert_eq!(late.unwrap_err(), DeliveryError::Expired);
}

#[test]
fn only_the_platform_of_the_trust_anchor_is_believed() {
    let world = World::new(6);
    let answer = world.deliver(|_| {});
    let stranger = World::new(66);
    let theirs = stranger.platform.root_certificate();
    let verdict = world.accept_as(&answer, |question| question.trust_anchor = &theirs);
    assert_eq!(verdict.unwrap_err(), DeliveryError::Signer(CertificateError::Signature));

    // Another device of the same authority signs what looks like a statement.
    let thief = crate::signature::SigningKey::generate(&world.random);
    let request = crate::certificate::request(&thief, SERIAL).unwrap();
    let request = CertificateRequest::parse(&request).unwrap();
    let subject = DeviceSubject { serial: SERIAL, device_id: "dev_2" };
    let root = world.platform.root_certificate();
    let certificate = issue_device(&world.platform, &root, &request, subject, NOW_S, &world.random).unwrap();
    let forged = SignedStatement {
        signature: thief.sign(&wire::statement_text(&answer.statement)).to_bytes().to_vec(),
        signer: certificate.der().to_vec(),
        ..answer.clone()
    };
    assert_eq!(world.accept(&forged).unwrap_err(), DeliveryError::Signer(CertificateError::Purpose));

    let long_after = NOW_S + 3 * 365 * 86_400;
    let verdict = world.accept_as(&answer, |question| question.now_s = long_after);
    assert_eq!(verdict.unwrap_err(), DeliveryError::Signer(CertificateError::Expired));
}

#[test]
fn every_flipped_byte_is_refused() {
    let world = World::new(7);
    let answer = world.deliver(|_| {});
    for part in 0..3 {
        let length = [&answer.statement, &answer.signature, &answer.signer][part].len();
        for at in 0..length {
            let mut changed = answer.clone();
            [&mut changed.statement, &mut changed.signature, &mut changed.signer][part][at] ^= 1;
            assert!(world.accept(&changed).is_err(), "part {part} byte {at}");
        }
    }
}

#[test]
fn a_key_for_another_device_does_not_open_here() {
    let world = World::new(8);
    let other = DeviceKeys::generate(&world.random);
    let elsewhere = other.envelope_key();
    let answer = world.deliver(|delivery| delivery.device_envelope_key = &elsewhere);
    assert_eq!(world.accept(&answer).unwrap_err(), DeliveryError::Envelope(EnvelopeError::Refused));
    let certificate = certify(&world.platform, &other, SERIAL, &world.random);
    let answer = world.deliver(|delivery| delivery.certificate = &certificate);
    assert_eq!(world.accept(&answer).unwrap_err(), DeliveryError::Certificate(CertificateError::Purpose));
    let certificate = certify(&world.platform, &world.device, "99990004STAR00000002", &world.random);
    let answer = world.deliver(|delivery| delivery.certificate = &certificate);
    assert_eq!(world.accept(&answer).unwrap_err(), DeliveryError::Certificate(CertificateError::Purpose));
}

#[test]
fn the_envelope_is_bound_to_the_key_it_protects() {
    let world = World::new(9);
    let other_id = world.resigned(|json| json["tmk_id"] = "tmk_2".into());
    assert_eq!(world.accept(&other_id).unwrap_err(), DeliveryError::Envelope(EnvelopeError::Refused));
    let other_version = world.resigned(|json| json["key_version"] = 4.into());
    assert_eq!(world.accept(&other_version).unwrap_err(), DeliveryError::Envelope(EnvelopeError::Refused));
    let other_block = world.resigned(|json| {
        let block = json["tmk_block"].as_str().unwrap().replacen("K0TB", "K0TD", 1);
        json["tmk_block"] = block.into();
    });
    assert!(matches!(world.accept(&other_block), Err(DeliveryError::Tmk(_))));
}

#[test]
fn malformed_statements_are_refused() {
    let world = World::new(10);
    let refused = |change: fn(&mut Value)| world.accept(&world.resigned(change)).unwrap_err();
    let statement = DeliveryError::Malformed("statement");
    assert_eq!(refused(|json| *json = Value::Null), statement);
    assert_eq!(refused(|json| json["surprise"] = 1.into()), statement);
    assert_eq!(refused(|json| json["key_version"] = (-1).into()), statement);
    assert_eq!(refused(|json| json["not_after"] = "tomorrow".into()), DeliveryError::Malformed("not_after"));
    assert_eq!(refused(|json| json["envelope"]["enc"] = "AA".into()), DeliveryError::Malformed("enc"));
    assert_eq!(
        refused(|json| json["ca"] = "AA".into()),
        DeliveryError::Certificate(CertificateError::Issuer)
    );
    let long = refused(|json| json["tmk_block"] = "0".repeat(STATEMENT_BYTES_MAX).into());
    assert_eq!(long, statement);
}

#[test]
fn a_key_set_is_kept_under_the_devices_local_key() {
    let world = World::new(11);
    let set = world.accept(&world.deliver(|_| {})).unwrap();
    let local = DataKey::generate(&world.random);
    let sealed = set.seal(&local, [4; 16], &world.random).unwrap();
    let opened = KeySet::open(&local, &sealed).unwrap();
    assert_eq!(opened.tmk(), set.tmk());
    assert_eq!(opened.protection().expose(), set.protection().expose());
    assert_eq!(opened.certificate(), set.certificate());
    assert_eq!((opened.key_version(), opened.tmk_id()), (3, "tmk_1"));
    assert!(KeySet::open(&DataKey::generate(&world.random), &sealed).is_err());
    let shown = format!("{set:?}");
    assert!(shown.contains("[redacted]") && !shown.contains(&hex::encode(set.tmk().expose())));
}
