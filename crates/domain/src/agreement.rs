//! 受理协议: offered once per version, signed or not.
//!
//! `document` is the text offered and `sha256` its hash: what is signed is exactly that text.
//! `certificate` names the signing service's proof. A changed fee or account is a new agreement.

use crate::id::{AgreementId, DocumentId};
use crate::instant::Timestamp;
use crate::machine::{Edge, Illegal, Machine, edge};
use crate::party::{Limit, Owned, Owner, Party, Then, owner};

crate::facts_enum! {
    /// The state of an agreement, with its facts.
    pub enum Agreement {
        /// 待签.
        Offered "offered" { since: Timestamp, version: String, document: DocumentId, sha256: String, sign_by: Timestamp },
        /// 已签.
        Signed "signed" {
            since: Timestamp, version: String, document: DocumentId, sha256: String, signer: String, certificate: String,
        },
        /// 过期未签.
        Expired "expired" { since: Timestamp, version: String },
        /// 已被新版取代.
        Superseded "superseded" { since: Timestamp, version: String, successor: AgreementId },
    }
}

crate::facts_enum! {
    /// What moves an agreement.
    pub enum AgreementEvent {
        /// The legal representative signed.
        Sign "sign" { signer: String, certificate: String },
        /// Nobody signed in time, or its application ended.
        Expire "expire" {},
        /// Another version is offered instead.
        Supersede "supersede" { successor: AgreementId },
    }
}

/// Every legal move of an agreement.
pub const EDGES: &[Edge] = &[
    edge("offered", "sign", "signed"),
    edge("offered", "expire", "expired"),
    edge("offered", "supersede", "superseded"),
];

impl Owned for Agreement {
    const OWNERS: &'static [Owner] =
        &[owner("offered", Party::Merchant, Limit::Until("sign_by", Then::Apply("expire")))];
}

crate::machine!(Agreement, AgreementEvent, "agreement", EDGES, apply);

fn apply(state: Agreement, event: AgreementEvent, at: Timestamp) -> Result<Agreement, Illegal> {
    use Agreement as S;
    use AgreementEvent as E;
    match (state, event) {
        (S::Offered { version, document, sha256, .. }, E::Sign { signer, certificate }) => {
            Ok(S::Signed { since: at, version, document, sha256, signer, certificate })
        }
        (S::Offered { version, .. }, E::Expire {}) => Ok(S::Expired { since: at, version }),
        (S::Offered { version, .. }, E::Supersede { successor }) => {
            Ok(S::Superseded { since: at, version, successor })
        }
        (state, event) => Err(state.illegal(event.name())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::walk::{NOON, Walk, check, id};

    impl Walk for Agreement {
        const EVENTS: &'static [&'static str] = AgreementEvent::NAMES;
        fn starts() -> Vec<Self> {
            vec![Self::Offered {
                since: NOON,
                version: "2026-1".into(),
                document: id(1),
                sha256: "ab".into(),
                sign_by: NOON.plus_seconds(9),
            }]
        }
        fn events() -> Vec<AgreementEvent> {
            vec![
                AgreementEvent::Sign { signer: "con_1".into(), certificate: "sandbox-1".into() },
                AgreementEvent::Expire {},
                AgreementEvent::Supersede { successor: id(2) },
            ]
        }
    }

    #[test]
    fn agreement_follows_its_edges() {
        check::<Agreement>();
    }

    #[test]
    fn what_is_signed_is_what_was_offered() {
        let offered = Agreement::starts().remove(0);
        let offer = Agreement::facts(&offered);
        let signed = apply(offered, Agreement::events().remove(0), NOON.plus_seconds(1)).unwrap();
        for fact in ["version", "document", "sha256"] {
            assert_eq!(Agreement::facts(&signed).get(fact), offer.get(fact), "{fact}");
        }
    }
}
