//! The test every machine must pass: from its beginnings, by its events, everywhere it can go.
//!
//! A machine gives its first states and one or more samples of every event. [`explore`] applies
//! every event to every state it reaches and compares what happens with `EDGES` and `OWNERS`.

use crate::fact::{FactError, Record};
use crate::id::{TypedId, new_v7};
use crate::instant::Timestamp;
use crate::machine::{Edge, Machine, MachineEvent};
use crate::party::{Limit, Owned, Then};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// States visited at most: counters make the space endless, its shape is found long before.
const STATES_MAX: usize = 3000;

/// A machine that can be walked.
pub(crate) trait Walk: Owned {
    /// The names of all events.
    const EVENTS: &'static [&'static str];
    /// The states a machine can begin in.
    fn starts() -> Vec<Self>;
    /// Samples of every event; several where facts decide where it leads.
    fn events() -> Vec<Self::Event>;
}

/// A moment of the tests.
pub(crate) const NOON: Timestamp = Timestamp::from_micros(1_795_000_000_000_000);

/// An id made of one repeated byte.
pub(crate) fn id<I: TypedId>(byte: u8) -> I {
    I::from_uuid(new_v7(NOON, [byte; 10]))
}

/// Every state that can be reached, with the edges that were taken.
pub(crate) struct Explored<M> {
    /// Distinct states.
    pub(crate) states: Vec<M>,
    edges: BTreeSet<(&'static str, &'static str, &'static str)>,
}

/// Walks breadth first; checks each event in each state against `EDGES`.
pub(crate) fn explore<M: Walk>() -> Explored<M> {
    let events = M::events();
    let mut seen: BTreeSet<(&'static str, Vec<(String, String)>)> = BTreeSet::new();
    let mut queue: VecDeque<M> = M::starts().into();
    let mut explored = Explored { states: Vec::new(), edges: BTreeSet::new() };
    while let Some(state) = queue.pop_front() {
        if explored.states.len() >= STATES_MAX || !seen.insert(key(&state)) {
            continue;
        }
        for event in &events {
            if let Some(next) = step(&state, event, &mut explored.edges) {
                queue.push_back(next);
            }
        }
        explored.states.push(state);
    }
    explored
}

fn key<M: Machine>(state: &M) -> (&'static str, Vec<(String, String)>) {
    (state.state(), state.facts().into_iter().collect())
}

/// One event in one state: it succeeds exactly when `EDGES` says so, and lands where it says.
fn step<M: Walk>(
    state: &M,
    event: &M::Event,
    taken: &mut BTreeSet<(&'static str, &'static str, &'static str)>,
) -> Option<M> {
    let (from, name) = (state.state(), event.name());
    let targets: Vec<&str> =
        M::EDGES.iter().filter(|edge| edge.from == from && edge.event == name).map(|edge| edge.to).collect();
    match state.clone().apply(event.clone(), NOON) {
        Ok(next) => {
            assert!(
                targets.contains(&next.state()),
                "{}: {from} --{name}--> {} is not an edge",
                M::NAME,
                next.state()
            );
            taken.insert((from, name, next.state()));
            Some(next)
        }
        Err(refusal) => {
            assert!(
                targets.is_empty(),
                "{}: {from} --{name}--> {targets:?} is an edge but was refused",
                M::NAME
            );
            assert_eq!((refusal.machine, refusal.state, refusal.event), (M::NAME, from, name));
            assert_eq!(refusal.legal, state.legal_events());
            None
        }
    }
}

/// All that must hold of every machine.
pub(crate) fn check<M: Walk>() {
    check_tables::<M>();
    let explored = explore::<M>();
    for name in M::STATES {
        assert!(
            explored.states.iter().any(|state| state.state() == *name),
            "{}: {name} is never reached",
            M::NAME
        );
    }
    for Edge { from, event, to } in M::EDGES {
        assert!(
            explored.edges.contains(&(*from, *event, *to)),
            "{}: {from} --{event}--> {to} is never taken",
            M::NAME
        );
    }
    for state in &explored.states {
        assert_eq!(M::restore(state.state(), &state.facts()).as_ref(), Ok(state));
    }
    for event in M::events() {
        assert_eq!(M::Event::restore(event.name(), &event.facts()), Ok(event));
    }
    check_refused_records(&explored.states);
    check_owners(&explored.states);
}

fn check_tables<M: Walk>() {
    let states: BTreeSet<_> = M::STATES.iter().collect();
    assert_eq!(states.len(), M::STATES.len(), "{}: a state is named twice", M::NAME);
    let distinct: BTreeSet<_> = M::EDGES.iter().map(|edge| (edge.from, edge.event, edge.to)).collect();
    assert_eq!(distinct.len(), M::EDGES.len(), "{}: an edge is listed twice", M::NAME);
    for Edge { from, event, to } in M::EDGES {
        assert!(states.contains(from) && states.contains(to), "{}: {from} or {to} is no state", M::NAME);
        assert!(M::EVENTS.contains(event), "{}: {event} is no event", M::NAME);
    }
    let sampled: BTreeSet<_> = M::events().iter().map(MachineEvent::name).collect();
    for event in M::EVENTS {
        assert!(sampled.contains(event), "{}: no sample of {event}", M::NAME);
        assert!(M::EDGES.iter().any(|edge| edge.event == *event), "{}: {event} leads nowhere", M::NAME);
    }
}

/// A record that lost a fact, or bears a name that is none, is refused and not guessed.
fn check_refused_records<M: Walk>(states: &[M]) {
    assert!(matches!(M::restore("nowhere", &Record::new()), Err(FactError::UnknownVariant { .. })));
    let samples: BTreeMap<&str, &M> = states.iter().map(|state| (state.state(), state)).collect();
    for (name, state) in samples {
        let mut record = state.facts();
        record.remove("since");
        let refused = M::restore(name, &record);
        assert!(matches!(refused, Err(FactError::BadField { field: "since", .. })), "{}: {name}", M::NAME);
    }
}

/// R1: every state that is not final has exactly one owner and a time-out rule that works.
fn check_owners<M: Walk>(states: &[M]) {
    for name in M::STATES {
        let rows: Vec<_> = M::OWNERS.iter().filter(|row| row.state == *name).collect();
        let is_final = !M::EDGES.iter().any(|edge| edge.from == *name);
        assert_eq!(rows.len(), usize::from(!is_final), "{}: owners of {name}", M::NAME);
        let Some(row) = rows.first() else { continue };
        let then = match row.limit {
            Limit::Within(_, then) | Limit::Until(_, then) => Some(then),
            Limit::Unlimited(why) => {
                assert!(!why.is_empty(), "{}: {name} is unlimited without a reason", M::NAME);
                None
            }
        };
        if let Some(Then::Apply(event)) = then {
            let legal = M::EDGES.iter().any(|edge| edge.from == *name && edge.event == event);
            assert!(legal, "{}: the time-out of {name} applies {event}, which is not legal there", M::NAME);
        }
        let times_out = states
            .iter()
            .filter(|state| state.state() == *name)
            .any(|state| state.timeout(&crate::term::in_force_today()).is_some());
        assert_eq!(times_out, then.is_some(), "{}: {name} has a limit that cannot be computed", M::NAME);
    }
    assert!(
        states.iter().all(|state| state.since().is_some()),
        "{}: a state does not say since when",
        M::NAME
    );
}

/// A random walk: each number picks one of the events; refused ones are skipped.
pub(crate) fn stroll<M: Walk>(picks: &[usize]) -> Vec<(M::Event, M)> {
    let (starts, events) = (M::starts(), M::events());
    let mut here = starts[picks.first().copied().unwrap_or(0) % starts.len()].clone();
    let mut path = Vec::new();
    for (at, pick) in picks.iter().enumerate() {
        let legal = here.legal_events();
        let open: Vec<_> = events.iter().filter(|event| legal.contains(&event.name())).collect();
        let Some(event) = open.get(pick % open.len().max(1)) else { break };
        let moment = NOON.plus_seconds(i64::try_from(at).unwrap());
        here = here.apply((*event).clone(), moment).unwrap();
        path.push(((*event).clone(), here.clone()));
    }
    path
}

/// Numbers for a [`stroll`].
pub(crate) fn picks() -> impl proptest::strategy::Strategy<Value = Vec<usize>> {
    proptest::collection::vec(0_usize..1000, 1..60)
}
