//! The test platform walks a terminal through its activation: claim, identity, and the steps
//! that are told rather than proved.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use starpay_keys::certificate::CertificateRequest;
use starpay_keys::envelope::EnvelopePublicKey;
use starpay_keys::random::{self, OsRandom};
use starpay_keys::signature::{PublicKey, Signature};
use starpay_keys::wire;

use super::{Answer, CODE, DEVICE_ID, Inner, Quirk, SERIAL, State, b64, refuse};

const STEPS: [&str; 11] = [
    "claimed",
    "identity_proven",
    "compatible",
    "network_ok",
    "located",
    "backed_up",
    "keys_loaded",
    "config_applied",
    "signed_in",
    "pin_set",
    "tested",
];

impl Inner {
    pub(super) fn claim(&self, state: &mut State, body: &Value) -> Answer {
        if body["code"] != CODE {
            return Err(refuse(422, "code_invalid", "code".into()));
        }
        let key = PublicKey::from_spki_der(&b64(&body["sign_key"])).unwrap();
        if state.sign_key.is_some_and(|known| known != key) && self.quirk != Quirk::Careless {
            return Err(refuse(403, "device_auth_rejected", Value::Null));
        }
        if state.ended {
            return Err(refuse(422, "code_used", "code".into()));
        }
        state.ledger.claims.insert(hex::encode(key.thumbprint()));
        if state.sign_key.is_none() {
            state.ledger.activations += 1;
            state.challenge = wire::base64url(&random::array::<32>(&OsRandom));
            state.server_nonce = wire::base64url(&random::array::<16>(&OsRandom));
            state.sign_key = Some(key);
            state.envelope_key = Some(EnvelopePublicKey::from_bytes(&b64(&body["envelope_key"])).unwrap());
            state.completed = vec!["code_issued", "claimed"];
        }
        state.device_nonce = body["device_nonce"].as_str().unwrap().to_owned();
        let mut answer = self.status(state);
        answer["device_auth_id"] = "dau_1".into();
        answer["challenge"] = state.challenge.clone().into();
        answer["server_nonce"] = state.server_nonce.clone().into();
        Ok(answer)
    }

    pub(super) fn status(&self, state: &mut State) -> Value {
        let mut name = *state.completed.last().unwrap();
        let mut waiting = json!([]);
        if name == "tested" {
            name = "active";
        } else if name == "pin_set" && state.waits_left > 0 {
            state.waits_left -= 1;
            name = "waiting";
            waiting = json!([{"code": "agreement_unsigned", "awaiting": "merchant", "who": "您",
                "status": "currently_due", "message": "协议未签署", "remedy": "签署协议",
                "impact": ["activate"], "expected_wait_s": 600}]);
        }
        if state.ended {
            name = "expired";
        }
        let mut next_step = Value::Null;
        let mut failure = Value::Null;
        if state.failed {
            name = "failed";
            next_step = "compatibility".into();
            failure =
                json!({"step": "compatibility", "code": "firmware_too_old", "message": "m", "remedy": "r"});
        }
        json!({
            "activation_id": "act_1", "device_id": DEVICE_ID, "state": name,
            "status_text": if name == "active" { "已激活" } else { "未激活" },
            "next_step": next_step, "failure": failure, "completed": state.completed, "waiting": waiting,
            "merchant_name": "星光小面馆", "expires_at": null,
            "certificate": state.certificates.status(self.now_s()),
        })
    }

    /// Marks a step done; repeating one is fine, skipping one is not.
    pub(super) fn complete(&self, state: &mut State, name: &'static str) -> Answer {
        if self.quirk == Quirk::Expires && name == "network_ok" {
            state.ended = true;
        }
        let wanted = STEPS.iter().find(|step| !state.completed.contains(step));
        if !state.completed.contains(&name) && !state.ended {
            if wanted != Some(&name) {
                let (status, mut body) = refuse(409, "illegal_transition", Value::Null);
                body["error"]["legal"] = json!([wanted]);
                return Err((status, body));
            }
            if self.quirk != Quirk::NothingMoves || name != "located" {
                state.completed.push(name);
            }
        }
        Ok(self.status(state))
    }

    pub(super) fn activation_step(
        &self,
        state: &mut State,
        method: &str,
        last: &str,
        body: &Value,
    ) -> Answer {
        match (method, last) {
            ("GET", "") => Ok(self.status(state)),
            ("POST", "identity") => self.identity(state, body),
            ("POST", "compatibility") => {
                assert!(body["free_kib"].is_u64() && body["printer"].is_boolean());
                state.failed = state.fails_left > 0;
                if state.failed {
                    state.fails_left -= 1;
                    return Ok(self.status(state));
                }
                self.complete(state, "compatible")
            }
            ("POST", "network") => {
                let legs = body["legs"].as_array().unwrap();
                let names: Vec<_> = legs.iter().map(|leg| leg["leg"].as_str().unwrap()).collect();
                assert_eq!(names, ["resolve", "connect", "tls", "http", "clock", "throughput"]);
                assert!(legs.iter().all(|leg| leg["ok"] == true && leg["ms"].is_u64()));
                self.complete(state, "network_ok")
            }
            ("POST", "location") => {
                assert_eq!(body["latitude_e6"], 22_543_096);
                self.complete(state, "located")
            }
            ("GET", "backup") => {
                let document = "星光小面馆".as_bytes();
                let wrong = self.quirk == Quirk::BackupDamaged;
                let hashed = if wrong { b"other" } else { document };
                Ok(json!({"document": wire::base64url(document), "sha256": sha256(hashed)}))
            }
            ("POST", "backup") => {
                assert_eq!(body["sha256"], sha256("星光小面馆".as_bytes()));
                self.complete(state, "backed_up")
            }
            ("POST", "keys") => self.keys(state, body),
            ("POST", "keys/confirm") => self.confirm(state, body),
            ("GET", "config") => {
                let hashed = r#"{"a":[1],"b":2}"#;
                let values = if self.quirk == Quirk::ConfigurationDamaged { 3 } else { 2 };
                Ok(
                    json!({"version": 5, "sha256": sha256(hashed.as_bytes()), "values": {"b": values, "a": [1]}}),
                )
            }
            ("POST", "config") => self.complete(state, "config_applied"),
            ("POST", "sign-in") => {
                assert_eq!(body["amount_fen"], 0);
                self.complete(state, "signed_in")
            }
            ("POST", "pin") => self.pins(state, body),
            ("POST", "test") => {
                assert_eq!(body["printed"], true);
                let mut answer = self.complete(state, "tested")?;
                answer["receipt"] = json!({"lines": ["测试", "0.00"]});
                Ok(answer)
            }
            _ => Err(refuse(404, "not_found", Value::Null)),
        }
    }

    pub(super) fn identity(&self, state: &mut State, body: &Value) -> Answer {
        for (name, known) in [
            ("challenge", &state.challenge),
            ("server_nonce", &state.server_nonce),
            ("device_nonce", &state.device_nonce),
        ] {
            assert_eq!(body[name], known.as_str(), "{name}");
        }
        let csr_der = b64(&body["csr"]);
        let text = [
            "starpay-identity-v1",
            "act_1",
            SERIAL,
            &state.challenge,
            &state.server_nonce,
            &state.device_nonce,
            &hex::encode(Sha256::digest(&csr_der)),
        ]
        .join("\n");
        let proof = Signature::from_bytes(&b64(&body["proof"])).unwrap();
        state.sign_key.unwrap().verify(text.as_bytes(), &proof).unwrap();
        let request = CertificateRequest::parse(&csr_der).unwrap();
        assert_eq!(request.common_name(), SERIAL);
        assert_ne!(Some(*request.public_key()), state.sign_key);
        let shown_before = state.tls_request.replace(csr_der.clone());
        if self.quirk == Quirk::KnowsTheFirstKey && shown_before.is_none_or(|before| before == csr_der) {
            return Err(refuse(409, "csr_key_used", "csr".into()));
        }
        self.complete(state, "identity_proven")
    }
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
