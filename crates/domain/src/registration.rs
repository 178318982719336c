//! 报送/入网: one channel opening one merchant.
//!
//! `message` is the reference of the message sent, `attempt` counts them. A registered merchant
//! keeps its numbers while a change is pending, and keeps them when the change is refused.

use crate::instant::Timestamp;
use crate::machine::{Edge, Illegal, Machine, edge};
use crate::party::{Desk, Limit, Outside, Owned, Owner, Party, Then, owner};
use crate::term::Term;

crate::text_enum! {
    /// 通道: where a merchant is registered.
    pub enum Channel {
        /// 清算机构报送.
        ClearingInstitution "clearing_institution",
        /// 银联.
        Unionpay "unionpay",
        /// 微信支付.
        Wechat "wechat",
        /// 支付宝.
        Alipay "alipay",
        /// 云闪付 and other wallets behind 网联.
        Nucc "nucc",
    }
}

impl Channel {
    /// Whether a terminal may not open before this channel has registered the merchant. Cards
    /// may open while a wallet waits.
    #[must_use]
    pub const fn opens_terminal(self) -> bool {
        match self {
            Self::ClearingInstitution | Self::Unionpay => true,
            Self::Wechat | Self::Alipay | Self::Nucc => false,
        }
    }

    /// Whether it brings payments by code.
    #[must_use]
    pub const fn is_wallet(self) -> bool {
        match self {
            Self::ClearingInstitution | Self::Unionpay => false,
            Self::Wechat | Self::Alipay | Self::Nucc => true,
        }
    }
}

crate::facts_enum! {
    /// The state of a registration, with its facts.
    pub enum Registration {
        /// 待报送.
        Pending "pending" { since: Timestamp, attempt: u32 },
        /// 已发送.
        Sent "sent" { since: Timestamp, attempt: u32, message: String },
        /// 已登记.
        Registered "registered" {
            since: Timestamp, merchant_no: String, terminal_no: Option<String>, mcc: String, refusal: Option<String>,
        },
        /// 被拒.
        Refused "refused" { since: Timestamp, attempt: u32, reason: String, field: Option<String> },
        /// 变更中.
        ChangePending "change_pending" {
            since: Timestamp, merchant_no: String, terminal_no: Option<String>, mcc: String, fields: Vec<String>,
        },
        /// 注销中.
        Closing "closing" { since: Timestamp, merchant_no: String, reason: String },
        /// 已注销.
        Closed "closed" { since: Timestamp, reason: String, reference: Option<String> },
    }
}

crate::facts_enum! {
    /// What moves a registration.
    pub enum RegistrationEvent {
        /// The report was sent.
        Send "send" { message: String },
        /// No answer came: it is sent again.
        GiveUpWaiting "give_up_waiting" {},
        /// The channel accepted.
        Accept "accept" { merchant_no: String, terminal_no: Option<String>, mcc: String },
        /// The channel refused.
        Refuse "refuse" { reason: String, field: Option<String> },
        /// The refused field was corrected.
        Correct "correct" { field: Option<String> },
        /// Data of a registered merchant changed.
        RequestChange "request_change" { fields: Vec<String> },
        /// The channel took the change.
        AcceptChange "accept_change" { terminal_no: Option<String>, mcc: String },
        /// The channel refused the change: the old data stand.
        RefuseChange "refuse_change" { reason: String },
        /// The merchant leaves this channel.
        Close "close" { reason: String },
        /// The channel confirmed the closure.
        ConfirmClosed "confirm_closed" { reference: String },
        /// Given up before it was ever registered.
        Abandon "abandon" { reason: String },
    }
}

/// Every legal move of a registration.
pub const EDGES: &[Edge] = &[
    edge("pending", "send", "sent"),
    edge("pending", "abandon", "closed"),
    edge("sent", "give_up_waiting", "pending"),
    edge("sent", "accept", "registered"),
    edge("sent", "refuse", "refused"),
    edge("refused", "correct", "pending"),
    edge("refused", "abandon", "closed"),
    edge("registered", "request_change", "change_pending"),
    edge("registered", "close", "closing"),
    edge("change_pending", "accept_change", "registered"),
    edge("change_pending", "refuse_change", "registered"),
    edge("closing", "confirm_closed", "closed"),
];

impl Owned for Registration {
    const OWNERS: &'static [Owner] = &[
        owner("pending", Party::Us(Desk::Operations), Limit::Within(Term::ReportStart, Then::Escalate)),
        owner(
            "sent",
            Party::ThirdParty(Outside::Registry),
            Limit::Within(Term::RegistrationAnswer, Then::Apply("give_up_waiting")),
        ),
        owner(
            "registered",
            Party::Us(Desk::Operations),
            Limit::Unlimited("it lasts as long as the merchant trades"),
        ),
        owner("refused", Party::Us(Desk::Operations), Limit::Within(Term::ReportRepair, Then::Escalate)),
        owner(
            "change_pending",
            Party::ThirdParty(Outside::Registry),
            Limit::Within(Term::Report, Then::Escalate),
        ),
        owner("closing", Party::ThirdParty(Outside::Registry), Limit::Within(Term::Closure, Then::Escalate)),
    ];
}

crate::machine!(Registration, RegistrationEvent, "registration", EDGES, apply);

impl Registration {
    /// A report yet to be sent.
    #[must_use]
    pub const fn begin(at: Timestamp) -> Self {
        Self::Pending { since: at, attempt: 0 }
    }

    /// Whether the channel knows the merchant now.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        match self {
            Self::Registered { .. } | Self::ChangePending { .. } => true,
            Self::Pending { .. }
            | Self::Sent { .. }
            | Self::Refused { .. }
            | Self::Closing { .. }
            | Self::Closed { .. } => false,
        }
    }
}

fn apply(state: Registration, event: RegistrationEvent, at: Timestamp) -> Result<Registration, Illegal> {
    use Registration as S;
    use RegistrationEvent as E;
    match (state, event) {
        (S::Pending { attempt, .. }, E::Send { message }) => {
            Ok(S::Sent { since: at, attempt: attempt.saturating_add(1), message })
        }
        (S::Pending { .. } | S::Refused { .. }, E::Abandon { reason }) => {
            Ok(S::Closed { since: at, reason, reference: None })
        }
        (S::Sent { attempt, .. }, E::GiveUpWaiting {}) => Ok(S::Pending { since: at, attempt }),
        (S::Sent { .. }, E::Accept { merchant_no, terminal_no, mcc }) => {
            Ok(S::Registered { since: at, merchant_no, terminal_no, mcc, refusal: None })
        }
        (S::Sent { attempt, .. }, E::Refuse { reason, field }) => {
            Ok(S::Refused { since: at, attempt, reason, field })
        }
        (S::Refused { attempt, .. }, E::Correct { .. }) => Ok(S::Pending { since: at, attempt }),
        (S::Registered { merchant_no, terminal_no, mcc, .. }, E::RequestChange { fields }) => {
            Ok(S::ChangePending { since: at, merchant_no, terminal_no, mcc, fields })
        }
        (S::Registered { merchant_no, .. }, E::Close { reason }) => {
            Ok(S::Closing { since: at, merchant_no, reason })
        }
        (S::ChangePending { merchant_no, .. }, E::AcceptChange { terminal_no, mcc }) => {
            Ok(S::Registered { since: at, merchant_no, terminal_no, mcc, refusal: None })
        }
        (S::ChangePending { merchant_no, terminal_no, mcc, .. }, E::RefuseChange { reason }) => {
            Ok(S::Registered { since: at, merchant_no, terminal_no, mcc, refusal: Some(reason) })
        }
        (S::Closing { reason, .. }, E::ConfirmClosed { reference }) => {
            Ok(S::Closed { since: at, reason, reference: Some(reference) })
        }
        (state, event) => Err(state.illegal(event.name())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::walk::{NOON, Walk, check, picks, stroll};
    use proptest::prelude::*;

    impl Walk for Registration {
        const EVENTS: &'static [&'static str] = RegistrationEvent::NAMES;
        fn starts() -> Vec<Self> {
            vec![Self::begin(NOON)]
        }
        fn events() -> Vec<RegistrationEvent> {
            use RegistrationEvent as E;
            let terminal_no = Some("00000001".to_owned());
            vec![
                E::Send { message: "m1".into() },
                E::GiveUpWaiting {},
                E::Accept {
                    merchant_no: "999584058120001".into(),
                    terminal_no: terminal_no.clone(),
                    mcc: "5812".into(),
                },
                E::Refuse { reason: "A101".into(), field: Some("licence.uscc".into()) },
                E::Correct { field: Some("licence.uscc".into()) },
                E::RequestChange { fields: vec!["shop.address".into(), "shop.mcc".into()] },
                E::AcceptChange { terminal_no, mcc: "5814".into() },
                E::RefuseChange { reason: "E501".into() },
                E::Close { reason: "merchant left".into() },
                E::ConfirmClosed { reference: "c1".into() },
                E::Abandon { reason: "withdrawn".into() },
            ]
        }
    }

    #[test]
    fn registration_follows_its_edges() {
        check::<Registration>();
    }

    proptest! {
        #[test]
        fn a_merchant_number_once_given_stays_until_closed(picks in picks()) {
            let mut number: Option<String> = None;
            for (_, state) in stroll::<Registration>(&picks) {
                let now = Registration::facts(&state).get("merchant_no").cloned();
                if number.is_some() && state.name() != "closed" {
                    prop_assert_eq!(&now, &number);
                }
                if state.is_live() {
                    prop_assert!(now.is_some());
                }
                number = now;
            }
        }
    }
}
