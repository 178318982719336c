//! Who must act next, and how long that may take.
//!
//! Rule R1: every state that is not final names its owner and its time-out rule. The periods
//! themselves are policy: a machine names a [`Term`], the caller passes the [`Terms`] in force.

use crate::instant::Timestamp;
use crate::machine::Machine;
use crate::term::{Term, Terms};
use std::fmt;

crate::text_enum! {
    /// A desk of the payment company (岗位).
    pub enum Desk {
        /// 审核.
        Review "review",
        /// 外勤: visits to shops and video calls.
        Field "field",
        /// 物流: warehouse and dispatch.
        Logistics "logistics",
        /// 风控.
        Risk "risk",
        /// 客服.
        Support "support",
        /// 财务.
        Finance "finance",
        /// 运营: reporting, keys, the platform itself.
        Operations "operations",
    }
}

crate::text_enum! {
    /// Somebody outside whom we wait for.
    pub enum Outside {
        /// The clearing institution's registry (报送).
        Registry "registry",
        /// A card network or wallet that opens a merchant.
        Network "network",
        /// 承运人.
        Carrier "carrier",
        /// A bank.
        Bank "bank",
        /// The electronic signing service.
        Signing "signing",
        /// The identity or licence verification service.
        Verification "verification",
    }
}

/// Who must act (责任方).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// The merchant.
    Merchant,
    /// The terminal itself.
    Device,
    /// One of our desks.
    Us(Desk),
    /// Somebody outside.
    ThirdParty(Outside),
}

impl Party {
    /// Who in one word: `merchant`, `device`, `us` or `third_party`.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Merchant => "merchant",
            Self::Device => "device",
            Self::Us(_) => "us",
            Self::ThirdParty(_) => "third_party",
        }
    }

    /// Which desk or which outside party, where there is a choice.
    #[must_use]
    pub const fn which(self) -> Option<&'static str> {
        match self {
            Self::Merchant | Self::Device => None,
            Self::Us(desk) => Some(desk.as_str()),
            Self::ThirdParty(who) => Some(who.as_str()),
        }
    }
}

impl fmt::Display for Party {
    /// `merchant`, `us:review`, `third_party:carrier`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())?;
        self.which().map_or(Ok(()), |which| write!(f, ":{which}"))
    }
}

/// What happens when the time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// A job applies this event to the machine.
    Apply(&'static str),
    /// The owner is reminded and the state stays.
    Remind,
    /// A supervisor of ours is told and the state stays.
    Escalate,
}

/// How long a state may last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// A period of the policy, counted from the state's fact `since`.
    Within(Term, Then),
    /// A moment that the state itself carries, by the name of that fact.
    Until(&'static str, Then),
    /// No limit, and why that is right.
    Unlimited(&'static str),
}

/// One row of a machine's table of owners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The state.
    pub state: &'static str,
    /// Who must act to leave it.
    pub party: Party,
    /// How long it may last.
    pub limit: Limit,
}

/// Shorthand for the `OWNERS` tables.
#[must_use]
pub const fn owner(state: &'static str, party: Party, limit: Limit) -> Owner {
    Owner { state, party, limit }
}

/// A machine whose unfinished states all have an owner and a time-out rule.
pub trait Owned: Machine {
    /// One row for each state that is not final.
    const OWNERS: &'static [Owner];

    /// The owner's row of the present state; `None` when it is final.
    fn owner(&self) -> Option<&'static Owner> {
        Self::OWNERS.iter().find(|row| row.state == self.state())
    }

    /// Who must act next; `None` when nobody needs to.
    fn waits_for(&self) -> Option<Party> {
        self.owner().map(|row| row.party)
    }

    /// When the present state began.
    fn since(&self) -> Option<Timestamp> {
        moment(self, "since")
    }

    /// The moment from which, or until which, the present state's limit counts: what the store
    /// finds a due row by, whatever the periods are then.
    fn limit_at(&self) -> Option<Timestamp> {
        match self.owner()?.limit {
            Limit::Within(..) => self.since(),
            Limit::Until(fact, _) => moment(self, fact),
            Limit::Unlimited(_) => None,
        }
    }

    /// When the present state must have ended, and what happens then.
    fn timeout(&self, terms: &Terms) -> Option<(Timestamp, Then)> {
        let at = self.limit_at()?;
        match self.owner()?.limit {
            Limit::Within(term, then) => Some((at.plus_seconds(terms.seconds(term)), then)),
            Limit::Until(_, then) => Some((at, then)),
            Limit::Unlimited(_) => None,
        }
    }
}

fn moment<M: Machine>(machine: &M, fact: &str) -> Option<Timestamp> {
    crate::fact::FactValue::from_fact(machine.facts().get(fact).map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::Agreement;
    use crate::application::Application;
    use crate::walk::{NOON, id};

    #[test]
    fn a_party_says_which_desk_it_is() {
        assert_eq!(Party::Merchant.to_string(), "merchant");
        assert_eq!(Party::Us(Desk::Review).to_string(), "us:review");
        assert_eq!(Party::ThirdParty(Outside::Carrier).which(), Some("carrier"));
    }

    #[test]
    fn time_is_over_by_policy_or_by_the_date_agreed() {
        let terms = crate::term::in_force_today().with(Term::DraftKept, 60);
        let draft = Application::begin(NOON);
        assert_eq!(draft.timeout(&terms), Some((NOON.plus_seconds(60), Then::Apply("expire"))));
        assert_eq!(draft.waits_for(), Some(Party::Merchant));
        let offered = Agreement::Offered {
            since: NOON,
            version: "1".into(),
            document: id(1),
            sha256: "ab".into(),
            sign_by: NOON.plus_seconds(7),
        };
        assert_eq!(offered.timeout(&terms), Some((NOON.plus_seconds(7), Then::Apply("expire"))));
        let signed = Agreement::Expired { since: NOON, version: "1".into() };
        assert_eq!((signed.waits_for(), signed.timeout(&terms)), (None, None));
    }
}
