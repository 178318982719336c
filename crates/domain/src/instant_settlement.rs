//! T+0/D+0 结算: who may have the money on the same day.

use crate::policy::Policy;

crate::text_enum! {
    /// What still stands in the way.
    pub enum InstantSettlementObstacle {
        /// 入网不满 90 日.
        OnboardedTooShort "onboarded_too_short",
        /// 连续正常交易不满 30 日.
        TradingTooShort "trading_too_short",
    }
}

/// What still stands in the way of T+0/D+0: nothing is eligible. Both periods must be full.
#[must_use]
pub fn obstacles(
    days_onboarded: u32,
    normal_trading_days: u32,
    policy: &Policy,
) -> Vec<InstantSettlementObstacle> {
    let mut obstacles = Vec::new();
    if days_onboarded < u32::from(policy.instant_settlement_onboarded_days) {
        obstacles.push(InstantSettlementObstacle::OnboardedTooShort);
    }
    if normal_trading_days < u32::from(policy.instant_settlement_trading_days) {
        obstacles.push(InstantSettlementObstacle::TradingTooShort);
    }
    obstacles
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::in_force_today;
    use InstantSettlementObstacle::{OnboardedTooShort, TradingTooShort};

    #[test]
    fn both_periods_must_be_full() {
        let policy = in_force_today();
        assert_eq!(obstacles(90, 30, &policy), []);
        assert_eq!(obstacles(89, 60, &policy), [OnboardedTooShort]);
        assert_eq!(obstacles(120, 29, &policy), [TradingTooShort]);
        assert_eq!(obstacles(0, 0, &policy), [OnboardedTooShort, TradingTooShort]);
    }
}
