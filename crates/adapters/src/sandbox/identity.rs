//! 身份核验: two to four elements, by the sequence digits of the ID number.

use super::table::{Reads, Row, Table, row};
use super::{Fault, World, sandbox};
use secrecy::ExposeSecret as _;
use starpay_app::port::{AdapterName, Answer, IdentityQuestion, IdentityVerifier, Verdict};
use starpay_domain::reason::ReasonCode;

/// What a verifier does with a question.
#[derive(Debug, Clone, Copy)]
pub(super) enum Finding {
    /// Everything fits.
    Match,
    /// Something does not fit.
    Mismatch(ReasonCode),
    /// The card does not fit; without a card in the question everything does.
    CardMismatch(ReasonCode),
    /// No record.
    Inconclusive,
    /// No answer.
    Fails(Fault),
}

impl Finding {
    pub(super) fn meaning(self) -> String {
        match self {
            Self::Match => "match".to_owned(),
            Self::Mismatch(reason) => format!("mismatch, {}", reason.as_str()),
            Self::CardMismatch(reason) => {
                format!("mismatch, {}, when a card is asked about; else match", reason.as_str())
            }
            Self::Inconclusive => "inconclusive: a person must look".to_owned(),
            Self::Fails(fault) => fault.meaning().to_owned(),
        }
    }

    /// The verdict, after the row's delay.
    pub(super) async fn answer(
        row: &Row<Self>,
        world: &World,
        adapter: &'static str,
    ) -> Result<Verdict, starpay_app::port::PortError> {
        world.wait(row.delay_ms).await;
        let reference = world.reference(adapter);
        match row.behaviour {
            Self::Match => Ok(Verdict::Match { reference }),
            Self::Mismatch(reason) | Self::CardMismatch(reason) => {
                Ok(Verdict::Mismatch { reference, reason_code: reason.as_str() })
            }
            Self::Inconclusive => Ok(Verdict::Inconclusive { reference }),
            Self::Fails(fault) => Err(fault.error(adapter)),
        }
    }
}

pub(super) const OUTCOMES: Table<Finding> = Table {
    port: "Identity verification 身份核验 (`sandbox-identity`)",
    input: "`id_number`",
    reads: Reads::SequenceDigits,
    delay: "until the answer",
    rows: &[
        row("901", Finding::Mismatch(ReasonCode::B204), 0),
        row("902", Finding::CardMismatch(ReasonCode::C301), 0),
        row("903", Finding::CardMismatch(ReasonCode::C302), 0),
        row("904", Finding::Inconclusive, 0),
        row("905", Finding::Fails(Fault::Closed), 0),
        row("906", Finding::Fails(Fault::RequestLost), 3000),
        row("907", Finding::Match, 2000),
    ],
    otherwise: row("", Finding::Match, 0),
};

/// The simulated verifier.
#[derive(Clone)]
pub struct SandboxIdentity(World);

impl SandboxIdentity {
    /// In that world.
    #[must_use]
    pub const fn new(world: World) -> Self {
        Self(world)
    }
}

const NAME: AdapterName = sandbox("sandbox-identity");

impl IdentityVerifier for SandboxIdentity {
    fn adapter(&self) -> AdapterName {
        NAME
    }

    fn verify(&self, question: IdentityQuestion) -> Answer<'_, Verdict> {
        Box::pin(async move {
            let mut row = OUTCOMES.decide(question.id_number.expose_secret());
            if matches!(row.behaviour, Finding::CardMismatch(_)) && question.card_number.is_none() {
                row = &OUTCOMES.otherwise;
            }
            Finding::answer(row, &self.0, NAME.name).await
        })
    }
}
