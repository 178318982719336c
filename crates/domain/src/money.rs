//! 金额: whole fen of CNY.

use crate::fact::FactValue;
use std::fmt;

/// 金额 in 分 of 人民币. Never a float, never unchecked arithmetic; there is one currency, so no
/// amount can be added to another one by mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i64);

impl Money {
    /// The only currency (ISO 4217).
    pub const CURRENCY: &'static str = "CNY";
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// From whole fen.
    #[must_use]
    pub const fn from_fen(fen: i64) -> Self {
        Self(fen)
    }

    /// Whole fen.
    #[must_use]
    pub const fn fen(self) -> i64 {
        self.0
    }

    /// From yuan as people write them: `12`, `12.3`, `12.34`, with a minus in front if owed.
    /// `None` for anything else, also for a third decimal.
    #[must_use]
    pub fn parse_yuan(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (yuan, cents) = digits.split_once('.').unwrap_or((digits, "0"));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !all_digits(yuan) || !all_digits(cents) || cents.len() > 2 {
            return None;
        }
        let cents = if cents.len() == 1 { format!("{cents}0") } else { cents.to_owned() };
        let fen = yuan.parse::<i64>().ok()?.checked_mul(100)?.checked_add(cents.parse().ok()?)?;
        Some(Self(if negative { fen.checked_neg()? } else { fen }))
    }

    /// The sum, unless it does not fit.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(fen) => Some(Self(fen)),
            None => None,
        }
    }

    /// The difference, unless it does not fit.
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(fen) => Some(Self(fen)),
            None => None,
        }
    }

    /// So many times the amount, unless it does not fit.
    #[must_use]
    pub const fn checked_mul(self, times: i64) -> Option<Self> {
        match self.0.checked_mul(times) {
            Some(fen) => Some(Self(fen)),
            None => None,
        }
    }

    /// The sum of many, unless it does not fit. A day's total is this sum of rounded fees, never
    /// a fee on the total (domain rules §4.2).
    pub fn checked_sum(amounts: impl IntoIterator<Item = Self>) -> Option<Self> {
        amounts.into_iter().try_fold(Self::ZERO, Self::checked_add)
    }

    /// Whether less than nothing.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }
}

impl fmt::Display for Money {
    /// Yuan with two decimals, without sign of currency: `-12.30`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let fen = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", fen / 100, fen % 100)
    }
}

impl FactValue for Money {
    fn to_fact(&self) -> Option<String> {
        Some(self.0.to_string())
    }
    fn from_fact(fact: Option<&str>) -> Option<Self> {
        fact?.parse().ok().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn yuan_are_read_exactly_or_not_at_all() {
        let fen = |text| Money::parse_yuan(text).map(Money::fen);
        assert_eq!(fen("0.01"), Some(1));
        assert_eq!(fen("12.3"), Some(1230));
        assert_eq!(fen("-12"), Some(-1200));
        for wrong in ["", ".", "1.", ".5", "1.234", "1e2", "１", "+1", "--1", "1,000", "99999999999999999999"]
        {
            assert_eq!(fen(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn overflow_is_seen() {
        assert_eq!(Money::from_fen(i64::MAX).checked_add(Money::from_fen(1)), None);
        assert_eq!(Money::from_fen(i64::MIN).checked_sub(Money::from_fen(1)), None);
        assert_eq!(Money::from_fen(i64::MAX).checked_mul(2), None);
        assert_eq!(Money::checked_sum([Money::from_fen(2), Money::from_fen(-3)]), Some(Money::from_fen(-1)));
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(fen in -i64::MAX..) {
            let money = Money::from_fen(fen);
            prop_assert_eq!(Money::parse_yuan(&money.to_string()), Some(money));
            prop_assert_eq!(Money::from_fact(money.to_fact().as_deref()), Some(money));
        }
    }
}
