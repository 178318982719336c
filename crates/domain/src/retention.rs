//! 保留期: the first day on which a record may be destroyed (domain rules §1.9).

use crate::instant::Date;
use crate::period::{minus_years, plus_years};
use crate::policy::Policy;

/// 调查: whether somebody is looking into the merchant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Investigation {
    /// None, ever.
    None,
    /// Still open: nothing may be destroyed.
    Open,
    /// Closed on that day.
    Closed(Date),
}

/// What a record's life depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionFacts {
    /// 业务关系结束日; `None` while it lasts.
    pub relation_ended_on: Option<Date>,
    /// 最后交易日, if there ever was a payment (a refund may follow the end).
    pub last_payment_on: Option<Date>,
    /// 调查.
    pub investigation: Investigation,
    /// 协议另约: a later day agreed in the contract.
    pub agreed_until: Option<Date>,
}

/// The first day on which the merchant's records may be destroyed; `None` while the relation
/// lasts or an investigation is open.
#[must_use]
pub fn earliest_purge(facts: &RetentionFacts, policy: &Policy) -> Option<Date> {
    let closed_on = match facts.investigation {
        Investigation::Open => return None,
        Investigation::None => None,
        Investigation::Closed(day) => Some(day),
    };
    let years = policy.record_retention_years;
    // A date beyond the calendar means never, so the question mark keeps the record.
    let mut earliest = plus_years(facts.relation_ended_on?, years)?;
    if let Some(last) = facts.last_payment_on {
        earliest = earliest.max(plus_years(last, years)?);
    }
    Some([closed_on, facts.agreed_until].into_iter().flatten().fold(earliest, Date::max))
}

/// 查阅记录: records of looks at personal data from before this day may be destroyed. Logs are kept as
/// long as the records they are about (domain rules §1.9), so as many years, counted from the look:
/// more than the three of records of processing and the six months of audit logs.
#[must_use]
pub fn looks_kept_from(today: Date, policy: &Policy) -> Option<Date> {
    minus_years(today, policy.record_retention_years)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instant::parse_date;
    use crate::policy::in_force_today;

    fn facts(ended: Option<&str>, last: Option<&str>) -> RetentionFacts {
        RetentionFacts {
            relation_ended_on: ended.and_then(parse_date),
            last_payment_on: last.and_then(parse_date),
            investigation: Investigation::None,
            agreed_until: None,
        }
    }

    #[test]
    fn the_latest_of_all_periods_counts() {
        let policy = in_force_today();
        let both = facts(Some("2026-01-31"), Some("2026-03-15"));
        assert_eq!(earliest_purge(&both, &policy), parse_date("2036-03-15"));
        let closed = RetentionFacts { investigation: Investigation::Closed(Date::MAX), ..both };
        assert_eq!(earliest_purge(&closed, &policy), Some(Date::MAX));
        let agreed = RetentionFacts { agreed_until: parse_date("2040-01-01"), ..both };
        assert_eq!(earliest_purge(&agreed, &policy), parse_date("2040-01-01"));
        let leap = facts(Some("2024-02-29"), None);
        assert_eq!(earliest_purge(&leap, &policy), parse_date("2034-03-01"));
    }

    #[test]
    fn looks_are_kept_as_long_as_records() {
        let kept_from = looks_kept_from(parse_date("2036-03-15").unwrap(), &in_force_today());
        assert_eq!(kept_from, parse_date("2026-03-15"));
    }

    #[test]
    fn nothing_goes_while_the_relation_lasts_or_somebody_looks() {
        let policy = in_force_today();
        assert_eq!(earliest_purge(&facts(None, Some("2015-01-01")), &policy), None);
        let open = RetentionFacts {
            investigation: Investigation::Open,
            ..facts(Some("2000-01-31"), Some("2000-01-31"))
        };
        assert_eq!(earliest_purge(&open, &policy), None);
    }
}
