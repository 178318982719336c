//! 结算日历: working days with the State Council's holidays and 调休 working weekends.

use crate::instant::Date;
use std::collections::BTreeSet;
use time::Weekday;

/// The working days of some years. A year that was not entered is an error, never a guess: on an
/// unknown holiday money would be promised that no bank moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettlementCalendar {
    years: BTreeSet<i32>,
    holidays: BTreeSet<Date>,
    extra_workdays: BTreeSet<Date>,
}

/// Why the calendar gives no day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// The year's calendar was not entered.
    #[error("calendar missing: {year}")]
    Missing {
        /// The year.
        year: i32,
    },
    /// A day is entered for a year that the calendar does not cover.
    #[error("{day} lies outside the years of the calendar")]
    Outside {
        /// The day.
        day: Date,
    },
    /// A day is both holiday and working day.
    #[error("{day} is both a holiday and a working day")]
    Contradiction {
        /// The day.
        day: Date,
    },
}

impl SettlementCalendar {
    /// From the years covered, the holidays that fall on weekdays or weekends, and the weekend
    /// days that are worked.
    ///
    /// # Errors
    /// When a day lies outside the years or is in both lists.
    pub fn new(
        years: impl IntoIterator<Item = i32>,
        holidays: impl IntoIterator<Item = Date>,
        extra_workdays: impl IntoIterator<Item = Date>,
    ) -> Result<Self, CalendarError> {
        let calendar = Self {
            years: years.into_iter().collect(),
            holidays: holidays.into_iter().collect(),
            extra_workdays: extra_workdays.into_iter().collect(),
        };
        if let Some(day) = calendar.holidays.intersection(&calendar.extra_workdays).next() {
            return Err(CalendarError::Contradiction { day: *day });
        }
        let mut days = calendar.holidays.iter().chain(&calendar.extra_workdays);
        match days.find(|day| !calendar.covers(day.year())) {
            Some(day) => Err(CalendarError::Outside { day: *day }),
            None => Ok(calendar),
        }
    }

    /// Whether the year was entered; the platform warns in November when the next is not.
    #[must_use]
    pub fn covers(&self, year: i32) -> bool {
        self.years.contains(&year)
    }

    /// Whether banks work on that day.
    ///
    /// # Errors
    /// [`CalendarError::Missing`].
    pub fn is_workday(&self, day: Date) -> Result<bool, CalendarError> {
        if !self.covers(day.year()) {
            return Err(CalendarError::Missing { year: day.year() });
        }
        let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        Ok(self.extra_workdays.contains(&day) || (!weekend && !self.holidays.contains(&day)))
    }

    /// T+1: the first working day after the sales day.
    ///
    /// # Errors
    /// [`CalendarError::Missing`].
    pub fn t1(&self, trade_on: Date) -> Result<Date, CalendarError> {
        let mut day = next_day(trade_on)?;
        // Ends: beyond the last year covered every question is an error.
        while !self.is_workday(day)? {
            day = next_day(day)?;
        }
        Ok(day)
    }

    /// D+1: the next calendar day.
    ///
    /// # Errors
    /// [`CalendarError::Missing`], only at the end of time.
    pub fn d1(&self, trade_on: Date) -> Result<Date, CalendarError> {
        next_day(trade_on)
    }
}

fn next_day(day: Date) -> Result<Date, CalendarError> {
    day.next_day().ok_or(CalendarError::Missing { year: day.year().saturating_add(1) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instant::parse_date;

    fn day(text: &str) -> Date {
        parse_date(text).unwrap()
    }

    fn calendar() -> SettlementCalendar {
        let holidays = ["2030-10-01", "2030-10-02", "2030-10-03", "2030-10-04", "2030-10-07"];
        SettlementCalendar::new([2030], holidays.map(day), [day("2030-09-29")]).unwrap()
    }

    #[test]
    fn a_worked_sunday_counts_and_a_holiday_does_not() {
        assert_eq!(calendar().t1(day("2030-09-27")), Ok(day("2030-09-29")));
        assert_eq!(calendar().t1(day("2030-09-30")), Ok(day("2030-10-08")));
        assert_eq!(calendar().d1(day("2030-09-30")), Ok(day("2030-10-01")));
    }

    #[test]
    fn a_year_nobody_entered_is_an_error() {
        assert_eq!(calendar().t1(day("2030-12-31")), Err(CalendarError::Missing { year: 2031 }));
        assert_eq!(calendar().d1(day("2030-12-31")), Ok(day("2031-01-01")));
    }

    #[test]
    fn contradictory_days_are_refused() {
        let holiday = day("2030-10-01");
        let outside = SettlementCalendar::new([2029], [holiday], []);
        assert_eq!(outside, Err(CalendarError::Outside { day: holiday }));
        let both = SettlementCalendar::new([2030], [holiday], [holiday]);
        assert_eq!(both, Err(CalendarError::Contradiction { day: holiday }));
    }
}
