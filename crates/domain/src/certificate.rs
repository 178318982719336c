//! 设备证书: where a device's certificate stands in its year, and who acts next.
//!
//! A device renews its certificate by itself, by its sign key, from [`Term::CertificateRenewal`]
//! before its end until [`Term::CertificateGrace`] after it, so that a terminal that lay in a
//! drawer is not dead; after that only a new activation helps. A certificate that was recalled is
//! renewed at once.

use crate::device_auth::DeviceAuth;
use crate::instant::Timestamp;
use crate::party::{Desk, Party};
use crate::term::{Term, Terms};

crate::text_enum! {
    /// Where a device's certificate stands.
    pub enum CertificateStanding {
        /// 未签发: none was confirmed yet, or these keys are not accepted.
        Absent "absent",
        /// 有效.
        InForce "in_force",
        /// 待换发: in force, and to be renewed now.
        Due "due",
        /// 已召回: no longer in force, because its key may be known to others.
        Recalled "recalled",
        /// 已到期: no longer in force, but the device may still renew it.
        Ended "ended",
        /// 逾期: ended too long ago to be renewed.
        Over "over",
    }
}

impl CertificateStanding {
    /// Where the certificate of this set of keys stands at that moment.
    #[must_use]
    pub fn of(auth: &DeviceAuth, terms: &Terms, at: Timestamp) -> Self {
        let DeviceAuth::Accepted { not_after: Some(end), recalled_at, .. } = auth else {
            return Self::Absent;
        };
        if at >= end.plus_seconds(terms.seconds(Term::CertificateGrace)) {
            Self::Over
        } else if recalled_at.is_some() {
            Self::Recalled
        } else if at >= *end {
            Self::Ended
        } else if at >= renewable_from(*end, terms) {
            Self::Due
        } else {
            Self::InForce
        }
    }

    /// Whether it may open a connection, and its device may work.
    #[must_use]
    pub const fn counts(self) -> bool {
        match self {
            Self::InForce | Self::Due => true,
            Self::Absent | Self::Recalled | Self::Ended | Self::Over => false,
        }
    }

    /// Who acts next; nobody while all is well.
    #[must_use]
    pub const fn awaiting(self) -> Option<Party> {
        match self {
            Self::Absent | Self::InForce => None,
            Self::Due | Self::Recalled | Self::Ended => Some(Party::Device),
            Self::Over => Some(Party::Us(Desk::Operations)),
        }
    }
}

/// The first moment at which a certificate with that end may be renewed.
#[must_use]
pub fn renewable_from(end: Timestamp, terms: &Terms) -> Timestamp {
    end.plus_seconds(-terms.seconds(Term::CertificateRenewal))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::term::in_force_today;
    use crate::walk::{NOON, id};

    const DAY: i64 = 86_400;

    fn accepted(recalled_at: Option<Timestamp>) -> DeviceAuth {
        DeviceAuth::Accepted {
            since: NOON,
            device: id(1),
            fingerprint: "00ff".to_owned(),
            generation: 1,
            certificate_serial: Some("0a".to_owned()),
            not_after: Some(NOON.plus_seconds(365 * DAY)),
            next_serial: None,
            next_not_after: None,
            recalled_at,
        }
    }

    #[test]
    fn a_certificate_goes_through_its_year() {
        use CertificateStanding as S;
        let terms = in_force_today();
        let auth = accepted(None);
        let standing = |seconds: i64| S::of(&auth, &terms, NOON.plus_seconds(seconds));
        for (from, expected) in
            [(0, S::InForce), (305 * DAY, S::Due), (365 * DAY, S::Ended), (455 * DAY, S::Over)]
        {
            assert_eq!(standing(from), expected, "{from}");
            if from > 0 {
                assert_ne!(standing(from - 1), expected, "a second before {from}");
            }
        }
        assert_eq!(renewable_from(NOON.plus_seconds(365 * DAY), &terms), NOON.plus_seconds(305 * DAY));
    }

    #[test]
    fn a_recalled_one_counts_no_more_and_can_be_renewed_until_the_same_day() {
        use CertificateStanding as S;
        let (terms, auth) = (in_force_today(), accepted(Some(NOON)));
        for (days, expected) in [(0, S::Recalled), (400, S::Recalled), (455, S::Over)] {
            let standing = S::of(&auth, &terms, NOON.plus_seconds(days * DAY));
            assert_eq!((standing, standing.counts()), (expected, false), "{days}");
        }
    }

    #[test]
    fn whoever_has_no_certificate_has_nothing_to_renew() {
        let pending =
            DeviceAuth::Pending { since: NOON, device: id(1), fingerprint: "00ff".to_owned(), generation: 1 };
        let standing = CertificateStanding::of(&pending, &in_force_today(), NOON);
        assert_eq!(
            (standing, standing.counts(), standing.awaiting()),
            (CertificateStanding::Absent, false, None)
        );
    }

    #[test]
    fn somebody_acts_whenever_it_does_not_count_but_was_there() {
        for standing in CertificateStanding::ALL {
            let acts = standing.awaiting().is_some();
            let idle = matches!(standing, CertificateStanding::Absent | CertificateStanding::InForce);
            assert_eq!(acts, !idle, "{}", standing.as_str());
        }
    }
}
