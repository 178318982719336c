//! Reading the two ways the wire writes a moment.

use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

/// Unix milliseconds of a `Date` header (RFC 9110, IMF-fixdate).
pub(crate) fn from_http_date(text: &str) -> Option<i64> {
    let form = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    let moment = PrimitiveDateTime::parse(text, &form).ok()?.assume_utc();
    milliseconds(moment)
}

/// Unix milliseconds of an RFC 3339 text.
pub(crate) fn from_rfc3339(text: &str) -> Option<i64> {
    milliseconds(OffsetDateTime::parse(text, &Rfc3339).ok()?)
}

fn milliseconds(moment: OffsetDateTime) -> Option<i64> {
    i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_give_the_same_moment() {
        assert_eq!(from_http_date("Mon, 23 Nov 2026 07:41:11 GMT"), Some(1_795_419_671_000));
        assert_eq!(from_rfc3339("2026-11-23T07:41:11Z"), Some(1_795_419_671_000));
        assert_eq!(from_rfc3339("2026-11-23T15:41:11.250+08:00"), Some(1_795_419_671_250));
        assert_eq!(from_http_date("yesterday"), None);
        assert_eq!(from_rfc3339("yesterday"), None);
    }
}
