//! Where a merchant stands: requirements and timeline.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Something that is still missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RequirementView {
    /// Stable code; `requirement-<code>` in the message catalogue.
    pub code: String,
    /// The field or document it is about.
    pub field: Option<String>,
    /// Who must act: `merchant`, `us`, `third_party`, `device`.
    pub awaiting: String,
    /// `eventually_due`, `currently_due`, `past_due`, `pending_verification`.
    pub status: String,
    /// Reason catalogue codes of what is wrong with what is there.
    pub errors: Vec<String>,
    /// What is missing, in the reader's language, the field's label first.
    pub message: String,
    /// What to do, in the reader's language.
    pub remedy: String,
    /// The capabilities it blocks.
    pub impact: Vec<String>,
    /// By when.
    pub deadline: Option<String>,
    /// Seconds it usually takes, when we or a third party must act.
    pub expected_wait_s: Option<i64>,
}

/// "Why not yet?"
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RequirementsView {
    /// `mer_…`
    pub merchant_id: String,
    /// Open requirements, what the merchant can do now first.
    pub requirements: Vec<RequirementView>,
    /// Each capability and whether it is enabled.
    pub capabilities: std::collections::BTreeMap<String, String>,
}

/// One recorded transition.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EventView {
    /// `evt_…`
    pub id: String,
    /// The machine: `application`, `device`, …
    pub aggregate: String,
    /// The thing's id.
    pub aggregate_id: String,
    /// The event.
    pub event: String,
    /// State after it.
    pub state: String,
    /// Role of whoever acted.
    pub actor: String,
    /// When.
    pub at: String,
}

/// A merchant's timeline, oldest first.
pub type TimelineView = super::List<EventView>;

/// One look of somebody of ours or of a partner at personal data of a merchant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LookView {
    /// The credential that looked, `ak_…`; `control` is the server's own administrator.
    pub actor: String,
    /// Its role; absent for looks that were recorded before roles were.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "reviewer")]
    pub role: Option<String>,
    /// The thing that was shown, and the fields of it that concern a person.
    #[schema(example = "app_0193…: principal.name, principal.id_number, contact.mobile")]
    pub what: String,
    /// When: RFC 3339.
    pub at: String,
    /// The request that showed it, by its `X-Request-Id`; absent where it had no name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "req_01020304050600000005")]
    pub request_id: Option<String>,
}

/// Which page of a list.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The cursor the last page gave.
    pub cursor: Option<String>,
    /// Rows wanted, 1 to 100; 50 when absent.
    pub limit: Option<u32>,
}
