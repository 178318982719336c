//! 设备身份: one set of device keys asking to be trusted.
//!
//! A device that makes new keys (rotation, repair) brings a new set; the store lets one set per
//! device be `accepted` at a time. `fingerprint` is the SHA-256 of the sign key, `generation`
//! counts a device's sets. A rejected set never comes back: the device must make new keys.
//!
//! An accepted set has one certificate in force, and at most one issued to follow it, which counts
//! only once the device has confirmed it: like a master key, a certificate is never taken from a
//! device before the next one is surely there. How old a certificate may get is
//! [`crate::certificate`]'s business.

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
            next_serial: Option<String>, next_not_after: Option<Timestamp>,
            recalled_at: Option<Timestamp>,
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
        /// The device confirmed the certificate issued to it: from now on this one is in force.
        Certify "certify" { certificate_serial: String, not_after: Timestamp },
        /// A certificate was issued to follow the one in force; that one stays until `certify`.
        Renew "renew" { certificate_serial: String, not_after: Timestamp },
        /// Its TLS key may be known to others (密钥泄露): no certificate counts until a new one is certified.
        Recall "recall" { by: String, reason: String },
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
    edge("accepted", "renew", "accepted"),
    edge("accepted", "recall", "accepted"),
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
            next_serial: None,
            next_not_after: None,
            recalled_at: None,
        }),
        (mut kept @ S::Accepted { .. }, E::Certify { certificate_serial: serial, not_after: end }) => {
            if let S::Accepted { certificate_serial, not_after, .. } = &mut kept {
                (*certificate_serial, *not_after) = (Some(serial), Some(end));
            }
            Ok(followed_by(kept, None, None))
        }
        (kept @ S::Accepted { recalled_at, .. }, E::Renew { certificate_serial, not_after }) => {
            Ok(followed_by(kept, Some((certificate_serial, not_after)), recalled_at))
        }
        (kept @ S::Accepted { .. }, E::Recall { .. }) => Ok(followed_by(kept, None, Some(at))),
        (
            S::Preauthorised { device, fingerprint, generation, .. }
            | S::Pending { device, fingerprint, generation, .. }
            | S::Accepted { device, fingerprint, generation, .. },
            E::Reject { reason, .. },
        ) => Ok(S::Rejected { since: at, device, fingerprint, generation, reason }),
        (state, event) => Err(state.illegal(event.name())),
    }
}

/// An accepted set with what was issued to follow its certificate, and since when that is recalled.
fn followed_by(
    mut kept: DeviceAuth,
    next: Option<(String, Timestamp)>,
    recalled: Option<Timestamp>,
) -> DeviceAuth {
    if let DeviceAuth::Accepted { next_serial, next_not_after, recalled_at, .. } = &mut kept {
        (*next_serial, *next_not_after) = next.unzip();
        *recalled_at = recalled;
    }
    kept
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
                DeviceAuthEvent::Renew {
                    certificate_serial: "0b".into(),
                    not_after: NOON.plus_seconds(2 * 31_536_000),
                },
                DeviceAuthEvent::Recall { by: "staff:r".into(), reason: "key known to others".into() },
                DeviceAuthEvent::Reject { by: "staff:r".into(), reason: "replaced".into() },
            ]
        }
    }

    #[test]
    fn device_auth_follows_its_edges() {
        check::<DeviceAuth>();
    }
    #[test]
    fn a_certificate_counts_from_its_confirmation_and_not_from_its_issue() {
        let certify = |serial: &str, days: i64| DeviceAuthEvent::Certify {
            certificate_serial: serial.to_owned(),
            not_after: NOON.plus_seconds(days * 86_400),
        };
        let auth = DeviceAuth::starts().remove(0);
        let auth = auth.apply(DeviceAuthEvent::Accept { by: "activation".into() }, NOON).unwrap();
        let auth = auth.apply(certify("0a", 365), NOON).unwrap();
        let renew =
            DeviceAuthEvent::Renew { certificate_serial: "0b".into(), not_after: NOON.plus_seconds(9) };
        let renewed = auth.apply(renew, NOON).unwrap();
        assert!(matches!(&renewed, DeviceAuth::Accepted { certificate_serial, next_serial, .. }
            if certificate_serial.as_deref() == Some("0a") && next_serial.as_deref() == Some("0b")));
        let recall = DeviceAuthEvent::Recall { by: "staff:r".into(), reason: "known".into() };
        let recalled = renewed.clone().apply(recall, NOON).unwrap();
        assert!(matches!(&recalled, DeviceAuth::Accepted { next_serial: None, recalled_at: Some(_), .. }));
        for before in [renewed, recalled] {
            let confirmed = before.apply(certify("0b", 730), NOON).unwrap();
            assert!(matches!(&confirmed, DeviceAuth::Accepted {
                certificate_serial, next_serial: None, next_not_after: None, recalled_at: None, ..
            } if certificate_serial.as_deref() == Some("0b")));
        }
    }
}
