//! 商户能力: what a merchant may do, one machine per capability.
//!
//! Verification of the merchant (`pending`, `valid`, `invalid`, `rejected`) is one thing, what is
//! still missing today is another: the latter is computed by [`crate::requirement`]. So
//! `allowed` and `enabled` are derived, never stored.

use crate::instant::Timestamp;
use crate::machine::{Edge, Illegal, Machine, edge};
use crate::party::{Desk, Limit, Owned, Owner, Party, Then, owner};
use crate::reason::ReasonCode;
use crate::term::Term;

crate::text_enum! {
    /// A thing a merchant can be able to do (能力).
    pub enum CapabilityKind {
        /// 提交申请.
        Apply "apply",
        /// 收到终端.
        Ship "ship",
        /// 激活终端.
        Activate "activate",
        /// 刷卡收款.
        AcceptCard "accept_card",
        /// 扫码收款.
        AcceptQr "accept_qr",
        /// 退款.
        Refund "refund",
        /// 结算.
        Settle "settle",
        /// 变更结算账户.
        ChangeAccount "change_account",
    }
}

crate::facts_enum! {
    /// The state of one capability of one merchant, with its facts.
    pub enum Capability {
        /// 未申请.
        Unrequested "unrequested" { since: Timestamp },
        /// 核验中.
        Pending "pending" { since: Timestamp, requested_at: Timestamp },
        /// 有效.
        Valid "valid" { since: Timestamp, requested_at: Timestamp },
        /// 待改正: the merchant can put it right.
        Invalid "invalid" { since: Timestamp, requested_at: Timestamp, reasons: Vec<ReasonCode> },
        /// 已拒绝.
        Rejected "rejected" { since: Timestamp, by: String, reasons: Vec<ReasonCode> },
        /// 已暂停.
        Paused "paused" { since: Timestamp, requested_at: Timestamp, by: String, reason: String },
    }
}

crate::facts_enum! {
    /// What moves a capability.
    pub enum CapabilityEvent {
        /// The merchant asked for it (after a rejection: asked again).
        Request "request" {},
        /// Everything it needs is there.
        Validate "validate" {},
        /// Something the merchant can put right is wrong.
        Invalidate "invalidate" { reasons: Vec<ReasonCode> },
        /// What was wrong has changed; or a change must be verified.
        Recheck "recheck" {},
        /// Refused.
        Reject "reject" { by: String, reasons: Vec<ReasonCode> },
        /// Stopped until it is resumed.
        Pause "pause" { by: String, reason: String },
        /// Started again, after a new verification.
        Resume "resume" { by: String },
    }
}

/// Every legal move of a capability.
pub const EDGES: &[Edge] = &[
    edge("unrequested", "request", "pending"),
    edge("pending", "validate", "valid"),
    edge("pending", "invalidate", "invalid"),
    edge("pending", "reject", "rejected"),
    edge("pending", "pause", "paused"),
    edge("valid", "invalidate", "invalid"),
    edge("valid", "recheck", "pending"),
    edge("valid", "reject", "rejected"),
    edge("valid", "pause", "paused"),
    edge("invalid", "recheck", "pending"),
    edge("invalid", "reject", "rejected"),
    edge("invalid", "pause", "paused"),
    edge("paused", "resume", "pending"),
    edge("paused", "reject", "rejected"),
    edge("rejected", "request", "pending"),
];

impl Owned for Capability {
    const OWNERS: &'static [Owner] = &[
        owner("unrequested", Party::Merchant, Limit::Unlimited("nobody has to want it")),
        owner(
            "pending",
            Party::Merchant,
            Limit::Unlimited("each requirement it waits for has its own owner and deadline"),
        ),
        owner("valid", Party::Merchant, Limit::Unlimited("it lasts as long as the merchant trades")),
        owner("invalid", Party::Merchant, Limit::Within(Term::Correction, Then::Remind)),
        owner("rejected", Party::Merchant, Limit::Unlimited("asking again is a choice, not a duty")),
        owner("paused", Party::Us(Desk::Risk), Limit::Within(Term::PauseReview, Then::Escalate)),
    ];
}

crate::machine!(Capability, CapabilityEvent, "capability", EDGES, apply);

/// What pages and API say of a capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The merchant asked for it.
    pub requested: bool,
    /// Verification permits it, whether or not it is stopped or something is still missing.
    pub allowed: bool,
    /// It can be used now.
    pub enabled: bool,
}

impl Capability {
    /// A capability nobody asked for yet.
    #[must_use]
    pub const fn begin(at: Timestamp) -> Self {
        Self::Unrequested { since: at }
    }

    /// The derived standing, given how many requirements for it are open.
    #[must_use]
    pub const fn standing(&self, open_requirements: usize) -> Standing {
        let (requested, allowed, running) = match self {
            Self::Unrequested { .. } | Self::Rejected { .. } => (false, false, false),
            Self::Pending { .. } | Self::Invalid { .. } => (true, false, false),
            Self::Valid { .. } => (true, true, true),
            Self::Paused { .. } => (true, true, false),
        };
        Standing { requested, allowed, enabled: running && open_requirements == 0 }
    }
}

fn apply(state: Capability, event: CapabilityEvent, at: Timestamp) -> Result<Capability, Illegal> {
    use Capability as S;
    use CapabilityEvent as E;
    match (state, event) {
        (S::Unrequested { .. } | S::Rejected { .. }, E::Request {}) => {
            Ok(S::Pending { since: at, requested_at: at })
        }
        (S::Pending { requested_at, .. }, E::Validate {}) => Ok(S::Valid { since: at, requested_at }),
        (S::Pending { requested_at, .. } | S::Valid { requested_at, .. }, E::Invalidate { reasons }) => {
            Ok(S::Invalid { since: at, requested_at, reasons })
        }
        (S::Valid { requested_at, .. } | S::Invalid { requested_at, .. }, E::Recheck {})
        | (S::Paused { requested_at, .. }, E::Resume { .. }) => Ok(S::Pending { since: at, requested_at }),
        (
            S::Pending { requested_at, .. } | S::Valid { requested_at, .. } | S::Invalid { requested_at, .. },
            E::Pause { by, reason },
        ) => Ok(S::Paused { since: at, requested_at, by, reason }),
        (
            S::Pending { .. } | S::Valid { .. } | S::Invalid { .. } | S::Paused { .. },
            E::Reject { by, reasons },
        ) => Ok(S::Rejected { since: at, by, reasons }),
        (state, event) => Err(state.illegal(event.name())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::walk::{NOON, Walk, check, picks, stroll};
    use proptest::prelude::*;

    impl Walk for Capability {
        const EVENTS: &'static [&'static str] = CapabilityEvent::NAMES;
        fn starts() -> Vec<Self> {
            vec![Self::begin(NOON)]
        }
        fn events() -> Vec<CapabilityEvent> {
            use CapabilityEvent as E;
            vec![
                E::Request {},
                E::Validate {},
                E::Invalidate { reasons: vec![ReasonCode::C302, ReasonCode::C304] },
                E::Recheck {},
                E::Reject { by: "staff:r".into(), reasons: vec![ReasonCode::G701] },
                E::Pause { by: "staff:r".into(), reason: "complaints".into() },
                E::Resume { by: "staff:r".into() },
            ]
        }
    }

    #[test]
    fn capability_follows_its_edges() {
        check::<Capability>();
    }

    #[test]
    fn what_is_still_missing_disables_but_does_not_forbid() {
        let valid = Capability::Valid { since: NOON, requested_at: NOON };
        assert_eq!(valid.standing(0), Standing { requested: true, allowed: true, enabled: true });
        assert_eq!(valid.standing(2), Standing { requested: true, allowed: true, enabled: false });
    }

    proptest! {
        #[test]
        fn enabled_implies_allowed_implies_requested(picks in picks(), open in 0_usize..3) {
            for (_, state) in stroll::<Capability>(&picks) {
                let Standing { requested, allowed, enabled } = state.standing(open);
                prop_assert!((!enabled || allowed) && (!allowed || requested), "{:?}", state);
            }
        }
    }
}
