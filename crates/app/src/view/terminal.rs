//! `/terminal/v1`: see `docs/protocol/terminal-control.md`. Binary values are base64url text.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Step 1: the terminal shows its code.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The activation code as typed.
    pub code: String,
    /// TUSN.
    pub serial: String,
    /// Model.
    pub model: String,
    /// Firmware version.
    pub firmware: String,
    /// Sign key, SPKI DER.
    pub sign_key: String,
    /// X25519 envelope key, 32 bytes.
    pub envelope_key: String,
    /// 16 bytes.
    pub device_nonce: String,
}

// The code is a secret until it is used: it goes into no log.
crate::redacted_debug!(Claim { serial, model, firmware, sign_key, envelope_key, device_nonce } hides { code });

/// The claim is good.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Claimed {
    /// Status.
    #[serde(flatten)]
    pub status: TerminalStatus,
    /// `dau_…`
    pub device_auth_id: String,
    /// 32 bytes to be signed.
    pub challenge: String,
    /// 16 bytes.
    pub server_nonce: String,
}

/// What every activation answer says.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TerminalStatus {
    /// `act_…`
    pub activation_id: String,
    /// `dev_…`
    pub device_id: String,
    /// State name.
    pub state: String,
    /// 已激活 or 未激活, in the reader's language.
    pub status_text: String,
    /// The step to do next, if any.
    pub next_step: Option<String>,
    /// Steps done.
    pub completed: Vec<String>,
    /// What it waits for, when the merchant is not ready.
    pub waiting: Vec<WaitingFor>,
    /// Name on the terminal's screen.
    pub merchant_name: String,
    /// When an unfinished activation ends.
    pub expires_at: Option<String>,
    /// Why it failed, in `failed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<StepFailure>,
    /// Proof of activation, once active.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<TerminalReceipt>,
    /// The terminal's certificate, once it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateView>,
}

/// A terminal's certificate: until when, and who acts next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CertificateView {
    /// Serial number, hexadecimal.
    pub serial: String,
    /// Its end.
    #[schema(example = "2027-11-23T02:00:00Z")]
    pub until: String,
    /// From when on it is renewed.
    #[schema(example = "2027-09-24T02:00:00Z")]
    pub renew_from: String,
    /// `in_force`, `due` (in force and to be renewed now), `recalled` or `ended` (no longer in
    /// force, to be renewed now), `over` (only a new activation helps).
    #[schema(example = "in_force")]
    pub standing: String,
    /// Who acts next: `device` renews by itself, `us:operations` arranges a new activation; absent
    /// while all is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awaiting: Option<String>,
}

/// Ask for the certificate that follows the present one.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateRenewal {
    /// PKCS#10 DER for a new TLS key, naming the terminal's serial.
    pub csr: String,
}

/// The certificate that follows the present one, once confirmed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RenewedCertificate {
    /// DER.
    pub certificate: String,
    /// DER of the certificate that issued it.
    pub ca: String,
    /// Hexadecimal.
    pub certificate_serial: String,
    /// Its end.
    pub not_after: String,
}

/// The new certificate is installed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateConfirmation {
    /// Hexadecimal.
    pub certificate_serial: String,
}

/// One open requirement, for a small screen.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct WaitingFor {
    /// Stable code.
    pub code: String,
    /// Who must act: `merchant`, `device`, `us:<desk>`, `third_party:<who>`.
    pub awaiting: String,
    /// The same in words, in the reader's language.
    pub who: String,
    /// `eventually_due`, `currently_due`, `past_due`, `pending_verification`.
    pub status: String,
    /// What is missing, in the reader's language, the field's label first.
    pub message: String,
    /// What to do, in the reader's language.
    pub remedy: String,
    /// Capabilities it blocks.
    pub impact: Vec<String>,
    /// Seconds it usually takes.
    pub expected_wait_s: Option<i64>,
}

/// Step 2.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentityProof {
    /// As in the claim.
    pub device_nonce: String,
    /// From the claim's answer.
    pub server_nonce: String,
    /// From the claim's answer.
    pub challenge: String,
    /// PKCS#10 DER.
    pub csr: String,
    /// The sign key's signature.
    pub proof: String,
}

/// Step 3.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompatibilityReport {
    /// Model.
    pub model: String,
    /// Firmware version.
    pub firmware: String,
    /// Has a printer.
    pub printer: bool,
    /// Can find its position.
    pub positioning: bool,
    /// Free storage.
    pub free_kib: i64,
}

/// One leg of the network self-test.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Leg {
    /// `resolve`, `connect`, `tls`, `http`, `clock`, `throughput`.
    pub leg: String,
    /// Whether it held.
    pub ok: bool,
    /// How long it took.
    pub ms: i64,
    /// Anything to note, in a few words.
    #[serde(default)]
    pub detail: String,
}

/// Step 4.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkReport {
    /// All six.
    pub legs: Vec<Leg>,
}

/// Step 5.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LocationReport {
    /// Degrees × 10⁶.
    pub latitude_e6: i64,
    /// Degrees × 10⁶.
    pub longitude_e6: i64,
    /// Metres.
    pub accuracy_m: i64,
    /// `gnss`, `cell`, `wifi`, `fixed`.
    pub source: String,
}

/// Step 6: what the merchant keeps.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BackupDocument {
    /// The document, base64url.
    pub document: String,
    /// SHA-256, hex.
    pub sha256: String,
}

/// Step 6: kept.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupAcknowledgement {
    /// SHA-256 of what was kept, hex.
    pub sha256: String,
}

/// Step 7a.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyRequest {
    /// 16 new bytes.
    pub device_nonce: String,
}

/// Step 7a: the signed statement.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct KeyStatement {
    /// JSON bytes, base64url.
    pub statement: String,
    /// 64 bytes.
    pub signature: String,
    /// Signer's certificate, DER.
    pub signer: String,
}

/// Step 7b.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyConfirmation {
    /// As in the statement.
    pub key_version: i64,
    /// Six hexadecimal digits.
    pub kcv: String,
    /// Hexadecimal.
    pub certificate_serial: String,
}

/// Step 8: configuration.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DeviceConfig {
    /// Version.
    pub version: i64,
    /// SHA-256 of the values' canonical JSON, hex.
    pub sha256: String,
    /// Name to value.
    pub values: std::collections::BTreeMap<String, String>,
}

/// Step 8: applied.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigAcknowledgement {
    /// Version applied.
    pub version: i64,
    /// Its hash.
    pub sha256: String,
}

/// Step 9.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// Version of the key in use.
    pub key_version: i64,
    /// Always 0.
    pub amount_fen: i64,
}

/// A PIN that only the platform can open.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PinEnvelope {
    /// HPKE encapsulated key.
    pub enc: String,
    /// HPKE ciphertext.
    pub ct: String,
}

/// One operator.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OperatorSetting {
    /// Two to four digits.
    pub number: String,
    /// `manager` or `cashier`.
    pub role: String,
    /// 操作员密码.
    pub pin: PinEnvelope,
}

/// Step 10.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PinSetting {
    /// At least one manager.
    pub operators: Vec<OperatorSetting>,
}

/// Step 11.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TestCall {
    /// Always 0.
    pub amount_fen: i64,
    /// Version of the key in use.
    pub key_version: i64,
    /// Whether the slip came out.
    pub printed: bool,
}

/// Proof of activation, ready to be printed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TerminalReceipt {
    /// Lines of at most 40 characters.
    pub lines: Vec<String>,
}

/// Why an activation stands still.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StepFailure {
    /// The step that failed.
    pub step: String,
    /// Reason catalogue code.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What to do next.
    pub remedy: String,
}

/// An operator signs in at the terminal.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyOperator {
    /// Two to four digits.
    pub number: String,
    /// 操作员密码.
    pub pin: PinEnvelope,
}

/// The PIN was right.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PinVerification {
    /// Always true; a wrong PIN is an error.
    pub ok: bool,
    /// Role of the operator.
    pub role: String,
}
