//! 小微信用卡限额.

use crate::money::Money;
use crate::policy::Policy;

/// Credit card takings so far of all 小微 merchants of one identity document at this acquirer,
/// by Beijing calendar day and month. Debit cards do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MicroTakings {
    /// Today.
    pub day: Money,
    /// This month, today included.
    pub month: Money,
}

crate::text_enum! {
    /// The limit a payment would exceed.
    pub enum MicroLimit {
        /// 日累计.
        Daily "daily_limit",
        /// 月累计.
        Monthly "monthly_limit",
    }
}

impl MicroLimit {
    /// What to tell the merchant, in Chinese.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Daily => "超过小微商户信用卡当日累计限额,请改用借记卡或扫码",
            Self::Monthly => "超过小微商户信用卡当月累计限额,请改用借记卡或扫码",
        }
    }
}

/// Whether a credit card payment fits both limits, itself included.
///
/// # Errors
/// The limit it would exceed; the daily one if both.
pub fn check(takings: MicroTakings, amount: Money, policy: &Policy) -> Result<(), MicroLimit> {
    let fits = |so_far: Money, limit| so_far.checked_add(amount).is_some_and(|total| total <= limit);
    if !fits(takings.day, policy.micro_daily_limit) {
        return Err(MicroLimit::Daily);
    }
    if !fits(takings.month, policy.micro_monthly_limit) {
        return Err(MicroLimit::Monthly);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::in_force_today;

    #[test]
    fn the_limit_itself_is_allowed_and_a_fen_more_is_not() {
        let check = |day, month, amount| {
            let takings = MicroTakings { day: Money::from_fen(day), month: Money::from_fen(month) };
            check(takings, Money::from_fen(amount), &in_force_today())
        };
        assert_eq!(check(0, 0, 100_000), Ok(()));
        assert_eq!(check(0, 0, 100_001), Err(MicroLimit::Daily));
        assert_eq!(check(0, 950_000, 50_000), Ok(()));
        assert_eq!(check(0, 950_000, 50_001), Err(MicroLimit::Monthly));
        assert_eq!(check(i64::MAX, i64::MAX, 1), Err(MicroLimit::Daily));
    }
}
