//! Steps 8, 9 and 11: configuration, sign-in and the test. No step asks for a real card, and no
//! step moves money: activation costs the merchant nothing (R-180).

use super::contradicts;
use super::stage::Turn;
use crate::error::Error;
use crate::message::{News, Template};
use crate::platform::Platform;
use crate::step::{Loaded, Step};
use crate::view::{ConfigAcknowledgement, DeviceConfig, SignIn, TerminalReceipt, TerminalStatus, TestCall};
use crate::{Action, Actor};
use sha2::{Digest, Sha256};
use starpay_domain::activation::{Activation, ActivationEvent, Step as Stage};
use starpay_domain::device::DeviceEvent;
use starpay_domain::id::{ActivationId, MerchantId, TypedId};
use starpay_domain::registration::Registration;
use starpay_keys::constant_time_eq;
use starpay_store::aggregate;
use starpay_text::{Language, fl, texts};
use std::collections::BTreeMap;

/// Edition of the set of configuration values.
const CONFIG_VERSION: i64 = 1;
/// ISO 4217 number of 人民币.
const CURRENCY: &str = "156";
/// Seconds between two signs of life of a terminal.
const HEARTBEAT_SECONDS: &str = "300";
/// Longest line on a receipt, in characters.
const LINE_CHARS_MAX: usize = 40;

impl Platform {
    /// Step 8, first half: what the terminal is to run with. The same on every download.
    ///
    /// # Errors
    /// `illegal_transition` before the keys are loaded.
    pub async fn device_config(&self, actor: &Actor, id: ActivationId) -> Result<DeviceConfig, Error> {
        actor.may(Action::TerminalSpeak)?;
        self.apply(actor, move |step| {
            let found = match step.turn(id, Stage::ConfigApplied)? {
                Turn::Done(found) | Turn::Now(found) => found,
                Turn::Over(refusal) => return Ok(Err(refusal)),
            };
            if let Some(kept) = step.kept::<DeviceConfig>(&found, "config")? {
                return Ok(Ok(kept));
            }
            let config = step.configuration(&found)?;
            step.keep(&found, "config", &config)?;
            Ok(Ok(config))
        })
        .await?
    }

    /// Step 8, second half: applied.
    ///
    /// # Errors
    /// `config_mismatch`, `illegal_transition`.
    pub async fn acknowledge_config(
        &self,
        actor: &Actor,
        id: ActivationId,
        said: ConfigAcknowledgement,
    ) -> Result<TerminalStatus, Error> {
        self.take(actor, id, Stage::ConfigApplied, move |step, found| {
            let Some(kept) = step.kept::<DeviceConfig>(&found, "config")? else {
                return Err(contradicts("config_mismatch", "version"));
            };
            if said.version != kept.version {
                return Err(contradicts("config_mismatch", "version"));
            }
            if !constant_time_eq(said.sha256.as_bytes(), kept.sha256.as_bytes()) {
                return Err(contradicts("config_mismatch", "sha256"));
            }
            let version = u32::try_from(kept.version).unwrap_or(u32::MAX);
            step.go_on(found, ActivationEvent::ApplyConfig { version, sha256: kept.sha256 }).map(Ok)
        })
        .await
    }

    /// Step 9: 签到 with the keys just loaded.
    ///
    /// # Errors
    /// `amount_not_zero`, `key_version_stale`, `certificate_expired`, `certificate_recalled`,
    /// `illegal_transition`.
    pub async fn sign_in(
        &self,
        actor: &Actor,
        id: ActivationId,
        said: SignIn,
    ) -> Result<TerminalStatus, Error> {
        free_of_charge(said.amount_fen)?;
        self.take(actor, id, Stage::SignedIn, move |step, found| {
            let key_version = step.working_keys(&found, said.key_version)?;
            step.go_on(found, ActivationEvent::SignIn { key_version }).map(Ok)
        })
        .await
    }

    /// Step 11: the test over 0.00. It is the last one: the terminal is 已激活 after it.
    ///
    /// # Errors
    /// `amount_not_zero`, `key_version_stale`, `certificate_expired`, `certificate_recalled`,
    /// `illegal_transition`.
    pub async fn test_call(
        &self,
        actor: &Actor,
        id: ActivationId,
        said: TestCall,
    ) -> Result<TerminalStatus, Error> {
        free_of_charge(said.amount_fen)?;
        self.take(actor, id, Stage::Tested, move |step, found| {
            step.working_keys(&found, said.key_version)?;
            let tested = step.go_on(found, ActivationEvent::PassTest { printed: said.printed })?;
            activate(step, tested).map(Ok)
        })
        .await
    }
}

/// R-180: activation takes no money, not even for a moment.
fn free_of_charge(amount_fen: i64) -> Result<(), Error> {
    if amount_fen == 0 { Ok(()) } else { Err(contradicts("amount_not_zero", "amount_fen")) }
}

fn activate(step: &mut Step<'_>, tested: Loaded<Activation>) -> Result<Loaded<Activation>, Error> {
    let merchant = tested.merchant;
    let receipt = step.receipt(&tested)?;
    step.keep(&tested, "receipt", &receipt)?;
    let sha256 = hex::encode(Sha256::digest(receipt.lines.join("\n")));
    let active = step.go_on(tested, ActivationEvent::Activate { receipt: sha256 })?;
    let device = step.device_of(&active)?;
    let serial: String = device.column("serial")?;
    step.advance(device, DeviceEvent::Activate {})?;
    step.tell(merchant, Template::Activated, News { serial: &serial, ..News::default() })?;
    step.refresh_capabilities(merchant)?;
    Ok(active)
}

/// SHA-256 over the values' JSON: keys sorted, no spaces (a [`BTreeMap`] of text is just that).
fn hash_of(values: &BTreeMap<String, String>) -> Result<String, Error> {
    Ok(hex::encode(Sha256::digest(serde_json::to_vec(values)?)))
}

fn line(text: String) -> String {
    text.chars().filter(|c| !c.is_control()).take(LINE_CHARS_MAX).collect()
}

impl Step<'_> {
    /// The version of the key in use, if it is the one the terminal says and its certificate counts.
    fn working_keys(&mut self, found: &Loaded<Activation>, said: i64) -> Result<u32, Error> {
        let slot = self.tmk_slot(found)?;
        let working = slot.as_ref().and_then(|slot| slot.machine.working()).map(|(version, _)| version);
        let key_version = working
            .filter(|version| i64::from(*version) == said)
            .ok_or_else(|| Error::conflict("key_version_stale").about("key_version"))?;
        let auth = self.auth_of(found)?;
        self.refuse_uncertified(&auth.machine, "key_version")?;
        Ok(key_version)
    }

    /// 商户编号 and 终端号 under which the terminal takes cards: 银联's, or those of the first
    /// channel that gave any.
    pub(super) fn registered_numbers(
        &mut self,
        merchant: MerchantId,
    ) -> Result<Option<(String, String)>, Error> {
        let Some((application, _)) = self.governing_form(merchant)? else { return Ok(None) };
        let (application, owner) = (application.id.uuid(), merchant.uuid());
        let mut numbers = None;
        for row in aggregate::registration::list_by_application(self.tx, application, owner)? {
            let known: Loaded<Registration> = self.load(row)?;
            if !known.machine.is_live() {
                continue;
            }
            let channel: String = known.column("channel")?;
            let both = known
                .column::<Option<String>>("merchant_no")?
                .zip(known.column::<Option<String>>("terminal_no")?);
            if channel == "unionpay" && both.is_some() {
                return Ok(both);
            }
            numbers = numbers.or(both);
        }
        Ok(numbers)
    }

    fn configuration(&mut self, found: &Loaded<Activation>) -> Result<DeviceConfig, Error> {
        let (merchant_no, terminal_no) = self
            .registered_numbers(found.merchant)?
            .ok_or_else(|| Error::internal("a ready merchant has no numbers"))?;
        let merchant_name = self.shop_name(found)?;
        let values: BTreeMap<String, String> = [
            ("currency", CURRENCY.to_owned()),
            ("heartbeat_seconds", HEARTBEAT_SECONDS.to_owned()),
            ("language", Language::ZhCn.tag().to_owned()),
            ("merchant_name", merchant_name.clone()),
            ("merchant_no", merchant_no),
            ("receipt_header", line(merchant_name)),
            ("terminal_no", terminal_no),
            ("time_zone", "Asia/Shanghai".to_owned()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
        Ok(DeviceConfig { version: CONFIG_VERSION, sha256: hash_of(&values)?, values })
    }

    /// What the printer puts out at the end, in the language the terminal speaks then. What was
    /// printed once stays as it is.
    fn receipt(&mut self, found: &Loaded<Activation>) -> Result<TerminalReceipt, Error> {
        let serial: String = self.device_seen(found)?.column("serial")?;
        let (merchant_no, terminal_no) = self.registered_numbers(found.merchant)?.unwrap_or_default();
        let texts = texts(self.language);
        let lines = [
            self.shop_name(found)?,
            fl!(texts, "terminal-receipt-test"),
            fl!(texts, "receipt-merchant_no", value = merchant_no),
            fl!(texts, "receipt-terminal_no", value = terminal_no),
            fl!(texts, "receipt-serial", value = serial),
            fl!(texts, "receipt-time", value = self.at.beijing_text()),
            fl!(texts, "terminal-receipt-amount"),
            fl!(texts, "terminal-receipt-ok"),
            fl!(texts, "terminal-active"),
        ];
        Ok(TerminalReceipt { lines: lines.into_iter().map(line).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_hash_is_over_sorted_json_without_spaces() {
        let values = [("b", "图"), ("a", "\"1\"")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let text = r#"{"a":"\"1\"","b":"图"}"#;
        assert_eq!(hash_of(&BTreeMap::from(values)).unwrap(), hex::encode(Sha256::digest(text)));
    }

    #[test]
    fn a_receipt_line_fits_the_paper() {
        assert_eq!(line("图".repeat(50)).chars().count(), LINE_CHARS_MAX);
        assert_eq!(line("a\nb".to_owned()), "ab");
    }
}
