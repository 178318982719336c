//! Cases about identifiers: accepted, refused, normalised, cross-checked.

use super::Facts;
use super::case::{Case, Stop};
use serde_json::Value;
use starpay_domain::identifier::{
    BankCard, BusinessRegistration, Cnaps, CorporateAccount, Invalid, Mcc, Mobile, OtherIdDocument,
    OtherIdKind, ResidentId, SubjectType, TerminalNo, TerminalSerial, UnionPayMerchantNo, Uscc, Verdict,
};
use starpay_domain::instant::format_date;

type Outcome = Result<(), Stop>;

/// The value of a case whose `value` must be accepted.
fn accepted<T>(parsed: Result<T, Invalid>) -> Result<T, Stop> {
    parsed
        .map_err(|invalid| Stop::differs(format!("refused: {} {}", invalid.reason_code(), invalid.message())))
}

/// Compares the reason of a `value` that must be refused.
fn refused<T>(case: &Case<'_>, parsed: Result<T, Invalid>) -> Outcome {
    match parsed {
        Ok(_) => Err(Stop::differs("accepted")),
        Err(invalid) => case.expect("reason_code", invalid.reason_code()),
    }
}

fn normalised(case: &Case<'_>, normalise: impl Fn(&str) -> String) -> Outcome {
    let found = normalise(case.text("input")?);
    case.must_expect("output", found)
}

fn verdict(case: &Case<'_>, verdict: Verdict) -> Outcome {
    case.must_expect("expect", verdict.as_str())?;
    case.expect("reason_code", verdict.conflict().map(|conflict| conflict.as_str()))
}

fn declared_type(case: &Case<'_>) -> Result<SubjectType, Stop> {
    let name = case.text("declared_type")?;
    SubjectType::parse(name).ok_or_else(|| Stop::not_run(format!("no subject type {name}")))
}

pub(super) fn uscc_valid(case: &Case<'_>, _: &Facts) -> Outcome {
    let code = accepted(Uscc::parse(case.text("value")?))?;
    case.expect("subject_type", code.subject_type().as_str())?;
    case.expect("reg_dept", code.reg_dept())?;
    case.expect("org_kind", code.org_kind())?;
    case.expect("region", code.region())
}

pub(super) fn uscc_invalid(case: &Case<'_>, _: &Facts) -> Outcome {
    refused(case, Uscc::parse(case.text("value")?))
}

pub(super) fn uscc_warn(case: &Case<'_>, _: &Facts) -> Outcome {
    let code = accepted(Uscc::parse(case.text("value")?))?;
    let warning = code.warning().ok_or_else(|| Stop::differs("accepted without a warning"))?;
    case.expect("reason_code", warning.reason_code())?;
    case.expect("severity", warning.severity())
}

pub(super) fn uscc_normalize(case: &Case<'_>, _: &Facts) -> Outcome {
    normalised(case, |input| Uscc::normalise(input).to_string())
}

pub(super) fn uscc_cross_check(case: &Case<'_>, _: &Facts) -> Outcome {
    let code = accepted(Uscc::parse(case.text("value")?))?;
    verdict(case, code.cross_check(declared_type(case)?))
}

pub(super) fn bizreg15_valid(case: &Case<'_>, _: &Facts) -> Outcome {
    let number = accepted(BusinessRegistration::parse(case.text("value")?))?;
    case.expect("holder", number.holder().as_str())?;
    case.expect("sequence_first", number.sequence_first())
}

pub(super) fn bizreg15_invalid(case: &Case<'_>, _: &Facts) -> Outcome {
    refused(case, BusinessRegistration::parse(case.text("value")?))
}

pub(super) fn bizreg15_policy(case: &Case<'_>, _: &Facts) -> Outcome {
    let number = accepted(BusinessRegistration::parse(case.text("value")?))?;
    verdict(case, number.cross_check(declared_type(case)?))
}

pub(super) fn idcard18_valid(case: &Case<'_>, facts: &Facts) -> Outcome {
    let id = accepted(ResidentId::parse(case.text("value")?, facts.today))?;
    case.expect("kind", id.kind().as_str())?;
    case.expect("birth", format_date(id.birth()))?;
    case.expect("sex", id.sex().as_str())
}

pub(super) fn idcard18_invalid(case: &Case<'_>, facts: &Facts) -> Outcome {
    refused(case, ResidentId::parse(case.text("value")?, facts.today))
}

pub(super) fn idcard18_normalize(case: &Case<'_>, _: &Facts) -> Outcome {
    normalised(case, |input| ResidentId::normalise(input).to_string())
}

fn other_id(case: &Case<'_>, facts: &Facts) -> Result<Result<OtherIdDocument, Invalid>, Stop> {
    let name = case.text("kind")?;
    let kind = OtherIdKind::parse(name).ok_or_else(|| Stop::not_run(format!("no document kind {name}")))?;
    Ok(OtherIdDocument::parse(kind, case.text("value")?, facts.today))
}

pub(super) fn other_id_valid(case: &Case<'_>, facts: &Facts) -> Outcome {
    accepted(other_id(case, facts)?).map(drop)
}

pub(super) fn other_id_invalid(case: &Case<'_>, facts: &Facts) -> Outcome {
    refused(case, other_id(case, facts)?)
}

pub(super) fn mobile_valid(case: &Case<'_>, _: &Facts) -> Outcome {
    accepted(Mobile::parse(case.text("value")?)).map(drop)
}

pub(super) fn mobile_invalid(case: &Case<'_>, _: &Facts) -> Outcome {
    refused(case, Mobile::parse(case.text("value")?))
}

pub(super) fn mobile_normalize(case: &Case<'_>, _: &Facts) -> Outcome {
    normalised(case, |input| Mobile::normalise(input).to_string())
}

pub(super) fn bank_card_valid(case: &Case<'_>, _: &Facts) -> Outcome {
    let card = accepted(BankCard::parse(case.text("value")?))?;
    case.expect("length", card.length())?;
    case.expect("network", card.network().as_str())
}

pub(super) fn bank_card_invalid(case: &Case<'_>, _: &Facts) -> Outcome {
    refused(case, BankCard::parse(case.text("value")?))
}

pub(super) fn bank_card_normalize(case: &Case<'_>, _: &Facts) -> Outcome {
    normalised(case, |input| BankCard::normalise(input).to_string())
}

pub(super) fn bank_card_mask(case: &Case<'_>, _: &Facts) -> Outcome {
    let card = accepted(BankCard::parse(case.text("value")?))?;
    case.must_expect("output", card.masked())
}

pub(super) fn corporate_account_valid(case: &Case<'_>, _: &Facts) -> Outcome {
    accepted(CorporateAccount::parse(case.text("value")?)).map(drop)
}

pub(super) fn corporate_account_invalid(case: &Case<'_>, _: &Facts) -> Outcome {
    refused(case, CorporateAccount::parse(case.text("value")?))
}

pub(super) fn cnaps_valid(case: &Case<'_>, _: &Facts) -> Outcome {
    let code = accepted(Cnaps::parse(case.text("value")?))?;
    case.expect("bank_code", code.bank_code())?;
    case.expect("area_code", code.area_code())?;
    case.expect("branch", code.branch())
}

pub(super) fn cnaps_invalid(case: &Case<'_>, _: &Facts) -> Outcome {
    refused(case, Cnaps::parse(case.text("value")?))
}

pub(super) fn merchant_no_valid(case: &Case<'_>, _: &Facts) -> Outcome {
    let number = accepted(UnionPayMerchantNo::parse(case.text("value")?))?;
    case.expect("inst", number.institution())?;
    case.expect("area", number.area())?;
    case.expect("mcc", number.mcc().as_str())?;
    case.expect("seq", number.sequence())
}

pub(super) fn merchant_no_invalid(case: &Case<'_>, _: &Facts) -> Outcome {
    refused(case, UnionPayMerchantNo::parse(case.text("value")?))
}

pub(super) fn merchant_no_cross_check(case: &Case<'_>, _: &Facts) -> Outcome {
    let number = accepted(UnionPayMerchantNo::parse(case.text("value")?))?;
    let application = accepted(Mcc::parse(case.text("application_mcc")?))?;
    verdict(case, number.cross_check(&application))
}

pub(super) fn terminal_no_valid(case: &Case<'_>, _: &Facts) -> Outcome {
    accepted(TerminalNo::parse(case.text("value")?)).map(drop)
}

pub(super) fn terminal_no_invalid(case: &Case<'_>, _: &Facts) -> Outcome {
    refused(case, TerminalNo::parse(case.text("value")?))
}

pub(super) fn tusn_valid(case: &Case<'_>, _: &Facts) -> Outcome {
    let serial = accepted(TerminalSerial::parse(case.text("value")?))?;
    case.expect("vendor", serial.vendor())?;
    case.expect("device_type", Value::from(serial.device_type().as_str()))
}

pub(super) fn tusn_invalid(case: &Case<'_>, _: &Facts) -> Outcome {
    refused(case, TerminalSerial::parse(case.text("value")?))
}

pub(super) fn tusn_normalize(case: &Case<'_>, _: &Facts) -> Outcome {
    normalised(case, |input| TerminalSerial::normalise(input).to_string())
}
