//! What a state machine is here.
//!
//! A machine is an enum that carries the facts of its state ([`facts_enum!`](crate::facts_enum)).
//! `apply` consumes the state and an event and gives the next state; it is total and pure.
//! `EDGES` lists every legal move by name: it drives the property test (`apply` succeeds exactly
//! on `EDGES`), the diagrams in `docs/generated`, and the answer to an illegal request.

use crate::fact::{FactError, Record};
use crate::instant::Timestamp;

/// One legal move: from this state, by this event, to that state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// State before.
    pub from: &'static str,
    /// Event.
    pub event: &'static str,
    /// State after.
    pub to: &'static str,
}

/// Shorthand for the `EDGES` tables.
#[must_use]
pub const fn edge(from: &'static str, event: &'static str, to: &'static str) -> Edge {
    Edge { from, event, to }
}

/// An event that the present state does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{machine} in state {state} does not allow {event}; it allows: {}", legal.join(", "))]
pub struct Illegal {
    /// The machine's name.
    pub machine: &'static str,
    /// The present state.
    pub state: &'static str,
    /// The event refused.
    pub event: &'static str,
    /// The events the present state does allow.
    pub legal: Vec<&'static str>,
}

/// A state machine: an enum of states with their facts.
pub trait Machine: Sized + Clone + PartialEq + std::fmt::Debug {
    /// The events that move it.
    type Event: MachineEvent;
    /// Name in code, API, pages and the store, for example `application`.
    const NAME: &'static str;
    /// Every state's name.
    const STATES: &'static [&'static str];
    /// Every legal move.
    const EDGES: &'static [Edge];

    /// The present state's name.
    fn state(&self) -> &'static str;
    /// The present state's facts.
    fn facts(&self) -> Record;
    /// Rebuilds a state from the store.
    ///
    /// # Errors
    /// When the stored record does not read back.
    fn restore(state: &str, record: &Record) -> Result<Self, FactError>;
    /// The state after `event` at the moment `at`.
    ///
    /// # Errors
    /// [`Illegal`], which lists the events that are allowed instead.
    fn apply(self, event: Self::Event, at: Timestamp) -> Result<Self, Illegal>;

    /// The events allowed in the present state, without repetition.
    fn legal_events(&self) -> Vec<&'static str> {
        let mut legal = Vec::new();
        for edge in Self::EDGES.iter().filter(|edge| edge.from == self.state()) {
            if !legal.contains(&edge.event) {
                legal.push(edge.event);
            }
        }
        legal
    }

    /// The refusal of `event` in the present state.
    fn illegal(&self, event: &'static str) -> Illegal {
        Illegal { machine: Self::NAME, state: self.state(), event, legal: self.legal_events() }
    }

    /// Whether no event leads out of the present state.
    fn is_final(&self) -> bool {
        self.legal_events().is_empty()
    }
}

/// An event of a machine.
pub trait MachineEvent: Sized + Clone + PartialEq + std::fmt::Debug {
    /// Its name, for example `submit`.
    fn name(&self) -> &'static str;
    /// Its facts.
    fn facts(&self) -> Record;
    /// Rebuilds an event from the store.
    ///
    /// # Errors
    /// When the stored record does not read back.
    fn restore(name: &str, record: &Record) -> Result<Self, FactError>;
}

/// Forwards the parts of [`Machine`] and [`MachineEvent`] that [`facts_enum!`](crate::facts_enum)
/// already made; the machine's file writes `EDGES` and `apply`.
#[macro_export]
macro_rules! machine {
    ($state:ident, $event:ident, $name:literal, $edges:expr, $apply:path) => {
        impl $crate::machine::Machine for $state {
            type Event = $event;
            const NAME: &'static str = $name;
            const STATES: &'static [&'static str] = Self::NAMES;
            const EDGES: &'static [$crate::machine::Edge] = $edges;
            fn state(&self) -> &'static str {
                self.name()
            }
            fn facts(&self) -> $crate::fact::Record {
                Self::facts(self)
            }
            fn restore(state: &str, record: &$crate::fact::Record) -> Result<Self, $crate::fact::FactError> {
                Self::restore(state, record)
            }
            fn apply(
                self,
                event: Self::Event,
                at: $crate::instant::Timestamp,
            ) -> Result<Self, $crate::machine::Illegal> {
                $apply(self, event, at)
            }
        }
        impl $crate::machine::MachineEvent for $event {
            fn name(&self) -> &'static str {
                Self::name(self)
            }
            fn facts(&self) -> $crate::fact::Record {
                Self::facts(self)
            }
            fn restore(name: &str, record: &$crate::fact::Record) -> Result<Self, $crate::fact::FactError> {
                Self::restore(name, record)
            }
        }
    };
}
