//! The merchant's own phone: reads the messages that the sandbox kept instead of sending them.

use super::party::{Party, rows, text};
use crate::Failure;
use std::time::{Duration, Instant};

/// Longest wait for a message.
const ARRIVES_WITHIN: Duration = Duration::from_secs(20);

/// Whoever holds the phone.
pub(crate) struct Outbox {
    party: Party,
}

impl Outbox {
    pub(crate) fn new(party: Party) -> Self {
        Self { party }
    }

    /// The code or link in the newest message of this template to this number. Waits until it
    /// has been sent.
    pub(crate) fn newest_code(&self, mobile: &str, template: &str) -> Result<String, Failure> {
        let started = Instant::now();
        loop {
            let seen = self.party.get("/dev/outbox.json")?;
            let newest = rows(&seen).iter().rev().find(|row| {
                row.get("to").and_then(|to| to.as_str()) == Some(mobile)
                    && row.get("template").and_then(|name| name.as_str()) == Some(template)
            });
            if let Some(message) = newest {
                return Ok(text(message, "code")?.to_owned());
            }
            if started.elapsed() > ARRIVES_WITHIN {
                return Err(Failure::failed(format!(
                    "no message {template:?} arrived within {ARRIVES_WITHIN:?}"
                )));
            }
            std::thread::sleep(Duration::from_millis(30));
        }
    }
}
