//! The cases of `identifiers.json`: which list is run by which function.

mod case;
mod numbers;
mod rules;
#[cfg(test)]
mod tests;

use super::Tally;
use case::{Case, Stop};
use serde_json::{Map, Value};
use starpay_domain::instant::{Date, parse_date};
use starpay_domain::policy::{Policy, PolicyError};
use starpay_domain::settlement_calendar::SettlementCalendar;

/// What cases need beside their own fields.
struct Facts {
    /// The day on which ages are judged: `meta.reference_date`, else today.
    today: Date,
    /// The newest policy we know.
    policy: Policy,
    /// The calendar of the group at hand, if it has one.
    calendar: Option<SettlementCalendar>,
}

type Runner = fn(&Case<'_>, &Facts) -> Result<(), Stop>;

/// Every list this program can run. The format is described in testdata/format.md.
const LISTS: &[(&str, &str, Runner)] = &[
    ("uscc", "valid", numbers::uscc_valid),
    ("uscc", "invalid", numbers::uscc_invalid),
    ("uscc", "warn", numbers::uscc_warn),
    ("uscc", "normalize", numbers::uscc_normalize),
    ("uscc", "cross_checks", numbers::uscc_cross_check),
    ("bizreg15", "valid", numbers::bizreg15_valid),
    ("bizreg15", "invalid", numbers::bizreg15_invalid),
    ("bizreg15", "policy", numbers::bizreg15_policy),
    ("idcard18", "valid", numbers::idcard18_valid),
    ("idcard18", "invalid", numbers::idcard18_invalid),
    ("idcard18", "normalize", numbers::idcard18_normalize),
    ("age18", "cases", rules::age),
    ("age18", "timezone_cases", rules::age_in_beijing),
    ("document_validity", "cases", rules::document_validity),
    ("other_id_docs", "valid", numbers::other_id_valid),
    ("other_id_docs", "invalid", numbers::other_id_invalid),
    ("mobile", "valid", numbers::mobile_valid),
    ("mobile", "invalid", numbers::mobile_invalid),
    ("mobile", "normalize", numbers::mobile_normalize),
    ("bank_card", "valid", numbers::bank_card_valid),
    ("bank_card", "invalid", numbers::bank_card_invalid),
    ("bank_card", "normalize", numbers::bank_card_normalize),
    ("bank_card", "mask", numbers::bank_card_mask),
    ("bank_card.corporate_account", "valid", numbers::corporate_account_valid),
    ("bank_card.corporate_account", "invalid", numbers::corporate_account_invalid),
    ("cnaps", "valid", numbers::cnaps_valid),
    ("cnaps", "public_anchors", numbers::cnaps_valid),
    ("cnaps", "invalid", numbers::cnaps_invalid),
    ("unionpay_merchant_no", "valid", numbers::merchant_no_valid),
    ("unionpay_merchant_no", "invalid", numbers::merchant_no_invalid),
    ("unionpay_merchant_no", "cross_checks", numbers::merchant_no_cross_check),
    ("terminal_no", "valid", numbers::terminal_no_valid),
    ("terminal_no", "invalid", numbers::terminal_no_invalid),
    ("terminal_sn_tusn", "valid", numbers::tusn_valid),
    ("terminal_sn_tusn", "invalid", numbers::tusn_invalid),
    ("terminal_sn_tusn", "normalize", numbers::tusn_normalize),
    ("fees", "cases", rules::fee),
    ("fees", "split_cases", rules::fee_split),
    ("micro_limits", "cases", rules::micro_limit),
    ("t0_eligibility", "cases", rules::instant_settlement),
    ("settlement_dates", "cases", rules::settlement_dates),
    ("terminal_binding", "cases", rules::terminal_binding),
    ("retention", "cases", rules::retention),
    ("deadlines", "cases", rules::deadline),
    ("deadlines", "inactivity_cases", rules::inactivity),
];

/// An object that has one of these inside is a group within a group, not a fact.
const LIST_NAMES: &[&str] = &["valid", "invalid", "cases", "normalize"];

/// Runs every case of a file of the format of testdata/identifiers.json. Where the file does not
/// say on which day it is judged, it is on `today`.
pub(super) fn run(file: &Value, today: Date, tally: &mut Tally) {
    let Some(groups) = file.get("groups").and_then(Value::as_object) else {
        return tally.malformed("groups is not an object");
    };
    let policy = match newest_policy() {
        Ok(policy) => policy,
        Err(error) => return tally.malformed(format!("the built-in policy: {error}")),
    };
    let stated = file.pointer("/meta/reference_date").and_then(Value::as_str).and_then(day);
    let today = stated.unwrap_or(today);
    let mut facts = Facts { today, policy, calendar: None };
    for (name, group) in groups {
        match group.as_object() {
            Some(lists) => {
                facts.calendar = rules::calendar(lists);
                run_group(name, lists, &facts, tally);
            }
            None => tally.malformed(format!("groups.{name} is not an object")),
        }
    }
}

/// A day, also of a text that says the time too.
fn day(text: &str) -> Option<Date> {
    parse_date(text.split(['T', ' ']).next()?)
}

fn newest_policy() -> Result<Policy, PolicyError> {
    Policy::from_entries(&Policy::seed(), Date::MAX)
}

fn run_group(group: &str, lists: &Map<String, Value>, facts: &Facts, tally: &mut Tally) {
    for (list, content) in lists {
        let runner = LISTS.iter().find(|known| known.0 == group && known.1 == list).map(|known| known.2);
        match (runner, content) {
            (Some(runner), Value::Array(cases)) => run_list(group, list, cases, runner, facts, tally),
            (Some(_), _) => tally.malformed(format!("groups.{group}.{list} is not an array")),
            (None, Value::Array(cases)) if cases.iter().any(Value::is_object) => {
                unknown_list(group, list, cases, tally);
            }
            // bank_card.corporate_account holds lists of its own.
            (None, Value::Object(inner)) if LIST_NAMES.iter().any(|name| inner.contains_key(*name)) => {
                run_group(&format!("{group}.{list}"), inner, facts, tally);
            }
            // Rules, algorithms, patterns, calendars: facts, not cases.
            (None, _) => {}
        }
    }
}

fn run_list(group: &str, list: &str, cases: &[Value], runner: Runner, facts: &Facts, tally: &mut Tally) {
    for (at, value) in cases.iter().enumerate() {
        let id = id_of(group, list, at, value);
        let Some(case) = Case::read(value) else {
            tally.malformed(format!("groups.{group}.{list}[{at}] is not an object"));
            continue;
        };
        match runner(&case, facts).and_then(|()| case.finish()) {
            Ok(()) => tally.record(group, &id, Ok(())),
            Err(Stop::Differs(why)) => tally.record(group, &id, Err(why)),
            Err(Stop::NotRun(why)) => tally.not_run(group, &id, why),
        }
    }
}

fn unknown_list(group: &str, list: &str, cases: &[Value], tally: &mut Tally) {
    for (at, value) in cases.iter().enumerate() {
        tally.not_run(group, &id_of(group, list, at, value), format!("no rule for the list {group}.{list}"));
    }
}

/// The case's own id, or one made from its place.
fn id_of(group: &str, list: &str, at: usize, value: &Value) -> String {
    match value.get("id").and_then(Value::as_str) {
        Some(id) => id.to_owned(),
        None => format!("{group}.{list}.{:02}", at.saturating_add(1)),
    }
}
