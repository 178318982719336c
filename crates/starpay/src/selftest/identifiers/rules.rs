//! Cases about ages, dates, fees, limits, binding, retention and deadlines.

use super::Facts;
use super::case::{Case, Stop};
use serde_json::{Map, Value};
use starpay_domain::age::{full_years, is_adult};
use starpay_domain::binding::{BindingState, bind};
use starpay_domain::deadline::{self, TerminalUse};
use starpay_domain::fee::{CardKind, FeeTerms, split};
use starpay_domain::instant::{Date, Timestamp, format_date, parse_date};
use starpay_domain::instant_settlement::obstacles;
use starpay_domain::micro_limit::{self, MicroTakings};
use starpay_domain::money::Money;
use starpay_domain::rate::Rate;
use starpay_domain::retention::{Investigation, RetentionFacts, earliest_purge};
use starpay_domain::settlement_calendar::{CalendarError, SettlementCalendar};
use starpay_domain::validity::Validity;
use std::ops::RangeInclusive;

type Outcome = Result<(), Stop>;

pub(super) fn age(case: &Case<'_>, facts: &Facts) -> Outcome {
    let (birth, today) = (case.date("birth")?, case.date("today")?);
    case.expect("age", full_years(birth, today))?;
    case.must_expect("adult", is_adult(birth, today, facts.policy.adult_age_years))
}

pub(super) fn age_in_beijing(case: &Case<'_>, facts: &Facts) -> Outcome {
    let now = case.text("now_utc")?;
    let now = Timestamp::parse(now).ok_or_else(|| Stop::not_run(format!("no moment {now}")))?;
    let (birth, today) = (case.date("birth")?, now.beijing_date());
    case.expect("age", full_years(birth, today))?;
    case.must_expect("adult", is_adult(birth, today, facts.policy.adult_age_years))
}

pub(super) fn document_validity(case: &Case<'_>, facts: &Facts) -> Outcome {
    let validity = Validity::new(case.optional_date("valid_from")?, case.optional_date("valid_to")?)
        .map_err(|error| Stop::differs(error.to_string()))?;
    let state = validity.state(case.date("today")?, facts.policy.licence_reminder_days);
    case.must_expect("state", state.as_str())
}

fn rate(case: &Case<'_>, name: &str) -> Result<Rate, Stop> {
    let text = case.text(name)?;
    Rate::parse(text).ok_or_else(|| Stop::not_run(format!("{name} {text} is not a rate")))
}

pub(super) fn fee(case: &Case<'_>, _: &Facts) -> Outcome {
    let terms = FeeTerms {
        rate: rate(case, "rate")?,
        cap: case.optional_money("cap_fen")?,
        fixed: case.optional_money("fixed_fen")?.unwrap_or(Money::ZERO),
    };
    let fee = terms.fee(case.money("amount_fen")?).map_err(|error| Stop::differs(error.to_string()))?;
    case.must_expect("fee_fen", fee.fen())
}

pub(super) fn fee_split(case: &Case<'_>, facts: &Facts) -> Outcome {
    let terms = FeeTerms {
        rate: rate(case, "merchant_rate")?,
        cap: case.optional_money("merchant_cap_fen")?,
        fixed: Money::ZERO,
    };
    let card = case.text("card")?;
    let card = CardKind::parse(card).ok_or_else(|| Stop::not_run(format!("no card kind {card}")))?;
    let split = split(&terms, card, case.money("amount_fen")?, &facts.policy)
        .map_err(|error| Stop::differs(error.to_string()))?;
    case.must_expect("merchant_fee_fen", split.merchant_fee.fen())?;
    case.expect("issuer_fee_fen", split.issuer_fee.fen())?;
    case.expect("network_fee_acquirer_side_fen", split.network_fee.fen())?;
    case.expect("acquirer_residual_fen", split.acquirer_residual.fen())
}

pub(super) fn micro_limit(case: &Case<'_>, facts: &Facts) -> Outcome {
    let takings = MicroTakings { day: case.money("day_used_fen")?, month: case.money("month_used_fen")? };
    let outcome = micro_limit::check(takings, case.money("amount_fen")?, &facts.policy);
    case.must_expect("expect", if outcome.is_ok() { "accept" } else { "reject" })?;
    case.expect("reason_code", outcome.err().map(|limit| limit.as_str()))
}

pub(super) fn instant_settlement(case: &Case<'_>, facts: &Facts) -> Outcome {
    let open = obstacles(case.number("days_onboarded")?, case.number("normal_days")?, &facts.policy);
    case.must_expect("eligible", open.is_empty())
}

/// The calendar of a group. It states every exception of every year its cases touch, so it
/// covers all of those.
pub(super) fn calendar(group: &Map<String, Value>) -> Option<SettlementCalendar> {
    let calendar = group.get("calendar")?;
    let days = |name: &str| -> Option<Vec<Date>> {
        match calendar.get(name) {
            None => Some(Vec::new()),
            Some(days) => days.as_array()?.iter().map(|day| parse_date(day.as_str()?)).collect(),
        }
    };
    let (holidays, extra_workdays) = (days("holidays")?, days("extra_workdays")?);
    let cases = group.get("cases").and_then(Value::as_array).into_iter().flatten();
    let traded = cases.filter_map(|case| parse_date(case.get("trade_date")?.as_str()?));
    let years = years(holidays.iter().chain(&extra_workdays).copied().chain(traded))?;
    SettlementCalendar::new(years, holidays, extra_workdays).ok()
}

/// From the first to the last year, and one more for what is sold on New Year's Eve.
fn years(days: impl Iterator<Item = Date>) -> Option<RangeInclusive<i32>> {
    let years: Vec<i32> = days.map(Date::year).collect();
    Some(*years.iter().min()?..=years.iter().max()?.saturating_add(1))
}

pub(super) fn settlement_dates(case: &Case<'_>, facts: &Facts) -> Outcome {
    let calendar =
        facts.calendar.as_ref().ok_or_else(|| Stop::not_run("the group has no readable calendar"))?;
    let differs = |error: CalendarError| Stop::differs(error.to_string());
    let traded_on = case.date("trade_date")?;
    case.must_expect("t1", format_date(calendar.t1(traded_on).map_err(differs)?))?;
    case.expect("d1", format_date(calendar.d1(traded_on).map_err(differs)?))
}

/// The names of terminal states in the test data, in domain rules §5.2 and of our machine.
fn binding_state<'a>(state: &str, bound_to: Option<&'a str>) -> Result<BindingState<&'a str>, Stop> {
    let held = || {
        bound_to
            .map(BindingState::Bound)
            .ok_or_else(|| Stop::not_run(format!("state {state} without bound_to")))
    };
    match state {
        "unknown" => Ok(BindingState::Unknown),
        "in_stock" | "closed_reported" => Ok(BindingState::Free),
        "allocated" | "reserved" | "shipped" | "dispatched" | "received" | "delivered" | "consigned" => {
            Ok(bound_to.map_or(BindingState::Free, BindingState::Bound))
        }
        "bound" | "activating" | "key_loaded" | "signed_in" | "active" | "suspended" => held(),
        "closing" | "closed_unreported" | "reassigning" => Ok(BindingState::ClosedUnreported),
        "lost" | "tampered" | "repair" | "scrapped" | "retired" => Ok(BindingState::Blocked),
        other => Err(Stop::not_run(format!("no terminal state {other}"))),
    }
}

pub(super) fn terminal_binding(case: &Case<'_>, _: &Facts) -> Outcome {
    let state = binding_state(case.text("state")?, case.optional_text("bound_to")?)?;
    let outcome = bind(&state, &case.text("bind_to")?);
    case.must_expect("expect", outcome.map_or("reject", |binding| binding.as_str()))?;
    case.expect("reason_code", outcome.err().map(|refusal| refusal.as_str()))
}

pub(super) fn retention(case: &Case<'_>, facts: &Facts) -> Outcome {
    let record = RetentionFacts {
        relation_ended_on: case.optional_date("relation_end")?,
        last_payment_on: case.optional_date("last_txn")?,
        investigation: if case.flag("investigation_open")? {
            Investigation::Open
        } else {
            Investigation::None
        },
        agreed_until: None,
    };
    case.must_expect("earliest_purge", earliest_purge(&record, &facts.policy).map(format_date))
}

/// The kind is a label here: the case states the number of days itself.
pub(super) fn deadline(case: &Case<'_>, _: &Facts) -> Outcome {
    case.text("kind")?;
    let due = deadline::due_on(case.date("start")?, case.number("days")?);
    case.must_expect("due", due.map(format_date))
}

pub(super) fn inactivity(case: &Case<'_>, facts: &Facts) -> Outcome {
    let (last, today) = (case.date("last_txn")?, case.date("today")?);
    let action = deadline::inactivity(last, today, TerminalUse::InService, &facts.policy);
    case.must_expect("action", action.as_str())
}
