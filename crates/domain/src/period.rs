//! Counting months and years from a day.
//!
//! Where the day does not exist (30 February, 29 February of a common year) the period ends on
//! the first of the next month: the later day, so that nobody loses a right or destroys a record
//! a day early.

use crate::instant::Date;
use time::Month;

/// So many years after `day`; `None` beyond the calendar.
#[must_use]
pub fn plus_years(day: Date, years: u16) -> Option<Date> {
    plus_months(day, u32::from(years).checked_mul(12)?)
}

/// So many years before `day`; where that day does not exist, the one before it. `None` beyond the
/// calendar.
#[must_use]
pub fn minus_years(day: Date, years: u16) -> Option<Date> {
    let year = day.year().checked_sub(i32::from(years))?;
    let before = day.replace_year(year);
    before.or_else(|_| Date::from_calendar_date(year, Month::February, 28)).ok()
}

/// So many months after `day`; `None` beyond the calendar.
#[must_use]
pub fn plus_months(day: Date, months: u32) -> Option<Date> {
    let total = i64::from(day.year())
        .checked_mul(12)?
        .checked_add(i64::from(u8::from(day.month())) - 1)?
        .checked_add(i64::from(months))?;
    let year = i32::try_from(total.div_euclid(12)).ok()?;
    let month = Month::try_from(u8::try_from(total.rem_euclid(12) + 1).ok()?).ok()?;
    if day.day() <= month.length(year) {
        return Date::from_calendar_date(year, month, day.day()).ok();
    }
    Date::from_calendar_date(year, month.next(), 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instant::parse_date;

    #[test]
    fn a_day_that_does_not_exist_becomes_the_first_of_the_next_month() {
        let after = |text, months| plus_months(parse_date(text).unwrap(), months);
        assert_eq!(after("2024-02-29", 12), parse_date("2025-03-01"));
        assert_eq!(after("2024-02-29", 48), parse_date("2028-02-29"));
        assert_eq!(after("2025-11-30", 3), parse_date("2026-03-01"));
        assert_eq!(after("2025-12-31", 1), parse_date("2026-01-31"));
        assert_eq!(after("2026-08-22", 3), parse_date("2026-11-22"));
        assert_eq!(plus_years(parse_date("2028-02-29").unwrap(), 10), parse_date("2038-03-01"));
        assert_eq!(plus_years(Date::MAX, 1), None);
    }

    #[test]
    fn going_back_never_ends_later_than_going_forth() {
        let before = |text, years| minus_years(parse_date(text).unwrap(), years);
        assert_eq!(before("2036-11-23", 10), parse_date("2026-11-23"));
        assert_eq!(before("2028-02-29", 4), parse_date("2024-02-29"));
        assert_eq!(before("2028-02-29", 10), parse_date("2018-02-28"));
        assert_eq!(minus_years(Date::MIN, 1), None);
    }
}
