//! 设备身份: one set of device keys asking to be trusted.
//!
//! A device that makes new keys (rotation, repair) brings a new set; the store lets one set per
//! device be `accepted` at a time. `fingerprint` is the SHA-256 of the sign key, `generation`
//! counts a device's sets. A rejected set never comes back: the device must make new keys.

use crate::id::DeviceId;
use crate::instant::Timestamp;
use crate::machine::{Edge, Illegal, Machine, edge};
use crate::party::{Desk, Limit, Owned, Owner, Party, Then, owner};
use crate::term::Term;

crate::facts_enum! {
    /// The state of a set of device keys, with its facts.
    pub enum DeviceAuth {
        /// 预授权: the factory told us these keys.
        Preauthorised "preauthorised" { since: Timestamp, device: DeviceId, fingerprint: String, generation: u32 },
        /// 待认证: shown by a device, not yet proved.
        Pending "pending" { since: Timestamp, device: DeviceId, fingerprint: String, generation: u32 },
        /// 已认可.
        Accepted "accepted" {
            since: Timestamp, device: DeviceId, fingerprint: String, generation: u32,
            certificate_serial: Option<String>, not_after: Option<Timestamp>,
        },
        /// 已拒绝.
        Rejected "rejected" { since: Timestamp, device: DeviceId, fingerprint: String, generation: u32, reason: String },
    }
}

crate::facts_enum! {
    /// What moves a set of device keys.
    pub enum DeviceAuthEvent {
        /// The device proved that it holds the keys, under a code or a factory statement.
        Accept "accept" { by: String },
        /// A certificate was issued to it, or renewed.
        Certify "certify" { certificate_serial: String, not_after: Timestamp },
        /// Not trusted, or trusted no longer (replaced, lost, tampered).
        Reject "reject" { by: String, reason: String },
    }
}

/// Every legal move of a set of device keys.
pub const EDGES: &[Edge] = &[
    edge("preauthorised", "accept", "accepted"),
    edge("preauthorised", "reject", "rejected"),
    edge("pending", "accept", "accepted"),
    edge("pending", "reject", "rejected"),
    edge("accepted", "certify", "accepted"),
    edge("accepted", "reject", "rejected"),
];

impl Owned for DeviceAuth {
    const OWNERS: &'static [Owner] = &[
        owner("preauthorised", Party::Device, Limit::Within(Term::Preauthorisation, Then::Apply("reject"))),
        owner("pending", Party::Device, Limit::Within(Term::KeyAdmission, Then::Apply("reject"))),
        owner("accepted", Party::Us(Desk::Operations), Limit::Until("not_after", Then::Escalate)),
    ];
}

crate::machine!(DeviceAuth, DeviceAuthEvent, "device_auth", EDGES, apply);

fn apply(state: DeviceAuth, event: DeviceAuthEvent, at: Timestamp) -> Result<DeviceAuth, Illegal> {
    use DeviceAuth as S;
    use DeviceAuthEvent as E;
    match (state, event) {
        (
            S::Preauthorised { device, fingerprint, generation, .. }
            | S::Pending { device, fingerprint, generation, .. },
            E::Accept { .. },
        ) => Ok(S::Accepted {
            since: at,
            device,
            fingerprint,
            generation,
            certificate_serial: None,
            not_after: None,
        }),
        (
            S::Accepted { since, device, fingerprint, generation, .. },
            E::Certify { certificate_serial, not_after },
        ) => Ok(S::Accepted {
            since,
            device,
            fingerprint,
            generation,
            certificate_serial: Some(certificate_serial),
            not_after: Some(not_after),
        }),
        (
            S::Preauthorised { device, fingerprint, generation, .. }
            | S::Pending { device, fingerprint, generation, .. }
            | S::Accepted { device, fingerprint, generation, .. },
            E::Reject { reason, .. },
        ) => Ok(S::Rejected { since: at, device, fingerprint, generation, reason }),
        (state, event) => Err(state.illegal(event.name())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::walk::{NOON, Walk, check, id};

    impl Walk for DeviceAuth {
        const EVENTS: &'static [&'static str] = DeviceAuthEvent::NAMES;
        fn starts() -> Vec<Self> {
            let fingerprint = "00ff".to_owned();
            vec![
                Self::Pending { since: NOON, device: id(1), fingerprint: fingerprint.clone(), generation: 1 },
                Self::Preauthorised { since: NOON, device: id(1), fingerprint, generation: 1 },
            ]
        }
        fn events() -> Vec<DeviceAuthEvent> {
            vec![
                DeviceAuthEvent::Accept { by: "activation".into() },
                DeviceAuthEvent::Certify {
                    certificate_serial: "0a".into(),
                    not_after: NOON.plus_seconds(31_536_000),
                },
                DeviceAuthEvent::Reject { by: "staff:r".into(), reason: "replaced".into() },
            ]
        }
    }

    #[test]
    fn device_auth_follows_its_edges() {
        check::<DeviceAuth>();
    }
}
