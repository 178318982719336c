//! 期限 of the regulator, and what follows when a terminal stands idle.
//!
//! Where a rule says 日 without 工作日, Beijing calendar days are counted, the stricter reading
//! the first day does not count, the last ends at midnight.

use crate::instant::{Date, Timestamp};
use crate::period::plus_months;
use crate::policy::Policy;
use time::Duration;

crate::text_enum! {
    /// What is due.
    pub enum DeadlineKind {
        /// 商户入网、变更、终止报送.
        MerchantChangeReport "merchant_change_report",
        /// 终端注销报送.
        TerminalClosureReport "terminal_closure_report",
        /// 黑名单清退.
        BlacklistExit "blacklist_exit",
        /// 洗钱风险管控异议答复.
        AmlObjectionReply "aml_objection_reply",
        /// 投诉答复.
        ComplaintReply "complaint_reply",
        /// 复杂投诉答复.
        ComplaintExtendedReply "complaint_extended_reply",
        /// 费用调整公示期满.
        FeeNotice "fee_notice",
        /// 协议变更公告期满.
        AgreementNotice "agreement_notice",
        /// 最迟结算.
        SettlementLatest "settlement_latest",
    }
}

impl DeadlineKind {
    /// How many days the policy gives.
    #[must_use]
    pub const fn days(self, policy: &Policy) -> u16 {
        match self {
            Self::MerchantChangeReport => policy.merchant_report_days,
            Self::TerminalClosureReport => policy.terminal_closure_report_days,
            Self::BlacklistExit => policy.blacklist_exit_days,
            Self::AmlObjectionReply => policy.aml_objection_reply_days,
            Self::ComplaintReply => policy.complaint_reply_days,
            Self::ComplaintExtendedReply => policy.complaint_extended_days,
            Self::FeeNotice => policy.fee_notice_days,
            Self::AgreementNotice => policy.agreement_notice_days,
            Self::SettlementLatest => policy.settlement_latest_days,
        }
    }
}

/// The last day of a period of so many calendar days that begins on `start`; `None` beyond the
/// calendar.
#[must_use]
pub fn due_on(start: Date, days: u16) -> Option<Date> {
    start.checked_add(Duration::days(i64::from(days)))
}

/// Whether the last day has ended in Beijing.
#[must_use]
pub fn is_over(due_on: Date, now: Timestamp) -> bool {
    now.beijing_date() > due_on
}

crate::text_enum! {
    /// 备机 are exempt from the rule on idle terminals.
    pub enum TerminalUse {
        /// In daily use.
        InService "in_service",
        /// 备机.
        Spare "spare",
    }
}

crate::text_enum! {
    /// What an idle terminal calls for.
    pub enum InactivityAction {
        /// Nothing yet.
        None "none",
        /// 重新核实身份.
        Reverify "reverify",
        /// 停止服务并回收.
        StopService "stop_service",
    }
}

/// What a terminal calls for whose last payment was on `last_payment_on`.
#[must_use]
pub fn inactivity(
    last_payment_on: Date,
    today: Date,
    terminal: TerminalUse,
    policy: &Policy,
) -> InactivityAction {
    let idle_for =
        |months: u16| plus_months(last_payment_on, u32::from(months)).is_some_and(|full_on| full_on <= today);
    match terminal {
        TerminalUse::Spare => InactivityAction::None,
        TerminalUse::InService if idle_for(policy.inactivity_stop_months) => InactivityAction::StopService,
        TerminalUse::InService if idle_for(policy.inactivity_reverify_months) => InactivityAction::Reverify,
        TerminalUse::InService => InactivityAction::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instant::parse_date;
    use crate::policy::in_force_today;

    fn day(text: &str) -> Date {
        parse_date(text).unwrap()
    }

    #[test]
    fn the_first_day_does_not_count_and_the_last_ends_at_midnight() {
        let due =
            due_on(day("2026-12-31"), DeadlineKind::MerchantChangeReport.days(&in_force_today())).unwrap();
        assert_eq!(due, day("2027-01-02"));
        assert!(!is_over(due, Timestamp::parse("2027-01-02T15:59:59Z").unwrap()));
        assert!(is_over(due, Timestamp::parse("2027-01-02T16:00:00Z").unwrap()));
        assert_eq!(due_on(Date::MAX, 1), None);
    }

    #[test]
    fn three_idle_months_ask_for_the_person_and_twelve_stop_the_service() {
        let policy = in_force_today();
        let action = |last, today| inactivity(day(last), day(today), TerminalUse::InService, &policy);
        assert_eq!(action("2026-08-23", "2026-11-22"), InactivityAction::None);
        assert_eq!(action("2026-08-22", "2026-11-22"), InactivityAction::Reverify);
        assert_eq!(action("2025-11-23", "2026-11-22"), InactivityAction::Reverify);
        assert_eq!(action("2025-11-22", "2026-11-22"), InactivityAction::StopService);
        let spare = inactivity(day("2020-01-01"), day("2026-11-22"), TerminalUse::Spare, &policy);
        assert_eq!(spare, InactivityAction::None);
    }
}
