//! The application form: one place where a field's text becomes a checked, canonical value.
//!
//! Field names are `domain::field::FormField`'s, the same in the request, in errors, in
//! requirements and in reject reasons. All given fields are checked before any is kept, and every
//! wrong one is named.

use crate::error::{Error, FieldError, Particular, Unit};
use starpay_domain::field::{FormField, Holds};
use starpay_domain::identifier::{
    BankCard, BusinessRegistration, CardNetwork, Cnaps, CorporateAccount, Invalid, Mcc, Mobile, ResidentId,
    SubjectType, Uscc,
};
use starpay_domain::instant::{Date, Timestamp, parse_date};
use starpay_domain::policy::Policy;
use starpay_domain::{age, fact::Record};
use std::collections::BTreeMap;

/// Longest free text of a field, in characters.
const TEXT_CHARS_MAX: usize = 200;
/// Longest statement (appeal, business description), in characters.
const STATEMENT_CHARS_MAX: usize = 2000;
/// Kinds of identity document.
const ID_KINDS: &[&str] = &["resident_id", "residence_permit", "permit", "passport", "permanent"];
/// Whether a shop stands in one place.
const FIXED: &[&str] = &["true", "false"];
/// Where the money goes.
const SETTLEMENT_KINDS: &[&str] = &["own_card", "corporate", "other_holder"];

/// The filled form: canonical text by field name. Personal: sealed before it is stored.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Form {
    values: BTreeMap<FormField, String>,
}

crate::redacted_debug!(Form {} hides { values });

/// What the rules for a field need to know besides its text.
pub(crate) struct FormRules<'r> {
    /// The declared subject type.
    pub(crate) subject: SubjectType,
    /// Now.
    pub(crate) at: Timestamp,
    /// Statutory numbers.
    pub(crate) policy: &'r Policy,
}

impl Form {
    /// From what [`Form::to_record`] wrote.
    pub(crate) fn from_record(record: &Record) -> Self {
        let values = record
            .iter()
            .filter_map(|(name, value)| Some((FormField::parse(name)?, value.clone())))
            .collect();
        Self { values }
    }

    /// By field name.
    pub(crate) fn to_record(&self) -> Record {
        self.values.iter().map(|(field, value)| (field.as_str().to_owned(), value.clone())).collect()
    }

    /// A field's canonical value.
    pub(crate) fn get(&self, field: FormField) -> Option<&str> {
        self.values.get(&field).map(String::as_str)
    }

    /// A field that the present state guarantees is filled.
    pub(crate) fn expect(&self, field: FormField) -> Result<&str, Error> {
        self.get(field).ok_or_else(|| Error::invalid("field_required", field.as_str()))
    }

    /// Sets a field to a value that is already canonical.
    pub(crate) fn set(&mut self, field: FormField, value: impl Into<String>) {
        self.values.insert(field, value.into());
    }

    /// The filled fields.
    pub(crate) fn filled(&self) -> impl Iterator<Item = (FormField, &str)> {
        self.values.iter().map(|(field, value)| (*field, value.as_str()))
    }

    /// Takes over the given fields, all or none.
    ///
    /// # Errors
    /// `validation_failed` with every wrong field.
    pub(crate) fn patch(
        &mut self,
        fields: &BTreeMap<String, String>,
        rules: &FormRules<'_>,
    ) -> Result<(), Error> {
        let mut wrong = Vec::new();
        let mut checked = Vec::new();
        for (name, text) in fields {
            let Some(field) = FormField::parse(name).filter(|field| field.holds() != Holds::Document) else {
                wrong.push(FieldError::new(name, "field_unknown"));
                continue;
            };
            if text.trim().is_empty() {
                checked.push((field, None));
                continue;
            }
            match canonical(field, text, rules) {
                Ok(value) => checked.push((field, Some(value))),
                Err(Wrong { code, particular }) => {
                    let choices = if code == "choice" { choices_of(field) } else { Vec::new() };
                    wrong.push(FieldError { choices, particular, ..FieldError::new(name, code) });
                }
            }
        }
        if !wrong.is_empty() {
            return Err(Error::invalid_fields(wrong));
        }
        for (field, value) in checked {
            match value {
                Some(value) => self.values.insert(field, value),
                None => self.values.remove(&field),
            };
        }
        Ok(())
    }

    /// What a new application begins with: the answers that are still good under its rules. Consents
    /// are given for each application; an appeal was about the old one.
    pub(crate) fn begun_again(mut self, rules: &FormRules<'_>) -> Self {
        self.values.retain(|field, value| {
            !field.is_consent()
                && !matches!(field, FormField::AppealStatement | FormField::SubjectType)
                && still_good(*field, value, rules)
        });
        self
    }

    /// A field's value as it may be shown to its owner.
    pub(crate) fn shown(field: FormField, value: &str) -> String {
        match field {
            FormField::PrincipalIdNumber | FormField::AgentIdNumber => masked(value, 6, 4),
            FormField::SettlementCardNumber | FormField::SettlementAccountNumber => masked(value, 6, 4),
            FormField::ContactMobile => masked(value, 3, 4),
            _ => value.to_owned(),
        }
    }
}

/// The first and last characters, stars between.
pub(crate) fn masked(value: &str, head: usize, tail: usize) -> String {
    let chars: Vec<char> = value.chars().collect();
    let hidden = chars.len().saturating_sub(head.saturating_add(tail));
    if hidden == 0 {
        return "*".repeat(chars.len());
    }
    let first: String = chars.iter().take(head).collect();
    let last: String = chars.iter().skip(head.saturating_add(hidden)).collect();
    format!("{first}{}{last}", "*".repeat(hidden))
}

/// Whether a kept value still passes its own rule (a date may have passed since).
pub(crate) fn still_good(field: FormField, value: &str, rules: &FormRules<'_>) -> bool {
    value == "permanent" || canonical(field, value, rules).is_ok()
}

/// What may stand in a field of few values.
fn choices_of(field: FormField) -> Vec<String> {
    let values: Vec<&str> = match field {
        FormField::SubjectType => SubjectType::ALL.iter().map(|kind| kind.as_str()).collect(),
        FormField::PrincipalIdKind => ID_KINDS.to_vec(),
        FormField::ShopFixed => FIXED.to_vec(),
        FormField::SettlementKind => SETTLEMENT_KINDS.to_vec(),
        _ => Vec::new(),
    };
    values.into_iter().map(str::to_owned).collect()
}

/// Why a text is not what its field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wrong {
    code: &'static str,
    particular: Option<Particular>,
}

impl From<&'static str> for Wrong {
    fn from(code: &'static str) -> Self {
        Self { code, particular: None }
    }
}

impl From<Invalid> for Wrong {
    fn from(invalid: Invalid) -> Self {
        Self { code: invalid.reason_code(), particular: Some(Particular::Identifier(invalid)) }
    }
}

/// A field's canonical text, or why it is not one.
fn canonical(field: FormField, text: &str, rules: &FormRules<'_>) -> Result<String, Wrong> {
    use FormField as F;
    match field {
        F::SubjectType => {
            SubjectType::parse(text.trim()).map(|kind| kind.as_str().to_owned()).ok_or("choice".into())
        }
        F::LicenceUscc => licence_number(text, rules.subject),
        F::PrincipalIdNumber | F::AgentIdNumber => resident_id(text, rules),
        F::PrincipalIdKind => one_of(text, ID_KINDS),
        F::PrincipalIdValidFrom => begun(text, rules),
        F::PrincipalIdValidTo | F::LicenceValidTo | F::AgentValidTo => not_over(text, rules),
        F::PrincipalFullCapacity | F::ConsentPrivacy | F::ConsentFees | F::ConsentRiskNotice => {
            one_of(text, &["true"]).map_err(|_| "must_be_true".into())
        }
        F::ShopFixed => one_of(text, FIXED),
        F::ShopLatitude => number(text, Unit::Microdegree, -90_000_000, 90_000_000),
        F::ShopLongitude => number(text, Unit::Microdegree, -180_000_000, 180_000_000),
        F::BusinessMonthlyVolume => number(text, Unit::Fen, 0, 10_000_000_000_000),
        F::ShopMcc => merchant_category(text),
        F::SettlementKind => one_of(text, SETTLEMENT_KINDS),
        F::SettlementCardNumber => settlement_card(text),
        F::SettlementAccountNumber => Ok(CorporateAccount::parse(text)?.expose().to_owned()),
        F::SettlementBankCode => Ok(Cnaps::parse(text)?.as_str().to_owned()),
        F::ContactMobile => Ok(Mobile::parse(text)?.expose().to_owned()),
        F::ContactEmail => Ok(email(text)?),
        F::BusinessDescription | F::AppealStatement | F::LicenceScope => free_text(text, STATEMENT_CHARS_MAX),
        F::LicenceName
        | F::LicenceAddress
        | F::TaxNumber
        | F::PrincipalName
        | F::AgentName
        | F::UboPersons
        | F::ShopName
        | F::ShopAddress
        | F::SettlementHolder
        | F::DeliveryAddress => free_text(text, TEXT_CHARS_MAX),
        F::DocumentLicence
        | F::DocumentTaxReg
        | F::DocumentIdFront
        | F::DocumentIdBack
        | F::DocumentIdAlt
        | F::DocumentShopFront
        | F::DocumentShopInside
        | F::DocumentCashier
        | F::DocumentBizProof
        | F::DocumentAcctProof
        | F::DocumentSettleCard
        | F::DocumentSettleAuth
        | F::DocumentAgentAuth
        | F::DocumentUbo
        | F::DocumentSpecialPermit => Err("field_unknown".into()),
    }
}

/// 统一社会信用代码, or the old 15-digit number where the policy still takes it.
fn licence_number(text: &str, subject: SubjectType) -> Result<String, Wrong> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if digits.chars().count() == 15 {
        let legacy = BusinessRegistration::parse(text)?;
        if subject != SubjectType::SoleProprietor {
            return Err("legacy_licence_enterprise".into());
        }
        return Ok(legacy.as_str().to_owned());
    }
    let uscc = Uscc::parse(text)?;
    if uscc.subject_type() != subject {
        return Err("type_mismatch".into());
    }
    Ok(uscc.as_str().to_owned())
}

/// GB 11643, and at least 18 years old on this Beijing day.
fn resident_id(text: &str, rules: &FormRules<'_>) -> Result<String, Wrong> {
    let today = rules.at.beijing_date();
    let id = ResidentId::parse(text, today)?;
    if !age::is_adult(id.birth(), today, rules.policy.adult_age_years) {
        return Err("under_18".into());
    }
    Ok(id.expose().to_owned())
}

/// A document's first day of validity: not in the future.
fn begun(text: &str, rules: &FormRules<'_>) -> Result<String, Wrong> {
    let (first, text) = day(text)?;
    if first > rules.at.beijing_date() { Err("not_yet_valid".into()) } else { Ok(text) }
}

/// A document's last day of validity, which still counts; 长期 has none.
fn not_over(text: &str, rules: &FormRules<'_>) -> Result<String, Wrong> {
    if matches!(text.trim(), "长期" | "permanent") {
        return Ok("permanent".to_owned());
    }
    let (last, text) = day(text)?;
    if last < rules.at.beijing_date() { Err("expired".into()) } else { Ok(text) }
}

/// 商户类别码, and none of those the trade shuts out.
fn merchant_category(text: &str) -> Result<String, Wrong> {
    // Too short, too long or not a digit: four digits is all there is to say.
    let category = Mcc::parse(text).map_err(|_| "mcc_digits")?;
    if category.is_prohibited() { Err("mcc_prohibited".into()) } else { Ok(category.as_str().to_owned()) }
}

/// A settlement card is a UnionPay card; whether it is a debit card the element check tells.
fn settlement_card(text: &str) -> Result<String, Wrong> {
    let card = BankCard::parse(text)?;
    match card.network() {
        CardNetwork::UnionPay => Ok(card.expose().to_owned()),
        CardNetwork::Other => Err("card_network".into()),
    }
}

fn day(text: &str) -> Result<(Date, String), Wrong> {
    let text = text.trim();
    parse_date(text).map(|day| (day, text.to_owned())).ok_or("bad_date".into())
}

fn number(text: &str, unit: Unit, least: i64, most: i64) -> Result<String, Wrong> {
    let wrong = |code| Wrong { code, particular: Some(Particular::Number { unit, least, most }) };
    let value: i64 = text.trim().parse().map_err(|_| wrong("whole_number"))?;
    if (least..=most).contains(&value) { Ok(value.to_string()) } else { Err(wrong("range")) }
}

fn one_of(text: &str, choices: &[&str]) -> Result<String, Wrong> {
    let text = text.trim();
    if choices.contains(&text) { Ok(text.to_owned()) } else { Err("choice".into()) }
}

fn free_text(text: &str, chars_max: usize) -> Result<String, Wrong> {
    let text = text.trim();
    if text.chars().any(unseen) {
        return Err("charset".into());
    }
    let found = text.chars().count();
    if found <= chars_max {
        return Ok(text.to_owned());
    }
    Err(Wrong { code: "length", particular: Some(Particular::Long { found, most: chars_max }) })
}

/// Characters that nobody sees but that change what is seen: controls, line separators, marks that
/// turn the direction of writing, and such without width. In a name they make two of one, or show
/// a reviewer, a signer or a customer something else than what is stored.
pub(crate) fn unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// One `@`, something on both sides, a dot in the host: the mail itself is the real check.
pub(crate) fn email(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    // Nothing that ends an address or begins another one in a message's header.
    let strange = |c: char| c.is_whitespace() || c.is_control() || "\"(),:;<>[\\]".contains(c);
    let whole = text.is_ascii() && text.len() <= 254 && !text.contains(strange);
    let parts = text.split_once('@').filter(|(local, host)| {
        !local.is_empty()
            && !host.contains('@')
            && host.split('.').count() > 1
            && host.split('.').all(|p| !p.is_empty())
    });
    if whole && parts.is_some() { Ok(text.to_owned()) } else { Err("email") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_holds_nothing_unseen() {
        for text in ["星光小面馆", "Café 24 (総店)", "A·B、C"] {
            assert_eq!(free_text(text, 200), Ok(text.to_owned()));
        }
        for text in
            ["a\u{202e}gnp.exe", "a\u{200b}b", "a\u{2028}b", "a\u{feff}b", "a\tb", "\u{2066}a\u{2069}"]
        {
            assert_eq!(free_text(text, 200), Err("charset".into()), "{text:?}");
        }
    }

    #[test]
    fn an_address_is_one_address() {
        assert_eq!(email(" lin@example.test ").as_deref(), Ok("lin@example.test"));
        for text in ["<a>@b.c", "\"a,b\"@b.c", "a@b.c,d@e.f", "a@b.c\r\nBcc:x@y.z", "a@b", "@b.c", "a b@c.d"]
        {
            assert_eq!(email(text), Err("email"), "{text:?}");
        }
    }

    #[test]
    fn a_number_is_digits_of_the_smallest_unit() {
        let latitude = |text| number(text, Unit::Microdegree, -90_000_000, 90_000_000);
        let wrong = |text| latitude(text).unwrap_err();
        assert_eq!(latitude(" 22543096 "), Ok("22543096".to_owned()));
        for text in ["22.543096", "22,5", "1e3", "12元", ""] {
            assert_eq!(wrong(text).code, "whole_number", "{text:?}");
        }
        assert_eq!(wrong("90000001").code, "range");
        let number = Particular::Number { unit: Unit::Microdegree, least: -90_000_000, most: 90_000_000 };
        assert_eq!(wrong("90000001").particular, Some(number));
    }

    #[test]
    fn a_trade_has_four_digits() {
        assert_eq!(merchant_category("５８１２"), Ok("5812".to_owned()));
        for text in ["58a2", "581", "58122", "食品"] {
            assert_eq!(merchant_category(text), Err("mcc_digits".into()), "{text}");
        }
        assert_eq!(merchant_category("7995"), Err("mcc_prohibited".into()));
    }
}
