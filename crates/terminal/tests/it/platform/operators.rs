//! The test platform keeps the operators' PINs.

use serde_json::{Value, json};
use starpay_keys::envelope::{Envelope, Suite};

use super::{Answer, DEVICE_ID, Inner, State, WEAK_PIN, b64, refuse};

impl Inner {
    pub(super) fn open_pin(&self, number: &str, sealed: &Value) -> String {
        let envelope = Envelope { enc: b64(&sealed["enc"]).try_into().unwrap(), ct: b64(&sealed["ct"]) };
        let info = format!("starpay-pin-v1|{DEVICE_ID}|{number}");
        let key = self.keystore.envelope_key();
        let pin = key.open(Suite::Aes256Gcm, info.as_bytes(), b"", &envelope).unwrap();
        String::from_utf8(pin.to_vec()).unwrap()
    }

    pub(super) fn pins(&self, state: &mut State, body: &Value) -> Answer {
        for operator in body["operators"].as_array().unwrap() {
            assert_eq!(operator["role"], "manager");
            let number = operator["number"].as_str().unwrap();
            let pin = self.open_pin(number, &operator["pin"]);
            if pin == WEAK_PIN {
                return Err(refuse(422, "pin_weak", "operators".into()));
            }
            state.ledger.pins.entry(number.to_owned()).or_insert(pin);
        }
        self.complete(state, "pin_set")
    }

    /// Whether a PIN is the one that was set.
    pub(super) fn verify_pin(&self, state: &State, body: &Value) -> Answer {
        if !state.certificates.counts(self.now_s()) {
            return Err(refuse(403, "certificate_expired", Value::Null));
        }
        let number = body["number"].as_str().unwrap();
        let pin = self.open_pin(number, &body["pin"]);
        match state.ledger.pins.get(number) {
            Some(set) if *set == pin => Ok(json!({"ok": true})),
            _ => Err(refuse(401, "pin_wrong", Value::Null)),
        }
    }
}
