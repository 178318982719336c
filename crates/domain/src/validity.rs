//! 证件有效期.

use crate::instant::Date;

/// From when until when a document holds. The last day counts; no last day is 长期.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    from: Option<Date>,
    to: Option<Date>,
}

crate::text_enum! {
    /// How a document stands on a day.
    pub enum ValidityState {
        /// Its first day lies ahead.
        NotYetValid "not_yet_valid",
        /// In force.
        Valid "valid",
        /// In force, without an end.
        ValidLongterm "valid_longterm",
        /// In force, to be renewed soon: a reminder, never a refusal.
        ExpiringSoon "expiring_soon",
        /// Its last day is past.
        Expired "expired",
    }
}

impl ValidityState {
    /// Whether the document may be relied on.
    #[must_use]
    pub const fn is_in_force(self) -> bool {
        match self {
            Self::Valid | Self::ValidLongterm | Self::ExpiringSoon => true,
            Self::NotYetValid | Self::Expired => false,
        }
    }
}

/// A period that ends before it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the last day lies before the first")]
pub struct EndsBeforeItBegins;

impl Validity {
    /// From the days on the document: no first day means not printed, no last day means 长期.
    ///
    /// # Errors
    /// When the last day lies before the first.
    pub fn new(from: Option<Date>, to: Option<Date>) -> Result<Self, EndsBeforeItBegins> {
        match (from, to) {
            (Some(first), Some(last)) if last < first => Err(EndsBeforeItBegins),
            _ => Ok(Self { from, to }),
        }
    }

    /// Whole days left after `today`; `None` for 长期, negative when past.
    #[must_use]
    pub fn days_left(&self, today: Date) -> Option<i64> {
        self.to.map(|last| (last - today).whole_days())
    }

    /// How the document stands. The reminder (policy `id_reminder_days`, `licence_reminder_days`)
    /// covers the days *before* the last: on the last day itself the document is plainly
    /// `valid`, as the shared cases have it, and `days_left` is 0.
    #[must_use]
    pub fn state(&self, today: Date, reminder_days: u16) -> ValidityState {
        if self.from.is_some_and(|first| first > today) {
            return ValidityState::NotYetValid;
        }
        match self.days_left(today) {
            None => ValidityState::ValidLongterm,
            Some(left) if left < 0 => ValidityState::Expired,
            Some(left) if left > 0 && left < i64::from(reminder_days) => ValidityState::ExpiringSoon,
            Some(_) => ValidityState::Valid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instant::parse_date;

    fn state(from: Option<&str>, to: Option<&str>, today: &str) -> ValidityState {
        let day = |text: &str| parse_date(text).unwrap();
        Validity::new(from.map(day), to.map(day)).unwrap().state(day(today), 30)
    }

    #[test]
    fn the_last_day_counts_and_the_next_does_not() {
        assert_eq!(state(Some("2016-11-23"), Some("2026-11-22"), "2026-11-22"), ValidityState::Valid);
        assert_eq!(state(Some("2016-11-23"), Some("2026-11-22"), "2026-11-23"), ValidityState::Expired);
        assert_eq!(state(Some("2026-11-23"), Some("2036-11-22"), "2026-11-22"), ValidityState::NotYetValid);
        assert_eq!(state(Some("2026-11-23"), None, "2026-11-22"), ValidityState::NotYetValid);
        assert_eq!(state(None, None, "2026-11-22"), ValidityState::ValidLongterm);
    }

    #[test]
    fn the_reminder_starts_less_than_so_many_days_before() {
        assert_eq!(state(None, Some("2026-12-22"), "2026-11-22"), ValidityState::Valid);
        assert_eq!(state(None, Some("2026-12-21"), "2026-11-22"), ValidityState::ExpiringSoon);
        assert_eq!(state(None, Some("2026-11-23"), "2026-11-22"), ValidityState::ExpiringSoon);
    }

    #[test]
    fn a_period_does_not_end_before_it_begins() {
        let day = |text: &str| parse_date(text);
        assert_eq!(Validity::new(day("2026-01-02"), day("2026-01-01")), Err(EndsBeforeItBegins));
    }
}
