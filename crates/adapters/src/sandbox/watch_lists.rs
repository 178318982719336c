//! 黑名单、风险信息系统、制裁名单: by the sequence digits of the principal's ID number.

use super::identity::Finding;
use super::table::{Reads, Table, row};
use super::{Fault, World, sandbox};
use secrecy::ExposeSecret as _;
use starpay_app::port::{AdapterName, Answer, ListQuestion, Verdict, WatchLists};
use starpay_domain::reason::ReasonCode;

pub(super) const OUTCOMES: Table<Finding> = Table {
    port: "Watch lists 名单筛查 (`sandbox-lists`); *match* means clear of every list",
    input: "`id_number`",
    reads: Reads::SequenceDigits,
    delay: "until the answer",
    rows: &[
        row("921", Finding::Mismatch(ReasonCode::G701), 0),
        row("922", Finding::Inconclusive, 0),
        row("923", Finding::Fails(Fault::Closed), 0),
    ],
    otherwise: row("", Finding::Match, 0),
};

/// The simulated lists.
#[derive(Clone)]
pub struct SandboxLists(World);

impl SandboxLists {
    /// In that world.
    #[must_use]
    pub const fn new(world: World) -> Self {
        Self(world)
    }
}

const NAME: AdapterName = sandbox("sandbox-lists");

impl WatchLists for SandboxLists {
    fn adapter(&self) -> AdapterName {
        NAME
    }

    fn screen(&self, question: ListQuestion) -> Answer<'_, Verdict> {
        Box::pin(async move {
            let row = OUTCOMES.decide(question.id_number.expose_secret());
            Finding::answer(row, &self.0, NAME.name).await
        })
    }
}
