//! 作业: work that follows from a transaction and must not run inside it.
//!
//! A job is a row written with its cause. Runners claim due rows under a lease with a fencing
//! token; a runner that dies loses the lease and another one takes over. Every job is idempotent
//! by the state of what it works on, so "twice" is the same as "once". Wake-ups are hints:
//! runners poll as well, so a lost hint costs only time.
//!
//! * this file: what work there is, and how it is ordered
//! * `run`: claiming it and doing it
//! * `crew`: what one runner has under way
//! * `desk`: what a person sees of it, and reviving the dead

mod crew;
mod desk;
mod run;

pub use desk::{WorkQueue, WorkState};

use crate::error::Error;
use crate::step::Step;
use starpay_domain::id::{ApplicationId, JobId, MerchantId, RegistrationId, ShipmentId, TypedId};
use starpay_store::work::{self, JOB, NewWork};
use uuid::Uuid;

/// How long a registry is given before it is asked.
const REGISTRY_SECONDS: i64 = 5;
/// Seconds between two signed roots: for as long, what was cut off the end of a chain with all its
/// traces is not noticed. Nothing is signed when nothing changed.
const ROOT_SECONDS: i64 = 60;
/// Seconds between two sweeps of what is over.
const SWEEP_SECONDS: i64 = 600;
/// Seconds between two looks at what is late: nothing ends later than this after its time.
const DEADLINE_SECONDS: i64 = 30;

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Run the automatic checks.
    CheckApplication { application: ApplicationId },
    /// Create and send the registrations of a signed application.
    Report { application: ApplicationId },
    /// Send one registration.
    SendRegistration { registration: RegistrationId },
    /// Ask how a registration stands.
    QueryRegistration { registration: RegistrationId },
    /// Ask the carrier how a parcel stands.
    TrackShipment { shipment: ShipmentId },
    /// Sign a root over the chain heads that changed.
    SignRoot,
    /// Remove what is over: nonces, answers, finished work, attempts.
    Sweep,
    /// Pass on what is late.
    Deadlines,
}

impl Work {
    /// The work that repeats itself: always waiting once, never given up.
    const REPEATING: [Self; 3] = [Self::SignRoot, Self::Sweep, Self::Deadlines];

    const fn topic(self) -> &'static str {
        match self {
            Self::CheckApplication { .. } => "check_application",
            Self::Report { .. } => "report",
            Self::SendRegistration { .. } => "send_registration",
            Self::QueryRegistration { .. } => "query_registration",
            Self::TrackShipment { .. } => "track_shipment",
            Self::SignRoot => "sign_root",
            Self::Sweep => "sweep",
            Self::Deadlines => "deadlines",
        }
    }

    fn subject(self) -> Uuid {
        match self {
            Self::CheckApplication { application } | Self::Report { application } => application.uuid(),
            Self::SendRegistration { registration } | Self::QueryRegistration { registration } => {
                registration.uuid()
            }
            Self::TrackShipment { shipment } => shipment.uuid(),
            Self::SignRoot | Self::Sweep | Self::Deadlines => Uuid::nil(),
        }
    }

    fn parse(topic: &str, subject: Uuid) -> Option<Self> {
        let application = ApplicationId::from_uuid(subject);
        let registration = RegistrationId::from_uuid(subject);
        match topic {
            "check_application" => Some(Self::CheckApplication { application }),
            "report" => Some(Self::Report { application }),
            "send_registration" => Some(Self::SendRegistration { registration }),
            "query_registration" => Some(Self::QueryRegistration { registration }),
            "track_shipment" => Some(Self::TrackShipment { shipment: ShipmentId::from_uuid(subject) }),
            "sign_root" => Some(Self::SignRoot),
            "sweep" => Some(Self::Sweep),
            "deadlines" => Some(Self::Deadlines),
            _ => None,
        }
    }

    /// What it is about, as people see it.
    fn about(self) -> Option<String> {
        match self {
            Self::CheckApplication { application } | Self::Report { application } => {
                Some(application.to_string())
            }
            Self::SendRegistration { registration } | Self::QueryRegistration { registration } => {
                Some(registration.to_string())
            }
            Self::TrackShipment { shipment } => Some(shipment.to_string()),
            Self::SignRoot | Self::Sweep | Self::Deadlines => None,
        }
    }

    /// Seconds after its cause.
    const fn delay_seconds(self) -> i64 {
        match self {
            Self::CheckApplication { .. } | Self::Report { .. } | Self::SendRegistration { .. } => 0,
            Self::QueryRegistration { .. } | Self::TrackShipment { .. } => REGISTRY_SECONDS,
            Self::SignRoot => ROOT_SECONDS,
            Self::Sweep => SWEEP_SECONDS,
            Self::Deadlines => DEADLINE_SECONDS,
        }
    }
}

impl Step<'_> {
    /// Orders work in the transaction of its cause. The same work waits only once; when it is under
    /// way (it may be this very job that orders itself), it is done once more afterwards.
    pub(crate) fn order(&mut self, work: Work, merchant: MerchantId) -> Result<(), Error> {
        self.order_for(work, merchant.uuid())
    }

    fn order_for(&mut self, work: Work, merchant: Uuid) -> Result<(), Error> {
        let id: JobId = self.new_id();
        let row = NewWork {
            id: id.uuid(),
            merchant_id: merchant,
            topic: work.topic().to_owned(),
            subject: work.subject(),
            version: 0,
            payload: Vec::new(),
            dedup: Some(work.subject().simple().to_string()),
            due_at: self.at.plus_seconds(work.delay_seconds()),
            created_at: self.at,
        };
        work::put(self.tx, &JOB, &row)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_reads_back_from_its_row() {
        let id = Uuid::from_u128(7);
        let (application, registration) = (ApplicationId::from_uuid(id), RegistrationId::from_uuid(id));
        let about_something = [
            Work::CheckApplication { application },
            Work::Report { application },
            Work::SendRegistration { registration },
            Work::QueryRegistration { registration },
            Work::TrackShipment { shipment: ShipmentId::from_uuid(id) },
        ];
        for work in about_something {
            assert_eq!(Work::parse(work.topic(), id), Some(work));
            assert!(!Work::REPEATING.contains(&work));
        }
        for work in Work::REPEATING {
            assert_eq!(Work::parse(work.topic(), Uuid::nil()), Some(work));
        }
        assert_eq!(Work::parse("nothing", id), None);
    }
}
