//! From the first contact to the signed agreement.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Ask for a one-time code on a mobile number.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartContact {
    /// 手机号, 11 digits.
    #[schema(example = "15400000008")]
    pub mobile: String,
    /// E-mail for longer notices.
    #[schema(example = "owner@example.test")]
    pub email: Option<String>,
}

crate::redacted_debug!(StartContact {} hides { mobile, email });

/// A code is on its way. The same answer whether or not the number is known.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ContactStarted {
    /// Give this back with the code.
    pub contact_id: String,
    /// The number, masked.
    pub mobile: String,
    /// The code's end.
    pub expires_at: String,
}

/// The code from the SMS.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyContact {
    /// Six digits.
    #[schema(example = "000000")]
    pub code: String,
}

crate::redacted_debug!(VerifyContact {} hides { code });

/// A session for the merchant's owner.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct SessionView {
    /// Bearer token. Shown once, and again to the same request while its code lives.
    pub token: String,
    /// The merchant this number stands for.
    pub merchant_id: String,
    /// The session's end.
    pub expires_at: String,
}

crate::redacted_debug!(SessionView { merchant_id, expires_at } hides { token });

/// Who the credential is.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Me {
    /// Credential id.
    pub id: String,
    /// Role.
    pub role: String,
    /// Merchant, for merchants.
    pub merchant_id: Option<String>,
    /// Carrier or channel, for partners.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

/// Start an application.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApplication {
    /// 主体类型: `micro`, `sole_proprietor`, `enterprise`, `other_org`.
    #[schema(example = "sole_proprietor")]
    pub subject_type: String,
    /// Your own number for it; one application per number.
    #[schema(example = "A-0001")]
    pub business_no: Option<String>,
}

/// Fill fields in. All are checked first; if one is wrong, none is kept and all wrong ones are named.
/// A field you were asked about and send again with the same value is confirmed as right.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchApplication {
    /// Field name to text, for example `licence.uscc`. An empty text clears the field.
    pub fields: BTreeMap<String, String>,
}

crate::redacted_debug!(PatchApplication {} hides { fields });

/// One form field as it stands.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct FormField {
    /// Its name, the same everywhere.
    pub name: String,
    /// Its value, personal numbers masked.
    pub value: String,
}

crate::redacted_debug!(FormField { name } hides { value });

/// An application.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ApplicationView {
    /// `app_…`
    pub id: String,
    /// `mer_…`
    pub merchant_id: String,
    /// 主体类型.
    pub subject_type: String,
    /// Caller's own number.
    pub business_no: String,
    /// State name.
    pub state: String,
    /// Give this back in `If-Match`.
    pub version: i64,
    /// What the state allows next, and whoever asks can do: `edit` is the `PATCH` of the application,
    /// any other the last part of the route that does it.
    #[schema(example = json!(["edit", "submit", "withdraw"]))]
    pub allowed: Vec<String>,
    /// The filled fields, masked.
    pub fields: Vec<FormField>,
    /// Documents handed in.
    pub documents: Vec<DocumentView>,
    /// Automatic checks done.
    pub checks: Vec<CheckView>,
    /// Of the fields last asked about, those that the merchant sent again unchanged: confirmed as right.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub confirmed: Vec<String>,
    /// For a withdrawn one, in words: what of it is gone and what a new one begins with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
    /// Since when it is in this state.
    pub updated_at: String,
}

/// A document.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DocumentView {
    /// `doc_…`
    pub id: String,
    /// 材料代码, for example `licence`.
    pub kind: String,
    /// `accepted`, `unreadable`, `mismatch`, `expired`, `wrong_type`.
    pub outcome: String,
    /// Media type by content.
    pub media_type: String,
    /// Pixels.
    pub width: i64,
    /// Pixels.
    pub height: i64,
    /// Bytes as kept.
    pub bytes: i64,
}

/// One automatic check.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CheckView {
    /// `chk_…`
    pub id: String,
    /// `identity`, `licence`, `lists`, `age`, `names`.
    pub kind: String,
    /// `match`, `mismatch`, `inconclusive`.
    pub outcome: String,
    /// Who answered; `sandbox-…` for a simulator.
    pub adapter: String,
    /// When.
    pub at: String,
}

/// What the reviewer wants changed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InfoRequest {
    /// The only fields and documents that open again.
    pub fields: Vec<String>,
    /// Reason catalogue codes, for example `D401`.
    pub reasons: Vec<String>,
}

/// A refusal.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rejection {
    /// Reason catalogue codes; each points to a field and a remedy.
    pub reasons: Vec<String>,
}

/// An objection to a refusal.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Appeal {
    /// Why the refusal is wrong, in the merchant's own words.
    pub statement: String,
}

crate::redacted_debug!(Appeal {} hides { statement });

/// An agreement.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct AgreementView {
    /// `agr_…`
    pub id: String,
    /// `app_…`
    pub application_id: String,
    /// State name.
    pub state: String,
    /// The text to be signed.
    pub text: String,
    /// SHA-256 of that text, hex.
    pub sha256: String,
    /// Serial of the signature, once signed.
    pub signature: Option<String>,
}

crate::redacted_debug!(AgreementView { id, application_id, state, sha256, signature } hides { text });

/// The code from the signing SMS.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignCode {
    /// Six digits.
    pub code: String,
    /// SHA-256 of the text that was read, hex: what is signed is what was shown.
    pub sha256: String,
}

crate::redacted_debug!(SignCode { sha256 } hides { code });
