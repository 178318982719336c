//! 密钥槽: one key of one terminal.
//!
//! A key is in use only after the device returned its check value (`kcv`, six hexadecimal
//! digits): until then the slot is `loading`, and a terminal that rotates keeps its old key.
//! Of a rotation that fails only the old version is kept, so the machine alone does not know every
//! version that was ever sent: whoever sends a key keeps that number beside it and goes on from
//! there. No key value is ever a fact.

use crate::instant::Timestamp;
use crate::machine::{Edge, Illegal, Machine, edge};
use crate::party::{Desk, Limit, Owned, Owner, Party, Then, owner};
use crate::reason::ReasonCode;
use crate::term::Term;

crate::facts_enum! {
    /// The state of a key slot, with its facts.
    pub enum KeySlot {
        /// 空.
        Empty "empty" { since: Timestamp },
        /// 下发中.
        Loading "loading" { since: Timestamp, key_version: u32 },
        /// 已装载.
        Loaded "loaded" { since: Timestamp, key_version: u32, kcv: String },
        /// 轮换中: the old key works until the new one is confirmed.
        Rotating "rotating" { since: Timestamp, key_version: u32, old_version: u32, old_kcv: String },
        /// 失败.
        Failed "failed" { since: Timestamp, key_version: u32, reason: ReasonCode },
        /// 已作废.
        Revoked "revoked" { since: Timestamp, reason: String },
    }
}

crate::facts_enum! {
    /// What moves a key slot.
    pub enum KeySlotEvent {
        /// A key was sealed to the device; asking again seals a newer one.
        Load "load" { key_version: u32 },
        /// The device returned the check value under its signature.
        Confirm "confirm" { key_version: u32, kcv: String },
        /// The device could not install it.
        Fail "fail" { reason: ReasonCode },
        /// A successor was sealed to the device.
        Rotate "rotate" { key_version: u32 },
        /// Never to be used again.
        Revoke "revoke" { reason: String },
    }
}

/// Every legal move of a key slot.
pub const EDGES: &[Edge] = &[
    edge("empty", "load", "loading"),
    edge("empty", "revoke", "revoked"),
    edge("loading", "load", "loading"),
    edge("loading", "confirm", "loaded"),
    edge("loading", "fail", "failed"),
    edge("loading", "revoke", "revoked"),
    edge("loaded", "rotate", "rotating"),
    edge("loaded", "revoke", "revoked"),
    edge("rotating", "rotate", "rotating"),
    edge("rotating", "confirm", "loaded"),
    edge("rotating", "fail", "loaded"),
    edge("rotating", "revoke", "revoked"),
    edge("failed", "load", "loading"),
    edge("failed", "revoke", "revoked"),
];

impl Owned for KeySlot {
    const OWNERS: &'static [Owner] = &[
        owner("empty", Party::Device, Limit::Unlimited("the activation it belongs to has its own deadline")),
        owner("loading", Party::Device, Limit::Within(Term::KeyConfirmation, Then::Apply("fail"))),
        owner("loaded", Party::Us(Desk::Operations), Limit::Unlimited("rotation is planned per fleet")),
        owner("rotating", Party::Device, Limit::Within(Term::KeyConfirmation, Then::Apply("fail"))),
        owner("failed", Party::Us(Desk::Support), Limit::Within(Term::KeyConfirmation, Then::Escalate)),
    ];
}

crate::machine!(KeySlot, KeySlotEvent, "key_slot", EDGES, apply);

impl KeySlot {
    /// The version and check value of the key that works now.
    #[must_use]
    pub fn working(&self) -> Option<(u32, &str)> {
        match self {
            Self::Loaded { key_version, kcv, .. } => Some((*key_version, kcv)),
            Self::Rotating { old_version, old_kcv, .. } => Some((*old_version, old_kcv)),
            Self::Empty { .. } | Self::Loading { .. } | Self::Failed { .. } | Self::Revoked { .. } => None,
        }
    }

    /// The least version that the next key may have: above every one that this state tells of.
    #[must_use]
    pub const fn next_version(&self) -> u32 {
        match self {
            Self::Empty { .. } | Self::Revoked { .. } => 1,
            Self::Loading { key_version, .. }
            | Self::Loaded { key_version, .. }
            | Self::Rotating { key_version, .. }
            | Self::Failed { key_version, .. } => key_version.saturating_add(1),
        }
    }
}

fn apply(state: KeySlot, event: KeySlotEvent, at: Timestamp) -> Result<KeySlot, Illegal> {
    use KeySlot as S;
    use KeySlotEvent as E;
    match (state, event) {
        (S::Empty { .. } | S::Loading { .. } | S::Failed { .. }, E::Load { key_version }) => {
            Ok(S::Loading { since: at, key_version })
        }
        (S::Loading { .. } | S::Rotating { .. }, E::Confirm { key_version, kcv }) => {
            Ok(S::Loaded { since: at, key_version, kcv })
        }
        (S::Loading { key_version, .. }, E::Fail { reason }) => {
            Ok(S::Failed { since: at, key_version, reason })
        }
        (S::Loaded { key_version: old_version, kcv: old_kcv, .. }, E::Rotate { key_version })
        | (S::Rotating { old_version, old_kcv, .. }, E::Rotate { key_version }) => {
            Ok(S::Rotating { since: at, key_version, old_version, old_kcv })
        }
        (S::Rotating { old_version, old_kcv, .. }, E::Fail { .. }) => {
            Ok(S::Loaded { since: at, key_version: old_version, kcv: old_kcv })
        }
        (
            S::Empty { .. } | S::Loading { .. } | S::Loaded { .. } | S::Rotating { .. } | S::Failed { .. },
            E::Revoke { reason },
        ) => Ok(S::Revoked { since: at, reason }),
        (state, event) => Err(state.illegal(event.name())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::walk::{NOON, Walk, check, picks, stroll};
    use proptest::prelude::*;

    impl Walk for KeySlot {
        const EVENTS: &'static [&'static str] = KeySlotEvent::NAMES;
        fn starts() -> Vec<Self> {
            vec![Self::Empty { since: NOON }]
        }
        fn events() -> Vec<KeySlotEvent> {
            use KeySlotEvent as E;
            vec![
                E::Load { key_version: 1 },
                E::Confirm { key_version: 1, kcv: "08D7B4".into() },
                E::Fail { reason: ReasonCode::T302 },
                E::Rotate { key_version: 2 },
                E::Revoke { reason: "lost".into() },
            ]
        }
    }

    #[test]
    fn key_slot_follows_its_edges() {
        check::<KeySlot>();
    }

    #[test]
    fn a_failed_rotation_leaves_the_old_key_at_work() {
        let loaded = KeySlot::Loaded { since: NOON, key_version: 4, kcv: "08D7B4".into() };
        let rotating = apply(loaded, KeySlotEvent::Rotate { key_version: 5 }, NOON).unwrap();
        assert_eq!(rotating.working(), Some((4, "08D7B4")));
        assert_eq!(rotating.next_version(), 6);
        let back = apply(rotating, KeySlotEvent::Fail { reason: ReasonCode::T302 }, NOON).unwrap();
        assert_eq!(back.working(), Some((4, "08D7B4")));
        assert_eq!(back.next_version(), 5, "version 5 was sent: the state does not tell");
    }

    proptest! {
        #[test]
        fn no_key_works_before_it_was_confirmed(picks in picks()) {
            let mut confirmed = false;
            for (event, state) in stroll::<KeySlot>(&picks) {
                confirmed |= matches!(event, KeySlotEvent::Confirm { .. });
                prop_assert!(confirmed || state.working().is_none());
            }
        }
    }
}
