//! Periods: how long each party may take, by name.
//!
//! Most are house values of the process design (domain rules §5.2). The statutory ones are not
//! repeated here: they are read from the [`Policy`] in force.

use crate::policy::Policy;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

macro_rules! terms {
    ($policy:ident: $($(#[$doc:meta])* $term:ident $text:literal = $seconds:expr),+ $(,)?) => {
        crate::text_enum! {
            /// A period named by policy (期限).
            pub enum Term { $($(#[$doc])* $term $text),+ }
        }
        impl Term {
            const fn seconds_under(self, $policy: &Policy) -> i64 {
                match self { $(Self::$term => $seconds),+ }
            }
        }
    };
}

const fn days(count: u16) -> i64 {
    // `From` is not const; a u16 always fits.
    count as i64 * DAY
}

terms! { policy:
    /// A draft nobody touched is cleared away.
    DraftKept "draft_kept" = 180 * DAY,
    /// From submission to the start of the checks.
    CheckStart "check_start" = MINUTE,
    /// The automatic checks.
    Checks "checks" = MINUTE,
    /// From the checks to the end of the visit.
    Verification "verification" = 7 * DAY,
    /// A decision of the review desk.
    Review "review" = 4 * HOUR,
    /// The merchant corrects the fields named.
    Correction "correction" = 30 * DAY,
    /// From approval to the agreement being offered.
    AgreementOffer "agreement_offer" = HOUR,
    /// The merchant signs.
    Signing "signing" = 30 * DAY,
    /// From signing to the report.
    ReportStart "report_start" = 2 * HOUR,
    /// The report to the clearing institution.
    Report "report" = days(policy.merchant_report_days),
    /// We correct a refused report.
    ReportRepair "report_repair" = 8 * HOUR,
    /// The merchant may object to a refusal.
    Objection "objection" = 15 * DAY,
    /// An appeal is decided.
    Appeal "appeal" = days(policy.aml_objection_reply_days),
    /// A duplicate subject is cleared up.
    FreezeReview "freeze_review" = 15 * DAY,
    /// A registry or network answers one report.
    RegistrationAnswer "registration_answer" = 2 * HOUR,
    /// A closure is confirmed.
    Closure "closure" = days(policy.terminal_closure_report_days),
    /// The merchant chooses a slot for the visit.
    VisitChoice "visit_choice" = 7 * DAY,
    /// A visit, once begun.
    VisitLength "visit_length" = 2 * HOUR,
    /// Who missed the visit chooses another slot.
    VisitRebook "visit_rebook" = 7 * DAY,
    /// The warehouse packs.
    Packing "packing" = DAY,
    /// The carrier collects a packed parcel.
    Collection "collection" = DAY,
    /// The parcel is on its way.
    Transit "transit" = 5 * DAY,
    /// The merchant confirms seal and serial.
    Receipt "receipt" = 7 * DAY,
    /// An undeliverable parcel comes back.
    ReturnTransit "return_transit" = 15 * DAY,
    /// The merchant corrects the address of a returned parcel.
    AddressCorrection "address_correction" = 30 * DAY,
    /// A reserved device leaves the warehouse.
    Reservation "reservation" = 14 * DAY,
    /// A delivered device is put to use.
    FirstUse "first_use" = 90 * DAY,
    /// A suspended device is looked at.
    SuspensionReview "suspension_review" = 15 * DAY,
    /// A tampered or lost device is closed.
    IncidentClosure "incident_closure" = days(policy.terminal_closure_report_days),
    /// The workshop.
    Repair "repair" = 15 * DAY,
    /// A consigned device is counted.
    ConsignmentCount "consignment_count" = 90 * DAY,
    /// An activation code can be used.
    ActivationCode "activation_code" = 72 * HOUR,
    /// A claimed activation must be finished.
    ActivationSession "activation_session" = 7 * DAY,
    /// A preauthorised key set is used.
    Preauthorisation "preauthorisation" = 30 * DAY,
    /// A pending key set is decided.
    KeyAdmission "key_admission" = DAY,
    /// A device confirms a key sent to it.
    KeyConfirmation "key_confirmation" = HOUR,
    /// How long before its end a device's certificate may be renewed, and is.
    CertificateRenewal "certificate_renewal" = 60 * DAY,
    /// How long after its end a device may still renew its certificate by its sign key.
    CertificateGrace "certificate_grace" = 90 * DAY,
    /// A certificate that ends within this time is counted for the operator.
    CertificateWarning "certificate_warning" = 30 * DAY,
    /// A paused capability is looked at.
    PauseReview "pause_review" = 15 * DAY,
    /// The merchant fulfils a requirement that is due.
    RequirementDue "requirement_due" = 30 * DAY,
    /// A requirement under verification is decided.
    RequirementCheck "requirement_check" = DAY,
}

/// The periods in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms([i64; Term::ALL.len()]);

impl Terms {
    /// The house's periods, and the statutory ones of this policy.
    #[must_use]
    pub fn under(policy: &Policy) -> Self {
        let mut seconds = [0; Term::ALL.len()];
        for (term, place) in Term::ALL.iter().zip(&mut seconds) {
            *place = term.seconds_under(policy);
        }
        Self(seconds)
    }

    /// The same table with one period changed.
    #[cfg(test)]
    pub(crate) fn with(mut self, term: Term, seconds: i64) -> Self {
        self.0[term as usize] = seconds;
        self
    }

    /// A period in seconds.
    #[must_use]
    pub fn seconds(&self, term: Term) -> i64 {
        self.0.get(term as usize).copied().unwrap_or_default()
    }
}

#[cfg(test)]
pub(crate) fn in_force_today() -> Terms {
    Terms::under(&crate::policy::in_force_today())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_period_leaves_the_others_alone() {
        let terms = in_force_today().with(Term::ActivationCode, 60);
        for term in Term::ALL {
            let expected = if *term == Term::ActivationCode { 60 } else { in_force_today().seconds(*term) };
            assert_eq!(terms.seconds(*term), expected, "{term:?}");
            assert!(expected > 0);
        }
    }

    #[test]
    fn a_change_of_law_changes_the_statutory_periods_only() {
        let mut policy = crate::policy::in_force_today();
        (policy.merchant_report_days, policy.terminal_closure_report_days) = (3, 4);
        policy.aml_objection_reply_days = 5;
        let (before, after) = (in_force_today(), Terms::under(&policy));
        let changed = [(Term::Report, 3), (Term::Closure, 4), (Term::IncidentClosure, 4), (Term::Appeal, 5)];
        for term in Term::ALL {
            let days = changed.iter().find(|(named, _)| named == term).map(|(_, days)| days * DAY);
            assert_eq!(after.seconds(*term), days.unwrap_or(before.seconds(*term)), "{term:?}");
        }
    }
}
