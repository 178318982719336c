//! The moves of an activation session: the straight road by its order, the side roads by name.

use super::{Activation, ActivationEvent, Step};
use crate::id::{DeviceAuthId, DeviceId, StoreId};
use crate::instant::Timestamp;
use crate::machine::{Illegal, Machine};

use Activation as A;
use ActivationEvent as E;

/// What a claimed session carries from step to step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Session {
    device: DeviceId,
    store: StoreId,
    device_auth: DeviceAuthId,
    expires_at: Timestamp,
}

impl Session {
    /// The session standing at a completed step. Before the claim there is no session.
    fn at(self, step: Step, since: Timestamp) -> Option<Activation> {
        let Self { device, store, device_auth, expires_at } = self;
        Some(match step {
            Step::CodeIssued => return None,
            Step::Claimed => A::Claimed { since, device, store, device_auth, expires_at },
            Step::IdentityProven => A::IdentityProven { since, device, store, device_auth, expires_at },
            Step::Compatible => A::Compatible { since, device, store, device_auth, expires_at },
            Step::NetworkOk => A::NetworkOk { since, device, store, device_auth, expires_at },
            Step::Located => A::Located { since, device, store, device_auth, expires_at },
            Step::BackedUp => A::BackedUp { since, device, store, device_auth, expires_at },
            Step::KeysLoaded => A::KeysLoaded { since, device, store, device_auth, expires_at },
            Step::ConfigApplied => A::ConfigApplied { since, device, store, device_auth, expires_at },
            Step::SignedIn => A::SignedIn { since, device, store, device_auth, expires_at },
            Step::PinSet => A::PinSet { since, device, store, device_auth, expires_at },
            Step::Tested => A::Tested { since, device, store, device_auth, expires_at },
        })
    }
}

impl ActivationEvent {
    /// The step that this event completes, if it completes one after the claim.
    const fn completes(&self) -> Option<Step> {
        match self {
            Self::ProveIdentity { .. } => Some(Step::IdentityProven),
            Self::ConfirmCompatible { .. } => Some(Step::Compatible),
            Self::PassNetwork { .. } => Some(Step::NetworkOk),
            Self::Locate { .. } => Some(Step::Located),
            Self::BackUp { .. } => Some(Step::BackedUp),
            Self::LoadKeys { .. } => Some(Step::KeysLoaded),
            Self::ApplyConfig { .. } => Some(Step::ConfigApplied),
            Self::SignIn { .. } => Some(Step::SignedIn),
            Self::SetPin { .. } => Some(Step::PinSet),
            Self::PassTest { .. } => Some(Step::Tested),
            Self::Claim { .. }
            | Self::AwaitFirstPayment { .. }
            | Self::Activate { .. }
            | Self::Wait { .. }
            | Self::Resume { .. }
            | Self::Fail { .. }
            | Self::Retry {}
            | Self::Expire {}
            | Self::Reissue { .. }
            | Self::Abort { .. } => None,
        }
    }
}

/// The state after `event` at the moment `at`.
pub(super) fn apply(state: Activation, event: ActivationEvent, at: Timestamp) -> Result<Activation, Illegal> {
    let refusal = state.illegal(event.name());
    event
        .completes()
        .map_or_else(|| side_road(&state, event, at), |step| advance(&state, step, at))
        .ok_or(refusal)
}

/// The straight road: a step is taken only from the one before it.
fn advance(state: &Activation, step: Step, at: Timestamp) -> Option<Activation> {
    let (here, session) = state.underway()?;
    (here.next() == Some(step)).then(|| session.at(step, at)).flatten()
}

fn side_road(state: &Activation, event: ActivationEvent, at: Timestamp) -> Option<Activation> {
    match event {
        E::Claim { device_auth, expires_at } => match state {
            A::CodeIssued { device, store, .. } => {
                Session { device: *device, store: *store, device_auth, expires_at }.at(Step::Claimed, at)
            }
            _ => None,
        },
        E::AwaitFirstPayment { .. } => match state {
            A::Tested { device, store, device_auth, expires_at, .. } => Some(A::FirstTxnPending {
                since: at,
                device: *device,
                store: *store,
                device_auth: *device_auth,
                expires_at: *expires_at,
            }),
            _ => None,
        },
        E::Activate { receipt } => match state {
            A::Tested { device, store, device_auth, .. }
            | A::FirstTxnPending { device, store, device_auth, .. } => Some(A::Active {
                since: at,
                device: *device,
                store: *store,
                device_auth: *device_auth,
                receipt,
            }),
            _ => None,
        },
        event @ (E::Wait { .. } | E::Resume { .. }) => pause(state, event, at),
        event @ (E::Fail { .. } | E::Retry {}) => stumble(state, event, at),
        event => end(state, event, at),
    }
}

fn pause(state: &Activation, event: ActivationEvent, at: Timestamp) -> Option<Activation> {
    match (state, event) {
        (
            A::Waiting { since, device, store, device_auth, expires_at, resume_at, .. },
            E::Wait { requirements },
        ) => Some(A::Waiting {
            since: *since,
            device: *device,
            store: *store,
            device_auth: *device_auth,
            expires_at: *expires_at,
            resume_at: *resume_at,
            requirements,
        }),
        (A::Waiting { device, store, device_auth, resume_at, .. }, E::Resume { expires_at }) => {
            Session { device: *device, store: *store, device_auth: *device_auth, expires_at }
                .at(*resume_at, at)
        }
        (state, E::Wait { requirements }) => {
            let (here, session) = state.underway().filter(|(here, _)| *here <= Step::BackedUp)?;
            let Session { device, store, device_auth, expires_at } = session;
            Some(A::Waiting {
                since: at,
                device,
                store,
                device_auth,
                expires_at,
                resume_at: here,
                requirements,
            })
        }
        _ => None,
    }
}

fn stumble(state: &Activation, event: ActivationEvent, at: Timestamp) -> Option<Activation> {
    match (state, event) {
        (A::Failed { device, store, device_auth, expires_at, last, .. }, E::Retry {}) => {
            Session { device: *device, store: *store, device_auth: *device_auth, expires_at: *expires_at }
                .at(*last, at)
        }
        (state, E::Fail { step, code }) => {
            let (last, session) = state.underway().filter(|(here, _)| *here < Step::Tested)?;
            let Session { device, store, device_auth, expires_at } = session;
            Some(A::Failed { since: at, device, store, device_auth, expires_at, step, code, last })
        }
        _ => None,
    }
}

fn end(state: &Activation, event: ActivationEvent, at: Timestamp) -> Option<Activation> {
    let (device, store, last) = (state.device(), state.store(), state.last_step());
    match (state, event) {
        (A::Active { .. } | A::Aborted { .. }, _) => None,
        (state, E::Abort { by, reason }) => {
            debug_assert!(!state.is_final());
            Some(A::Aborted { since: at, device, store, last, by, reason })
        }
        (A::CodeIssued { issue, .. } | A::Expired { issue, .. }, E::Reissue { expires_at }) => {
            Some(A::CodeIssued { since: at, device, store, expires_at, issue: issue.saturating_add(1) })
        }
        (A::Waiting { .. } | A::FirstTxnPending { .. } | A::Expired { .. }, E::Expire {}) => None,
        (state, E::Expire {}) => {
            let issue = if let A::CodeIssued { issue, .. } = state { *issue } else { 1 };
            Some(A::Expired { since: at, device, store, last, issue })
        }
        _ => None,
    }
}

impl Activation {
    /// A new session whose code was just made.
    #[must_use]
    pub const fn begin(device: DeviceId, store: StoreId, expires_at: Timestamp, at: Timestamp) -> Self {
        Self::CodeIssued { since: at, device, store, expires_at, issue: 1 }
    }

    /// The device it is for.
    #[must_use]
    pub const fn device(&self) -> DeviceId {
        self.place().0
    }

    /// The shop it is for.
    #[must_use]
    pub const fn store(&self) -> StoreId {
        self.place().1
    }

    const fn place(&self) -> (DeviceId, StoreId) {
        match self {
            Self::CodeIssued { device, store, .. }
            | Self::Claimed { device, store, .. }
            | Self::IdentityProven { device, store, .. }
            | Self::Compatible { device, store, .. }
            | Self::NetworkOk { device, store, .. }
            | Self::Located { device, store, .. }
            | Self::BackedUp { device, store, .. }
            | Self::KeysLoaded { device, store, .. }
            | Self::ConfigApplied { device, store, .. }
            | Self::SignedIn { device, store, .. }
            | Self::PinSet { device, store, .. }
            | Self::Tested { device, store, .. }
            | Self::FirstTxnPending { device, store, .. }
            | Self::Active { device, store, .. }
            | Self::Waiting { device, store, .. }
            | Self::Expired { device, store, .. }
            | Self::Failed { device, store, .. }
            | Self::Aborted { device, store, .. } => (*device, *store),
        }
    }

    /// The last completed step, in every state.
    #[must_use]
    pub const fn last_step(&self) -> Step {
        match self {
            Self::CodeIssued { .. } => Step::CodeIssued,
            Self::Claimed { .. } => Step::Claimed,
            Self::IdentityProven { .. } => Step::IdentityProven,
            Self::Compatible { .. } => Step::Compatible,
            Self::NetworkOk { .. } => Step::NetworkOk,
            Self::Located { .. } => Step::Located,
            Self::BackedUp { .. } => Step::BackedUp,
            Self::KeysLoaded { .. } => Step::KeysLoaded,
            Self::ConfigApplied { .. } => Step::ConfigApplied,
            Self::SignedIn { .. } => Step::SignedIn,
            Self::PinSet { .. } => Step::PinSet,
            Self::Tested { .. } | Self::FirstTxnPending { .. } | Self::Active { .. } => Step::Tested,
            Self::Waiting { resume_at, .. } => *resume_at,
            Self::Expired { last, .. } | Self::Failed { last, .. } | Self::Aborted { last, .. } => *last,
        }
    }

    /// The completed steps, in order.
    #[must_use]
    pub fn completed(&self) -> &'static [Step] {
        self.last_step().up_to()
    }

    /// The step to take next; `None` once all are done or the session is over.
    #[must_use]
    pub fn next_step(&self) -> Option<Step> {
        match self {
            Self::Active { .. } | Self::Expired { .. } | Self::Aborted { .. } => None,
            Self::CodeIssued { .. }
            | Self::Claimed { .. }
            | Self::IdentityProven { .. }
            | Self::Compatible { .. }
            | Self::NetworkOk { .. }
            | Self::Located { .. }
            | Self::BackedUp { .. }
            | Self::KeysLoaded { .. }
            | Self::ConfigApplied { .. }
            | Self::SignedIn { .. }
            | Self::PinSet { .. }
            | Self::Tested { .. }
            | Self::FirstTxnPending { .. }
            | Self::Waiting { .. }
            | Self::Failed { .. } => self.last_step().next(),
        }
    }

    /// Whether the terminal may call itself 已激活.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        matches!(self, Self::Active { .. })
    }

    /// The set of device keys that claimed it; `None` before the claim and after the end.
    #[must_use]
    pub const fn device_auth(&self) -> Option<DeviceAuthId> {
        match self {
            Self::Active { device_auth, .. }
            | Self::FirstTxnPending { device_auth, .. }
            | Self::Waiting { device_auth, .. }
            | Self::Failed { device_auth, .. } => Some(*device_auth),
            _ => match self.underway() {
                Some((_, session)) => Some(session.device_auth),
                None => None,
            },
        }
    }

    /// The step it stands at and the session, from the claim to the test.
    pub(super) const fn underway(&self) -> Option<(Step, Session)> {
        match self {
            Self::Claimed { device, store, device_auth, expires_at, .. }
            | Self::IdentityProven { device, store, device_auth, expires_at, .. }
            | Self::Compatible { device, store, device_auth, expires_at, .. }
            | Self::NetworkOk { device, store, device_auth, expires_at, .. }
            | Self::Located { device, store, device_auth, expires_at, .. }
            | Self::BackedUp { device, store, device_auth, expires_at, .. }
            | Self::KeysLoaded { device, store, device_auth, expires_at, .. }
            | Self::ConfigApplied { device, store, device_auth, expires_at, .. }
            | Self::SignedIn { device, store, device_auth, expires_at, .. }
            | Self::PinSet { device, store, device_auth, expires_at, .. }
            | Self::Tested { device, store, device_auth, expires_at, .. } => Some((
                self.last_step(),
                Session {
                    device: *device,
                    store: *store,
                    device_auth: *device_auth,
                    expires_at: *expires_at,
                },
            )),
            Self::CodeIssued { .. }
            | Self::FirstTxnPending { .. }
            | Self::Active { .. }
            | Self::Waiting { .. }
            | Self::Expired { .. }
            | Self::Failed { .. }
            | Self::Aborted { .. } => None,
        }
    }
}
