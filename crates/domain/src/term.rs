//! Periods: how long each party may take, by name.
//!
//! The numbers are policy, not code: the platform loads the versioned table in force and passes
//! it in. [`Terms::house`] is the first edition of that table (house values of the process
//! design; the two-day reporting period is the statutory one).

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

macro_rules! terms {
    ($($(#[$doc:meta])* $term:ident $text:literal = $seconds:expr),+ $(,)?) => {
        crate::text_enum! {
            /// A period named by policy (期限).
            pub enum Term { $($(#[$doc])* $term $text),+ }
        }
        impl Term {
            const fn house_seconds(self) -> i64 { match self { $(Self::$term => $seconds),+ } }
        }
    };
}

terms! {
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
    /// The report to the clearing institution, at most two days.
    Report "report" = 2 * DAY,
    /// We correct a refused report.
    ReportRepair "report_repair" = 8 * HOUR,
    /// An appeal is decided.
    Appeal "appeal" = 15 * DAY,
    /// A duplicate subject is cleared up.
    FreezeReview "freeze_review" = 15 * DAY,
    /// A registry or network answers one report.
    RegistrationAnswer "registration_answer" = 2 * HOUR,
    /// A closure is confirmed.
    Closure "closure" = 2 * DAY,
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
    IncidentClosure "incident_closure" = 2 * DAY,
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
    /// A capability asked for is decided.
    CapabilityDecision "capability_decision" = 7 * DAY,
    /// A paused capability is looked at.
    PauseReview "pause_review" = 15 * DAY,
    /// The merchant fulfils a requirement that is due.
    RequirementDue "requirement_due" = 30 * DAY,
    /// A requirement under verification is decided.
    RequirementCheck "requirement_check" = DAY,
}

/// The periods in force: one versioned table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    version: String,
    seconds: Vec<i64>,
}

impl Terms {
    /// The first edition of the table.
    #[must_use]
    pub fn house() -> Self {
        Self {
            version: "house-1".to_owned(),
            seconds: Term::ALL.iter().map(|term| term.house_seconds()).collect(),
        }
    }

    /// The same table with one period changed, under a new version name.
    #[must_use]
    pub fn with(mut self, term: Term, seconds: i64, version: &str) -> Self {
        version.clone_into(&mut self.version);
        if let Some(place) = self.seconds.get_mut(term as usize) {
            *place = seconds;
        }
        self
    }

    /// The edition's name, kept with every decision made under it.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// A period in seconds.
    #[must_use]
    pub fn seconds(&self, term: Term) -> i64 {
        self.seconds.get(term as usize).copied().unwrap_or_else(|| term.house_seconds())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_period_leaves_the_others_alone() {
        let terms = Terms::house().with(Term::ActivationCode, 60, "trial");
        assert_eq!(terms.version(), "trial");
        for term in Term::ALL {
            let expected = if *term == Term::ActivationCode { 60 } else { Terms::house().seconds(*term) };
            assert_eq!(terms.seconds(*term), expected, "{term:?}");
            assert!(expected > 0);
        }
    }
}
