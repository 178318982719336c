//! The test platform makes key sets and has them confirmed.

use serde_json::{Value, json};
use starpay_keys::certificate::{self, CertificateRequest, DeviceSubject};
use starpay_keys::envelope;
use starpay_keys::hsm::{Hsm, SignerName};
use starpay_keys::key_block::ProtectionKey;
use starpay_keys::random::{self, OsRandom};
use starpay_keys::tmk::Tmk;
use starpay_keys::wire;

use super::{Answer, DEVICE_ID, Inner, Quirk, SERIAL, State, refuse};
use crate::certificates::Known;

/// A key set as issued.
#[derive(Clone)]
pub(crate) struct Issued {
    version: u32,
    kcv: String,
    serial: String,
    certificate: Known,
    answer: Value,
}

impl Inner {
    pub(super) fn keys(&self, state: &mut State, body: &Value) -> Answer {
        let nonce = body["device_nonce"].as_str().unwrap().to_owned();
        if !state.completed.contains(&"backed_up") {
            return Err(refuse(409, "illegal_transition", Value::Null));
        }
        if let Some(known) = state.ledger.key_sets.get(&nonce) {
            return Ok(known.answer.clone());
        }
        state.versions += 1;
        let issued = self.issue(state, &nonce);
        let answer = issued.answer.clone();
        state.ledger.key_sets.insert(nonce, issued);
        Ok(answer)
    }

    pub(super) fn issue(&self, state: &State, nonce: &str) -> Issued {
        let quirk = self.quirk;
        let version = if quirk == Quirk::VersionNotHigher { 0 } else { state.versions };
        let nonce_bytes = wire::array_from_base64url(nonce).unwrap();
        let server_bytes = wire::array_from_base64url(&state.server_nonce).unwrap();
        let protection: [u8; 32] = random::array(&OsRandom);
        let tmk = Tmk::generate(&OsRandom);
        let info = wire::kbpk_info(SERIAL, &nonce_bytes, &server_bytes, "tmk_1", version);
        let sealed =
            envelope::seal(&state.envelope_key.unwrap(), info.as_bytes(), b"", &protection, &OsRandom)
                .unwrap();
        let under = if quirk == Quirk::BlockUnderAnotherKey { [9; 32] } else { protection };
        let block = tmk.to_block(&ProtectionKey::aes(&under).unwrap(), &OsRandom).unwrap();
        let request = CertificateRequest::parse(state.tls_request.as_ref().unwrap()).unwrap();
        let authority = if quirk == Quirk::CertificateForAnotherKey { &self.other } else { &self.keystore };
        let certificate = certificate::issue_device(
            authority,
            &authority.root_certificate(),
            &request,
            DeviceSubject { serial: SERIAL, device_id: DEVICE_ID },
            self.now_s(),
            &OsRandom,
        )
        .unwrap();
        let pick = |wrong: Quirk, other: &str, right: &str| {
            if quirk == wrong { other.to_owned() } else { right.to_owned() }
        };
        let other_nonce = wire::base64url(&[0; 16]);
        let statement = json!({
            "activation_id": pick(Quirk::OtherActivation, "act_2", "act_1"),
            "serial": pick(Quirk::OtherSerial, "99990004STAR00000002", SERIAL),
            "device_nonce": pick(Quirk::OtherDeviceNonce, &other_nonce, nonce),
            "server_nonce": pick(Quirk::OtherServerNonce, &other_nonce, &state.server_nonce),
            "key_version": version,
            "tmk_id": "tmk_1",
            "envelope": {"enc": wire::base64url(&sealed.enc), "ct": wire::base64url(&sealed.ct)},
            "tmk_block": block,
            "certificate": wire::base64url(certificate.der()),
            "ca": wire::base64url(self.keystore.root_certificate().der()),
            "server_envelope_key": wire::base64url(&self.keystore.envelope_public_key().to_bytes()),
            "not_after": pick(Quirk::StatementExpired, "2026-11-23T07:00:00Z", "2026-11-23T08:00:00Z"),
        });
        let mut bytes = statement.to_string().into_bytes();
        let signing = if quirk == Quirk::SignedByAnother { &self.other } else { &self.keystore };
        let signature = signing.sign(SignerName::Platform, &wire::statement_text(&bytes)).unwrap();
        if quirk == Quirk::StatementTampered {
            let at = bytes.iter().position(|byte| *byte == b'9').unwrap();
            bytes[at] = b'8';
        }
        let signer = match quirk {
            Quirk::SignedByAnother => self.other.platform_certificate(),
            Quirk::SignerNotThePlatform => certificate.clone(),
            _ => self.keystore.platform_certificate(),
        };
        let answer = json!({
            "statement": wire::base64url(&bytes),
            "signature": wire::base64url(&signature.to_bytes()),
            "signer": wire::base64url(signer.der()),
        });
        let known = Known { serial: certificate.serial(), not_after_s: certificate.not_after_s() };
        Issued { version, kcv: tmk.check_value(), serial: certificate.serial(), certificate: known, answer }
    }

    pub(super) fn confirm(&self, state: &mut State, body: &Value) -> Answer {
        if self.quirk == Quirk::GivesKeysUp && state.versions == 1 {
            return Err(refuse(409, "key_version_stale", "key_version".into()));
        }
        let known = state
            .ledger
            .key_sets
            .values()
            .find(|set| body["kcv"] == set.kcv && body["key_version"] == set.version)
            .cloned()
            .ok_or_else(|| refuse(422, "kcv_mismatch", "kcv".into()))?;
        assert_eq!(body["certificate_serial"], known.serial);
        state.certificates.present.get_or_insert(known.certificate.clone());
        let answer = self.complete(state, "keys_loaded")?;
        state.ledger.confirmed.push(known.kcv);
        Ok(answer)
    }
}
