//! 费率: a decimal fraction, exact.

use crate::fact::FactValue;
use crate::money::Money;
use std::fmt;

/// Decimals kept: more than any published rate has.
const DECIMALS: usize = 9;
const ONE: u32 = 1_000_000_000;

/// 费率 between 0 and 1 as billionths, read from decimal text such as `0.0038`. A binary float
/// would charge a fen too little on 172.50 yuan at 0.60 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(u32);

impl Rate {
    /// No charge.
    pub const ZERO: Self = Self(0);

    /// From decimal text: `0`, `0.006`, `1`. `None` for anything else, above 1, or with more than
    /// nine decimals.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !all_digits(whole) || !all_digits(fraction) || fraction.len() > DECIMALS {
            return None;
        }
        let fraction: u32 = format!("{fraction:0<DECIMALS$}").parse().ok()?;
        let parts = whole.parse::<u32>().ok()?.checked_mul(ONE)?.checked_add(fraction)?;
        (parts <= ONE).then_some(Self(parts))
    }

    /// This share of an amount, rounded half-up to whole fen (half away from nothing for what is
    /// owed), in integers only.
    #[must_use]
    pub fn of_half_up(self, amount: Money) -> Money {
        let exact = i128::from(amount.fen()).unsigned_abs().saturating_mul(u128::from(self.0));
        let rounded = exact.saturating_add(u128::from(ONE / 2)) / u128::from(ONE);
        // A share of at most 1 of an i64 is an i64; only i64::MIN itself would saturate.
        let fen = i64::try_from(rounded).unwrap_or(i64::MAX);
        Money::from_fen(if amount.is_negative() { -fen } else { fen })
    }
}

impl fmt::Display for Rate {
    /// The shortest decimal text, which [`Rate::parse`] reads back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:09}", self.0 / ONE, self.0 % ONE);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl FactValue for Rate {
    fn to_fact(&self) -> Option<String> {
        Some(self.to_string())
    }
    fn from_fact(fact: Option<&str>) -> Option<Self> {
        Self::parse(fact?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rates_are_decimal_text() {
        for text in ["0", "0.006", "0.000325", "1", "0.5"] {
            assert_eq!(Rate::parse(text).unwrap().to_string(), text);
        }
        for wrong in ["", ".6", "0.", "1.1", "-0.1", "0.0000000001", "6e-3", "0,6", "2", "0.6%"] {
            assert_eq!(Rate::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn half_a_fen_rounds_up_where_floats_round_down() {
        for (fen, rate, share) in
            [(17_250, "0.006", 104), (1_000, "0.0055", 6), (7_500, "0.0038", 29), (40_750, "0.006", 245)]
        {
            assert_eq!(Rate::parse(rate).unwrap().of_half_up(Money::from_fen(fen)).fen(), share);
        }
        assert_eq!(Rate::parse("0.5").unwrap().of_half_up(Money::from_fen(-1)).fen(), -1);
    }

    proptest! {
        #[test]
        fn a_share_is_within_half_a_fen_of_exact(fen in 0_i64.., parts in 0..=ONE) {
            let share = i128::from(Rate(parts).of_half_up(Money::from_fen(fen)).fen());
            let error = share * i128::from(ONE) - i128::from(fen) * i128::from(parts);
            prop_assert!(error > -i128::from(ONE / 2) && error <= i128::from(ONE / 2));
            prop_assert_eq!(Rate::parse(&Rate(parts).to_string()), Some(Rate(parts)));
        }
    }
}
