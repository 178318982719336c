//! 现场/视频核实: somebody of ours sees the business with their own eyes.
//!
//! `visitor` is an actor reference; the visitor must not be the one who recruited the merchant.
//! Pictures and positions are in the sealed `report`; the state keeps only the distance.

use crate::id::DocumentId;
use crate::instant::Timestamp;
use crate::machine::{Edge, Illegal, Machine, edge};
use crate::party::{Desk, Limit, Owned, Owner, Party, Then, owner};
use crate::reason::ReasonCode;
use crate::term::Term;

crate::text_enum! {
    /// How the business is seen.
    pub enum VisitMode {
        /// 现场: required wherever there is a fixed place of business.
        Onsite "onsite",
        /// 同步视频.
        Video "video",
    }
}

crate::text_enum! {
    /// What the visit found.
    pub enum VisitOutcome {
        /// The business is there and is what the application says.
        Pass "pass",
        /// It is not.
        Fail "fail",
    }
}

crate::text_enum! {
    /// Who did not come.
    pub enum Absent {
        /// The merchant.
        Merchant "merchant",
        /// Our visitor.
        Visitor "visitor",
    }
}

crate::facts_enum! {
    /// The state of a visit, with its facts.
    pub enum Visit {
        /// 待预约.
        Offered "offered" { since: Timestamp, mode: VisitMode },
        /// 已预约.
        Booked "booked" { since: Timestamp, mode: VisitMode, from: Timestamp, until: Timestamp, visitor: String },
        /// 核实中.
        UnderWay "under_way" { since: Timestamp, mode: VisitMode, visitor: String },
        /// 已完成. `begun` is when the visitor began; whoever is on the spot before the time booked
        /// need not wait for it.
        Done "done" {
            since: Timestamp, begun: Option<Timestamp>, mode: VisitMode, visitor: String, outcome: VisitOutcome,
            reasons: Vec<ReasonCode>, report: Option<DocumentId>, distance_m: Option<u32>,
        },
        /// 未到场.
        NoShow "no_show" { since: Timestamp, mode: VisitMode, absent: Absent, changes: u32 },
        /// 已改约.
        Rebooked "rebooked" {
            since: Timestamp, mode: VisitMode, from: Timestamp, until: Timestamp, visitor: String, changes: u32,
        },
        /// 已取消.
        Cancelled "cancelled" { since: Timestamp, reason: String },
    }
}

crate::facts_enum! {
    /// What moves a visit.
    pub enum VisitEvent {
        /// A slot was chosen.
        Book "book" { from: Timestamp, until: Timestamp, visitor: String },
        /// Another slot was chosen.
        Rebook "rebook" { from: Timestamp, until: Timestamp, visitor: String },
        /// The visitor began.
        Start "start" { visitor: String },
        /// It was broken off and must be arranged anew (video lost, shop shut in an emergency).
        BreakOff "break_off" { reason: String },
        /// The visitor reported.
        Finish "finish" {
            outcome: VisitOutcome, reasons: Vec<ReasonCode>, report: Option<DocumentId>, distance_m: Option<u32>,
        },
        /// Somebody did not come.
        MarkNoShow "mark_no_show" { absent: Absent },
        /// It is no longer needed or wanted.
        Cancel "cancel" { reason: String },
    }
}

/// Every legal move of a visit.
pub const EDGES: &[Edge] = &[
    edge("offered", "book", "booked"),
    edge("offered", "cancel", "cancelled"),
    edge("booked", "start", "under_way"),
    edge("booked", "rebook", "rebooked"),
    edge("booked", "mark_no_show", "no_show"),
    edge("booked", "cancel", "cancelled"),
    edge("rebooked", "start", "under_way"),
    edge("rebooked", "rebook", "rebooked"),
    edge("rebooked", "mark_no_show", "no_show"),
    edge("rebooked", "cancel", "cancelled"),
    edge("under_way", "finish", "done"),
    edge("under_way", "break_off", "offered"),
    edge("no_show", "rebook", "rebooked"),
    edge("no_show", "cancel", "cancelled"),
];

impl Owned for Visit {
    const OWNERS: &'static [Owner] = &[
        owner("offered", Party::Merchant, Limit::Within(Term::VisitChoice, Then::Remind)),
        owner("booked", Party::Us(Desk::Field), Limit::Until("until", Then::Escalate)),
        owner("rebooked", Party::Us(Desk::Field), Limit::Until("until", Then::Escalate)),
        owner("under_way", Party::Us(Desk::Field), Limit::Within(Term::VisitLength, Then::Escalate)),
        owner("no_show", Party::Merchant, Limit::Within(Term::VisitRebook, Then::Remind)),
    ];
}

crate::machine!(Visit, VisitEvent, "visit", EDGES, apply);

fn apply(state: Visit, event: VisitEvent, at: Timestamp) -> Result<Visit, Illegal> {
    use Visit as S;
    use VisitEvent as E;
    match (state, event) {
        (S::Offered { mode, .. }, E::Book { from, until, visitor }) => {
            Ok(S::Booked { since: at, mode, from, until, visitor })
        }
        (S::Booked { mode, .. }, E::Rebook { from, until, visitor }) => {
            Ok(S::Rebooked { since: at, mode, from, until, visitor, changes: 1 })
        }
        (
            S::Rebooked { mode, changes, .. } | S::NoShow { mode, changes, .. },
            E::Rebook { from, until, visitor },
        ) => Ok(S::Rebooked { since: at, mode, from, until, visitor, changes: changes.saturating_add(1) }),
        (S::Booked { mode, .. } | S::Rebooked { mode, .. }, E::Start { visitor }) => {
            Ok(S::UnderWay { since: at, mode, visitor })
        }
        (S::Booked { mode, .. }, E::MarkNoShow { absent }) => {
            Ok(S::NoShow { since: at, mode, absent, changes: 0 })
        }
        (S::Rebooked { mode, changes, .. }, E::MarkNoShow { absent }) => {
            Ok(S::NoShow { since: at, mode, absent, changes })
        }
        (S::UnderWay { since, mode, visitor }, E::Finish { outcome, reasons, report, distance_m }) => {
            Ok(S::Done { since: at, begun: Some(since), mode, visitor, outcome, reasons, report, distance_m })
        }
        (S::UnderWay { mode, .. }, E::BreakOff { .. }) => Ok(S::Offered { since: at, mode }),
        (
            S::Offered { .. } | S::Booked { .. } | S::Rebooked { .. } | S::NoShow { .. },
            E::Cancel { reason },
        ) => Ok(S::Cancelled { since: at, reason }),
        (state, event) => Err(state.illegal(event.name())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::walk::{NOON, Walk, check, id, picks, stroll};
    use proptest::prelude::*;

    impl Walk for Visit {
        const EVENTS: &'static [&'static str] = VisitEvent::NAMES;
        fn starts() -> Vec<Self> {
            VisitMode::ALL.iter().map(|mode| Self::Offered { since: NOON, mode: *mode }).collect()
        }
        fn events() -> Vec<VisitEvent> {
            use VisitEvent as E;
            let (from, until, visitor) = (NOON, NOON.plus_seconds(3600), "staff:v".to_owned());
            vec![
                E::Book { from, until, visitor: visitor.clone() },
                E::Rebook { from, until, visitor: visitor.clone() },
                E::Start { visitor },
                E::BreakOff { reason: "video lost".into() },
                E::Finish {
                    outcome: VisitOutcome::Pass,
                    reasons: vec![],
                    report: Some(id(3)),
                    distance_m: Some(12),
                },
                E::Finish {
                    outcome: VisitOutcome::Fail,
                    reasons: vec![ReasonCode::D403],
                    report: None,
                    distance_m: None,
                },
                E::MarkNoShow { absent: Absent::Visitor },
                E::Cancel { reason: "withdrawn".into() },
            ]
        }
    }

    #[test]
    fn visit_follows_its_edges() {
        check::<Visit>();
    }

    #[test]
    fn a_visit_is_carried_out_when_both_are_there_and_says_when() {
        let (tomorrow, visitor) = (NOON.plus_seconds(86_400), "staff:v".to_owned());
        let booked = Visit::Booked {
            since: NOON,
            mode: VisitMode::Onsite,
            from: tomorrow,
            until: tomorrow.plus_seconds(3600),
            visitor: visitor.clone(),
        };
        let (began, ended) = (NOON.plus_seconds(60), NOON.plus_seconds(1200));
        let under_way = booked.apply(VisitEvent::Start { visitor }, began).unwrap();
        let finish = VisitEvent::Finish {
            outcome: VisitOutcome::Pass,
            reasons: vec![],
            report: None,
            distance_m: Some(3),
        };
        let done = under_way.apply(finish, ended).unwrap();
        assert!(
            matches!(done, Visit::Done { since, begun: Some(begun), .. } if (begun, since) == (began, ended))
        );
        // One finished before its beginning was kept still reads.
        let mut facts = done.facts();
        facts.remove("begun");
        assert!(matches!(Visit::restore("done", &facts), Ok(Visit::Done { begun: None, .. })));
    }

    proptest! {
        #[test]
        fn the_way_of_seeing_never_changes(picks in picks()) {
            let mut mode: Option<String> = None;
            for (_, state) in stroll::<Visit>(&picks) {
                let now = Visit::facts(&state).get("mode").cloned();
                if mode.is_some() && state.name() != "cancelled" {
                    prop_assert_eq!(&now, &mode);
                }
                mode = now;
            }
        }
    }
}
