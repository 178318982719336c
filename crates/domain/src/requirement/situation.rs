//! What the engine looks at: facts gathered from the aggregates, nothing computed.

use super::RequirementCode;
use crate::activation::Activation;
use crate::agreement::Agreement;
use crate::application::Application;
use crate::capability::{Capability, CapabilityKind};
use crate::device::Device;
use crate::field::FormField;
use crate::material::MaterialKind;
use crate::reason::ReasonCode;
use crate::registration::{Channel, Registration};
use crate::shipment::Shipment;
use crate::subject::SubjectType;
use crate::term::{Term, Terms};
use crate::visit::{Visit, VisitMode};
use std::collections::BTreeMap;

crate::text_enum! {
    /// How a form field stands.
    pub enum FieldCondition {
        /// Nothing in it.
        Empty "empty",
        /// A good value.
        Filled "filled",
        /// A value that its own rule refuses (check digit, date, age).
        Invalid "invalid",
        /// A good form, but flagged by a check or a reviewer.
        Flagged "flagged",
    }
}

/// A form field and how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldStatus {
    /// The field.
    pub field: FormField,
    /// How it stands.
    pub condition: FieldCondition,
    /// What is wrong with it.
    pub reasons: Vec<ReasonCode>,
}

crate::text_enum! {
    /// How a document stands.
    pub enum MaterialCondition {
        /// Not uploaded.
        Missing "missing",
        /// Uploaded, not judged yet.
        Provided "provided",
        /// Good.
        Accepted "accepted",
        /// Unreadable, expired, of the wrong kind or not matching: another one is needed.
        Unusable "unusable",
    }
}

/// A document and how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaterialStatus {
    /// The document.
    pub kind: MaterialKind,
    /// How it stands.
    pub condition: MaterialCondition,
    /// What is wrong with it.
    pub reasons: Vec<ReasonCode>,
}

/// A channel the merchant is to be registered with; `None` while no report exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelStatus {
    /// The channel.
    pub channel: Channel,
    /// Its registration.
    pub registration: Option<Registration>,
}

crate::text_enum! {
    /// Whether the contact number proved itself with a one-time code.
    pub enum ContactStatus {
        /// Not yet.
        Unverified "unverified",
        /// It did.
        Verified "verified",
    }
}

crate::text_enum! {
    /// How the settlement account stands.
    pub enum SettlementStatus {
        /// None verified yet.
        Unverified "unverified",
        /// The element check runs, or a small transfer is on its way.
        UnderVerification "under_verification",
        /// The bank says no: another account is needed.
        Refused "refused",
        /// Verified: money can go there.
        Live "live",
    }
}

crate::text_enum! {
    /// Whether a change of the settlement account is open.
    pub enum AccountChangeStatus {
        /// None.
        Closed "closed",
        /// One is.
        Open "open",
    }
}

/// How long each party usually takes, from past cases. What is not in the table is not promised.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WaitTable(BTreeMap<RequirementCode, i64>);

impl WaitTable {
    /// A table of seconds by requirement.
    #[must_use]
    pub fn new(seconds: impl IntoIterator<Item = (RequirementCode, i64)>) -> Self {
        Self(seconds.into_iter().collect())
    }

    /// The house's table, until there are past cases to learn from: a desk, a registry or a check
    /// usually takes as long as it may, a visit a day and a parcel three.
    #[must_use]
    pub fn house(terms: &Terms) -> Self {
        use RequirementCode as Code;
        const DAY: i64 = 24 * 3600;
        Self::new([
            (Code::ChecksRunning, terms.seconds(Term::Checks)),
            (Code::VisitPending, DAY),
            (Code::ReviewPending, terms.seconds(Term::Review)),
            (Code::RegistrationPending, terms.seconds(Term::RegistrationAnswer)),
            (Code::DeviceUnpacked, terms.seconds(Term::Packing)),
            (Code::DeviceInTransit, 3 * DAY),
        ])
    }

    /// The usual time in seconds.
    #[must_use]
    pub fn seconds(&self, code: RequirementCode) -> Option<i64> {
        self.0.get(&code).copied()
    }
}

/// Everything known about one merchant that bears on what is still missing.
///
/// Fields and documents that the subject type requires count as empty and missing when they are
/// not listed; conditional ones count only when listed. Wallets count only when listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Situation {
    /// 主体类型.
    pub subject: SubjectType,
    /// The contact number.
    pub contact: ContactStatus,
    /// The latest application.
    pub application: Option<Application>,
    /// The form.
    pub fields: Vec<FieldStatus>,
    /// The documents.
    pub materials: Vec<MaterialStatus>,
    /// The visit the rules ask for, if any.
    pub visit_rule: Option<VisitMode>,
    /// The latest visit.
    pub visit: Option<Visit>,
    /// The latest agreement.
    pub agreement: Option<Agreement>,
    /// The channels.
    pub channels: Vec<ChannelStatus>,
    /// The latest shipment.
    pub shipment: Option<Shipment>,
    /// The device meant for this merchant.
    pub device: Option<Device>,
    /// The latest activation.
    pub activation: Option<Activation>,
    /// How many operators have a password.
    pub operators_with_pin: u32,
    /// The settlement account.
    pub settlement: SettlementStatus,
    /// A change of it.
    pub account_change: AccountChangeStatus,
    /// The capabilities that have a record.
    pub capabilities: Vec<(CapabilityKind, Capability)>,
    /// The periods in force.
    pub terms: Terms,
    /// The usual waiting times.
    pub waits: WaitTable,
}

impl Situation {
    /// A merchant of whom nothing is known but the subject type.
    #[must_use]
    pub const fn blank(subject: SubjectType, terms: Terms, waits: WaitTable) -> Self {
        Self {
            subject,
            contact: ContactStatus::Unverified,
            application: None,
            fields: Vec::new(),
            materials: Vec::new(),
            visit_rule: None,
            visit: None,
            agreement: None,
            channels: Vec::new(),
            shipment: None,
            device: None,
            activation: None,
            operators_with_pin: 0,
            settlement: SettlementStatus::Unverified,
            account_change: AccountChangeStatus::Closed,
            capabilities: Vec::new(),
            terms,
            waits,
        }
    }

    /// How a field stands.
    pub(super) fn field(&self, field: FormField) -> FieldCondition {
        self.fields.iter().find(|row| row.field == field).map_or(FieldCondition::Empty, |row| row.condition)
    }

    /// How a document stands.
    pub(super) fn material(&self, kind: MaterialKind) -> MaterialCondition {
        self.materials
            .iter()
            .find(|row| row.kind == kind)
            .map_or(MaterialCondition::Missing, |row| row.condition)
    }

    /// The registration with a channel.
    pub(super) fn registration(&self, channel: Channel) -> Option<&Registration> {
        self.channels.iter().find(|row| row.channel == channel).and_then(|row| row.registration.as_ref())
    }
}
