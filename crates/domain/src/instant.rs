//! Moments and calendar days.
//!
//! A moment is stored and compared as microseconds of UTC. A *day* is always a Beijing calendar
//! day (UTC+8, no daylight saving), because every statutory period of the trade counts those.

use std::fmt;
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

pub use time::Date;

const BEIJING: UtcOffset = match UtcOffset::from_hms(8, 0, 0) {
    Ok(offset) => offset,
    Err(_) => UtcOffset::UTC,
};

/// A moment: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds of UTC.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds of UTC.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Milliseconds of UTC, rounded down.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// From an RFC 3339 text such as `2026-11-23T08:00:00Z`; `None` when it is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        i64::try_from(moment.unix_timestamp_nanos().div_euclid(1000)).ok().map(Self)
    }

    /// The calendar day in Beijing at this moment.
    #[must_use]
    pub fn beijing_date(self) -> Date {
        self.moment().to_offset(BEIJING).date()
    }

    /// This moment on a Beijing clock, for people: `2026-11-23 16:00:00`.
    #[must_use]
    pub fn beijing_text(self) -> String {
        let local = self.moment().to_offset(BEIJING);
        let (hour, minute, second) = local.to_hms();
        format!("{} {hour:02}:{minute:02}:{second:02}", format_date(local.date()))
    }

    /// This moment as the HTTP header `Date` has it (RFC 9110 §5.6.7): `Mon, 23 Nov 2026 07:41:11 GMT`.
    #[must_use]
    pub fn http_date(self) -> String {
        let at = self.moment();
        let (year, month, day) = at.to_calendar_date();
        let (hour, minute, second) = at.to_hms();
        let (weekday, month) = (at.weekday().to_string(), month.to_string());
        format!("{weekday:.3}, {day:02} {month:.3} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
    }

    /// The moment a Beijing calendar day begins.
    #[must_use]
    pub fn start_of_beijing_day(day: Date) -> Self {
        let nanos = day.midnight().assume_offset(BEIJING).unix_timestamp_nanos();
        Self(i64::try_from(nanos.div_euclid(1000)).unwrap_or(i64::MAX))
    }

    /// This moment plus so many seconds, saturating at the ends of the range.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// Whole seconds from `earlier` until this moment (negative when this is the earlier one).
    #[must_use]
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0).div_euclid(1_000_000)
    }

    fn moment(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0).saturating_mul(1000))
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.moment().format(&Rfc3339).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A calendar day from `YYYY-MM-DD`; `None` when it is not a real day.
#[must_use]
pub fn parse_date(text: &str) -> Option<Date> {
    Date::parse(text, time::macros::format_description!("[year]-[month]-[day]")).ok()
}

/// A calendar day as `YYYY-MM-DD`.
#[must_use]
pub fn format_date(day: Date) -> String {
    format!("{:04}-{:02}-{:02}", day.year(), u8::from(day.month()), day.day())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beijing_day_starts_at_sixteen_utc() {
        let start = Timestamp::start_of_beijing_day(parse_date("2026-03-01").unwrap());
        assert_eq!(start.to_string(), "2026-02-28T16:00:00Z");
        assert_eq!(format_date(start.beijing_date()), "2026-03-01");
        assert_eq!(format_date(start.plus_seconds(-1).beijing_date()), "2026-02-28");
    }

    #[test]
    fn a_header_has_the_form_of_rfc_9110() {
        let text = |moment: &str| Timestamp::parse(moment).unwrap().http_date();
        assert_eq!(text("2026-11-23T07:41:11.9Z"), "Mon, 23 Nov 2026 07:41:11 GMT");
        assert_eq!(text("2028-02-29T23:59:59+08:00"), "Tue, 29 Feb 2028 15:59:59 GMT");
        // The example of the standard.
        assert_eq!(text("1994-11-06T08:49:37Z"), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn people_read_the_clock_of_beijing() {
        let moment = Timestamp::parse("2026-11-23T16:08:09.99Z").unwrap();
        assert_eq!(moment.beijing_text(), "2026-11-24 00:08:09");
    }

    #[test]
    fn text_round_trips() {
        let moment = Timestamp::parse("2026-11-23T08:00:00.25Z").unwrap();
        assert_eq!(Timestamp::parse(&moment.to_string()), Some(moment));
        assert_eq!(Timestamp::parse("yesterday"), None);
        assert_eq!(parse_date("2026-02-30"), None);
    }
}
