//! Cases about ages, dates, fees, limits, binding, retention and deadlines.

use super::Facts;
use super::case::{Case, Stop};
use serde_json::{Map, Value};
use starpay_domain::age::{full_years, is_adult};
use starpay_domain::binding::{Binding, BindingState, bind};
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
    let now = moment(now).ok_or_else(|| Stop::not_run(format!("no moment {now}")))?;
    let (birth, today) = (case.date("birth")?, now.beijing_date());
    case.expect("age", full_years(birth, today))?;
    case.must_expect("adult", is_adult(birth, today, facts.policy.adult_age_years))
}

/// A moment of UTC, as people write it: seconds and `Z` may be left out, a blank may stand for `T`.
fn moment(text: &str) -> Option<Timestamp> {
    let (day, time) = text.trim().split_once(['T', 't', ' '])?;
    let (clock, offset) = time.split_at(time.find(['Z', 'z', '+', '-']).unwrap_or(time.len()));
    let seconds = if clock.matches(':').count() == 1 { ":00" } else { "" };
    let offset = if offset.is_empty() { "Z" } else { offset };
    Timestamp::parse(&format!("{day}T{clock}{seconds}{offset}"))
}

pub(super) fn document_validity(case: &Case<'_>, facts: &Facts) -> Outcome {
    let validity = Validity::new(case.optional_date("valid_from")?, case.last_day("valid_to")?)
        .map_err(|error| Stop::differs(error.to_string()))?;
    let state = validity.state(case.date("today")?, facts.policy.licence_reminder_days);
    case.must_expect("state", state.as_str())
}

fn rate(case: &Case<'_>, name: &str) -> Result<Rate, Stop> {
    let text = case.written(name)?;
    let rate = decimal(&text).and_then(|decimal| Rate::parse(&decimal));
    rate.ok_or_else(|| Stop::not_run(format!("{name} {text} is not a rate")))
}

/// A decimal fraction as our rates are written: `.006` and `6E-3` are `0.006`.
fn decimal(text: &str) -> Option<String> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().ok().filter(|exponent| (-20..=20).contains(exponent))?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Twenty zeros on both sides are room for every exponent.
    let padded = format!("{0}{digits}{0}", "0".repeat(20));
    let point = usize::try_from(exponent.checked_add(20)?).ok()?.checked_add(whole.len())?;
    let (whole, fraction) = padded.split_at_checked(point)?;
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    Some(format!(
        "{}.{}",
        if whole.is_empty() { "0" } else { whole },
        if fraction.is_empty() { "0" } else { fraction }
    ))
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
fn binding_state<'a>(state: &str, holder: Option<&'a str>) -> Result<BindingState<Option<&'a str>>, Stop> {
    match state {
        "unknown" => Ok(BindingState::Unknown),
        "in_stock" | "closed_reported" => Ok(BindingState::Free),
        "allocated" | "reserved" | "shipped" | "dispatched" | "received" | "delivered" | "consigned" => {
            Ok(holder.map_or(BindingState::Free, |holder| BindingState::Bound(Some(holder))))
        }
        "bound" | "activating" | "key_loaded" | "signed_in" | "active" | "suspended" => {
            Ok(BindingState::Bound(holder))
        }
        "closing" | "closed_unreported" | "reassigning" => Ok(BindingState::ClosedUnreported),
        "lost" | "tampered" | "repair" | "scrapped" | "retired" => Ok(BindingState::Blocked),
        other => Err(Stop::not_run(format!("no terminal state {other}"))),
    }
}

/// A terminal that is bound to nobody named is another's than the one who asks; that it is his own
/// already cannot be told then, that it is free is wrong.
pub(super) fn terminal_binding(case: &Case<'_>, _: &Facts) -> Outcome {
    let state = binding_state(case.text("state")?, case.optional_text("bound_to")?)?;
    if state == BindingState::Bound(None) && case.text("expect")? == Binding::Already.as_str() {
        return Err(Stop::not_run("bound, but not said to whom"));
    }
    let outcome = bind(&state, &Some(case.text("bind_to")?));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_brought_to_one_form() {
        for (text, plain) in [
            ("0.006", "0.006"),
            (".006", "0.006"),
            ("6E-3", "0.006"),
            ("6e-3", "0.006"),
            ("60e-4", "0.006"),
            ("0", "0.0"),
            ("1", "1.0"),
            ("1.", "1.0"),
            ("00.5", "0.5"),
            ("0.25E+1", "2.5"),
            ("5.5e-3", "0.0055"),
        ] {
            assert_eq!(decimal(text).as_deref(), Some(plain), "{text}");
        }
        for wrong in ["", ".", "e", "6e", "-0.1", "0,6", "0.6%", "6e-99", "1.2.3", "六"] {
            assert_eq!(decimal(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn moments_may_leave_out_what_is_clear() {
        let whole = Timestamp::parse("2026-02-28T16:00:00Z");
        for text in [
            "2026-02-28T16:00:00Z",
            "2026-02-28T16:00:00",
            "2026-02-28T16:00",
            "2026-02-28 16:00Z",
            "2026-03-01T00:00+08:00",
        ] {
            assert_eq!(moment(text), whole, "{text}");
        }
        for wrong in ["", "2026-02-28", "2026-02-30T16:00", "2026-02-28T16", "2026-02-28T25:00", "T"] {
            assert_eq!(moment(wrong), None, "{wrong}");
        }
    }
}
