//! 企业信用信息公示: the licence registry, by the end of the licence's name.

use super::identity::Finding;
use super::table::{Reads, Table, row};
use super::{Fault, World, sandbox};
use starpay_app::port::{AdapterName, Answer, LicenceQuestion, LicenceRegistry, Verdict};
use starpay_domain::reason::ReasonCode;

pub(super) const OUTCOMES: Table<Finding> = Table {
    port: "Licence registry 企业信用信息公示 (`sandbox-licence`)",
    input: "`name` of the licence",
    reads: Reads::Ending,
    delay: "until the answer",
    rows: &[
        row("吊销", Finding::Mismatch(ReasonCode::A103), 0),
        row("注销", Finding::Mismatch(ReasonCode::A103), 0),
        row("经营异常", Finding::Mismatch(ReasonCode::A103), 0),
        row("错号", Finding::Mismatch(ReasonCode::A101), 0),
        row("换人", Finding::Mismatch(ReasonCode::B204), 0),
        row("无记录", Finding::Inconclusive, 0),
        row("登记断线", Finding::Fails(Fault::Closed), 0),
        row("登记超时", Finding::Fails(Fault::RequestLost), 3000),
    ],
    otherwise: row("", Finding::Match, 0),
};

/// The simulated registry.
#[derive(Clone)]
pub struct SandboxLicences(World);

impl SandboxLicences {
    /// In that world.
    #[must_use]
    pub const fn new(world: World) -> Self {
        Self(world)
    }
}

const NAME: AdapterName = sandbox("sandbox-licence");

impl LicenceRegistry for SandboxLicences {
    fn adapter(&self) -> AdapterName {
        NAME
    }

    fn look_up(&self, question: LicenceQuestion) -> Answer<'_, Verdict> {
        Box::pin(async move { Finding::answer(OUTCOMES.decide(&question.name), &self.0, NAME.name).await })
    }
}
