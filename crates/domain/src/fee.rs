//! 手续费: what a payment costs the merchant, and who gets which part.
//!
//! Every payment is rounded by itself, half-up, in integers (domain rules §4.2).

use crate::money::Money;
use crate::policy::Policy;
use crate::rate::Rate;

/// 费率条款 the merchant agreed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeTerms {
    /// Share of the amount.
    pub rate: Rate,
    /// 封顶 of that share; `None` is no cap.
    pub cap: Option<Money>,
    /// Added to every payment, above the cap.
    pub fixed: Money,
}

crate::text_enum! {
    /// 借贷: which issuer's fee applies.
    pub enum CardKind {
        /// 借记.
        Debit "debit",
        /// 贷记.
        Credit "credit",
    }
}

/// How a fee is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeSplit {
    /// What the merchant pays.
    pub merchant_fee: Money,
    /// 发卡行服务费.
    pub issuer_fee: Money,
    /// 网络服务费, the acquirer's half.
    pub network_fee: Money,
    /// 收单留存: what is left, by subtraction; it may be less than nothing.
    pub acquirer_residual: Money,
}

/// Why there is no fee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FeeError {
    /// A fee is asked of less than nothing: refunds have their own rule.
    #[error("a fee needs an amount of at least nothing")]
    AmountNegative,
    /// The sum does not fit.
    #[error("the fee does not fit its type")]
    Overflow,
    /// The fee would eat the whole payment: refuse it, or waive the fee by agreement.
    #[error("the fee is not below the amount")]
    NotBelowAmount,
}

impl FeeTerms {
    /// The fee on one payment: share rounded half-up, then capped, then the fixed part.
    ///
    /// # Errors
    /// [`FeeError::AmountNegative`], [`FeeError::Overflow`].
    pub fn fee(&self, amount: Money) -> Result<Money, FeeError> {
        capped_share(self.rate, self.cap, amount)?.checked_add(self.fixed).ok_or(FeeError::Overflow)
    }

    /// What the merchant receives of one payment.
    ///
    /// # Errors
    /// Those of [`FeeTerms::fee`], and [`FeeError::NotBelowAmount`]: nothing may settle negative.
    pub fn net(&self, amount: Money) -> Result<Money, FeeError> {
        let net = amount.checked_sub(self.fee(amount)?).ok_or(FeeError::Overflow)?;
        if net > Money::ZERO { Ok(net) } else { Err(FeeError::NotBelowAmount) }
    }
}

/// Divides the merchant's fee on one card payment by the price list in force.
///
/// # Errors
/// [`FeeError::AmountNegative`], [`FeeError::Overflow`].
pub fn split(terms: &FeeTerms, card: CardKind, amount: Money, policy: &Policy) -> Result<FeeSplit, FeeError> {
    let merchant_fee = terms.fee(amount)?;
    let issuer_fee = match card {
        CardKind::Debit => capped_share(policy.issuer_debit_rate, Some(policy.issuer_debit_cap), amount),
        CardKind::Credit => capped_share(policy.issuer_credit_rate, None, amount),
    }?;
    let network_fee = capped_share(policy.network_acquirer_rate, Some(policy.network_acquirer_cap), amount)?;
    let acquirer_residual = merchant_fee
        .checked_sub(issuer_fee)
        .and_then(|rest| rest.checked_sub(network_fee))
        .ok_or(FeeError::Overflow)?;
    Ok(FeeSplit { merchant_fee, issuer_fee, network_fee, acquirer_residual })
}

fn capped_share(rate: Rate, cap: Option<Money>, amount: Money) -> Result<Money, FeeError> {
    if amount.is_negative() {
        return Err(FeeError::AmountNegative);
    }
    let share = rate.of_half_up(amount);
    Ok(cap.map_or(share, |cap| share.min(cap)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::in_force_today;
    use proptest::prelude::*;

    fn terms(rate: &str, cap: Option<i64>, fixed: i64) -> FeeTerms {
        FeeTerms {
            rate: Rate::parse(rate).unwrap(),
            cap: cap.map(Money::from_fen),
            fixed: Money::from_fen(fixed),
        }
    }

    #[test]
    fn the_cap_comes_before_the_fixed_part() {
        let fee = |terms: FeeTerms, fen| terms.fee(Money::from_fen(fen)).map(Money::fen);
        assert_eq!(fee(terms("0.005", Some(2000), 0), 399_999), Ok(2000));
        assert_eq!(fee(terms("0.005", Some(2000), 0), 399_800), Ok(1999));
        assert_eq!(fee(terms("0.005", Some(2000), 300), 500_000), Ok(2300));
        assert_eq!(fee(terms("0.006", None, 0), 0), Ok(0));
        assert_eq!(fee(terms("0.006", None, 0), -1), Err(FeeError::AmountNegative));
        assert_eq!(fee(terms("1", None, 1), i64::MAX), Err(FeeError::Overflow));
    }

    #[test]
    fn nothing_settles_negative() {
        assert_eq!(terms("0.006", None, 300).net(Money::from_fen(300)), Err(FeeError::NotBelowAmount));
        assert_eq!(terms("0.006", None, 300).net(Money::from_fen(400)), Ok(Money::from_fen(98)));
    }

    #[test]
    fn the_acquirer_may_lose_on_a_payment() {
        let split =
            split(&terms("0.0038", None, 0), CardKind::Credit, Money::from_fen(100_000), &in_force_today());
        assert_eq!(split.unwrap().acquirer_residual, Money::from_fen(380 - 450 - 33));
    }

    proptest! {
        #[test]
        fn the_parts_make_the_whole(fen in 1_i64..=i64::MAX / 4) {
            for card in CardKind::ALL {
                let split = split(&terms("0.006", Some(2000), 100), *card, Money::from_fen(fen), &in_force_today());
                let split = split.unwrap();
                let parts = [split.issuer_fee, split.network_fee, split.acquirer_residual];
                prop_assert_eq!(Money::checked_sum(parts), Some(split.merchant_fee));
            }
        }
    }
}
