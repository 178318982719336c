//! 年龄: full years on a Beijing calendar day.

use crate::instant::Date;

/// Full years from `birth` to `today`; 0 when not yet born. Who is born on 29 February has the
/// birthday on 1 March in a common year.
#[must_use]
pub fn full_years(birth: Date, today: Date) -> u16 {
    let years = today.year().saturating_sub(birth.year());
    let before_birthday = (u8::from(today.month()), today.day()) < (u8::from(birth.month()), birth.day());
    u16::try_from(years.saturating_sub(i32::from(before_birthday))).unwrap_or(0)
}

/// Whether a person has reached `adult_years` (民法典 art. 17: 18, from the policy table).
#[must_use]
pub fn is_adult(birth: Date, today: Date, adult_years: u16) -> bool {
    full_years(birth, today) >= adult_years
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instant::{Timestamp, parse_date};

    fn day(text: &str) -> Date {
        parse_date(text).unwrap()
    }

    #[test]
    fn a_leap_day_child_comes_of_age_on_the_first_of_march() {
        let birth = day("2008-02-29");
        assert_eq!(full_years(birth, day("2026-02-28")), 17);
        assert_eq!(full_years(birth, day("2026-03-01")), 18);
        assert_eq!(full_years(birth, day("2028-02-28")), 19);
        assert_eq!(full_years(birth, day("2028-02-29")), 20);
        assert_eq!(full_years(birth, day("2007-01-01")), 0);
    }

    #[test]
    fn the_day_is_the_one_in_beijing() {
        let at = |text| Timestamp::parse(text).unwrap().beijing_date();
        assert!(!is_adult(day("2008-02-29"), at("2026-02-28T15:59:59Z"), 18));
        assert!(is_adult(day("2008-02-29"), at("2026-02-28T16:00:00Z"), 18));
    }
}
