//! Visits, registrations, shipments, devices, activation codes, credentials.

use super::CertificateView;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A visit.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct VisitView {
    /// `vis_…`
    pub id: String,
    /// `app_…`
    pub application_id: String,
    /// `mer_…`
    pub merchant_id: String,
    /// State name.
    pub state: String,
    /// Version for `If-Match`.
    pub version: i64,
    /// Booked for: the beginning of the slot. A visit may be carried out before it, when both are
    /// there.
    pub booked_for: Option<String>,
    /// When the visitor really began, once they have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// When the visitor reported, once they have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<String>,
}

/// Choose a time.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BookVisit {
    /// The slot begins: RFC 3339, at most 30 days ahead (policy `visit_booking_days`).
    pub from: String,
    /// The slot ends.
    pub until: String,
}

/// What the verifier found.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FinishVisit {
    /// `pass` or `fail`.
    pub result: String,
    /// Reason codes when it failed.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// Where the verifier stood, degrees × 10⁶.
    pub latitude_e6: i64,
    /// Degrees × 10⁶.
    pub longitude_e6: i64,
    /// The notice about lending and selling terminals was read out and confirmed.
    pub risk_notice_confirmed: bool,
}

/// A registration at one channel.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RegistrationView {
    /// `reg_…`
    pub id: String,
    /// `app_…`
    pub application_id: String,
    /// `mer_…`
    pub merchant_id: String,
    /// `clearing`, `unionpay`, …
    pub channel: String,
    /// State name.
    pub state: String,
    /// 商户编号.
    pub merchant_no: Option<String>,
    /// 终端号.
    pub terminal_no: Option<String>,
}

/// What the registry decided.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegistrationResult {
    /// `registered` or `refused`.
    pub result: String,
    /// The registry's own reference.
    pub network_ref: String,
    /// 商户编号, when registered.
    pub merchant_no: Option<String>,
    /// 终端号, when registered.
    pub terminal_no: Option<String>,
    /// Why, when refused.
    pub reason: Option<String>,
    /// The form field to correct, when refused.
    pub field: Option<String>,
}

/// A shipment.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ShipmentView {
    /// `shp_…`
    pub id: String,
    /// `app_…`
    pub application_id: String,
    /// `mer_…`
    pub merchant_id: String,
    /// State name.
    pub state: String,
    /// Whether the merchant has confirmed the address.
    pub address_confirmed: bool,
    /// Serial of the terminal packed.
    pub serial: Option<String>,
    /// Carrier's number, from the hand-over on, also after the receipt; none once the parcel is back.
    pub tracking_no: Option<String>,
    /// Version for `If-Match`.
    pub version: i64,
}

/// The merchant confirms where the parcel goes.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddressConfirmation {
    /// The address, if it is not the shop's.
    pub address: Option<String>,
}

crate::redacted_debug!(AddressConfirmation {} hides { address });

/// The warehouse packs a terminal.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PackShipment {
    /// Serial read off the terminal (TUSN).
    pub serial: String,
    /// Number of the tamper-evident seal.
    pub seal: String,
}

/// The warehouse hands the parcel over.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandOver {
    /// The carrier, for example `sandbox`.
    pub carrier: String,
    /// The carrier's number, when the carrier gave one at the counter; absent = order a pick-up.
    pub tracking_no: Option<String>,
}

/// The carrier reports.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrackReport {
    /// `delivered`, `undeliverable`, `returned`, `lost`.
    pub status: String,
}

/// The merchant has the parcel in hand.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Serial read off the terminal.
    pub serial: String,
    /// Whether the seal was whole.
    pub seal_intact: bool,
}

/// A terminal taken into stock.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDevice {
    /// TUSN.
    #[schema(example = "99990004STAR00000001")]
    pub serial: String,
    /// Model of the catalogue.
    #[schema(example = "STAR-A1")]
    pub model: String,
}

/// A terminal.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DeviceView {
    /// `dev_…`
    pub id: String,
    /// TUSN.
    pub serial: String,
    /// Model.
    pub model: String,
    /// State name.
    pub state: String,
    /// 已激活 or 未激活, in the reader's language.
    pub status_text: String,
    /// Its certificate, once it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateView>,
    /// Version for `If-Match`.
    pub version: i64,
}

/// Take a terminal's certificate back: its key may be known to others.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateRecall {
    /// What happened, for the record: 1 to 200 characters.
    #[schema(example = "the memory of the terminal was read out in the workshop")]
    pub reason: String,
}

/// Ask for an activation code; it goes out by SMS, never in this answer.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivationRequest {
    /// Serial of the terminal.
    pub serial: String,
}

/// An activation.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ActivationView {
    /// `act_…`
    pub id: String,
    /// `dev_…`
    pub device_id: String,
    /// Serial.
    pub serial: String,
    /// State name.
    pub state: String,
    /// Steps done.
    pub completed: Vec<String>,
    /// The code's end.
    pub code_expires_at: Option<String>,
    /// Where the code was sent, masked.
    pub code_sent_to: Option<String>,
    /// Strangers tried it too often: it is good only from the network it was asked from, and for a
    /// terminal that is known. Anywhere else, ask for a new one.
    #[serde(default)]
    pub code_frozen: bool,
    /// Version for `If-Match`.
    pub version: i64,
}

/// A credential for staff, a carrier, a registry or an integrator.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAccessKey {
    /// Role.
    pub role: String,
    /// For people to tell keys apart.
    pub label: String,
    /// The merchant an integrator's key acts for.
    pub merchant_id: Option<String>,
    /// What a partner's key is bound to: a courier's carrier, as parcels are handed over to it; a
    /// registry's channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

/// A key of staff, a partner or an integrator. Its token is kept nowhere.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AccessKeyView {
    /// `ak_…`
    pub id: String,
    /// Role.
    #[schema(example = "warehouse")]
    pub role: String,
    /// For people to tell keys apart.
    pub label: String,
    /// The merchant it acts for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant_id: Option<String>,
    /// The carrier or channel it is bound to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// `good`, `expired` or `revoked`.
    #[schema(example = "good")]
    pub state: String,
    /// When it was made: RFC 3339.
    pub created_at: String,
    /// When it was ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
}

/// The key, shown once.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct AccessKeyCreated {
    /// `ak_…`
    pub id: String,
    /// Bearer token.
    pub token: String,
    /// Role.
    pub role: String,
}

crate::redacted_debug!(AccessKeyCreated { id, role } hides { token });

/// Something whose time is over and which still waits for somebody.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OverdueView {
    /// Its id, for example `reg_…`.
    pub id: String,
    /// Its machine, for example `registration`.
    pub aggregate: String,
    /// The state it has been in for too long.
    pub state: String,
    /// Whose it is, `mer_…`; absent for the platform's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant_id: Option<String>,
    /// Who must act: `merchant`, `device`, `us:<desk>` or `third_party:<who>`.
    #[schema(example = "us:review")]
    pub waits_for: String,
    /// When it should have been done: RFC 3339.
    pub due_at: String,
    /// When it was found to be late.
    pub told_at: String,
}

/// Work for later: a job, or something to be sent.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct WorkView {
    /// `job_…`
    pub id: String,
    /// `job` (what we do ourselves) or `outbox` (what is told to others).
    #[schema(example = "job")]
    pub queue: String,
    /// What is to be done.
    #[schema(example = "send_registration")]
    pub topic: String,
    /// What it is about, for example `reg_…`; absent when it is about nothing in particular.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Whose it is, `mer_…`; absent for the platform's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant_id: Option<String>,
    /// `waiting` or `dead`.
    #[schema(example = "dead")]
    pub state: String,
    /// Tries so far.
    pub attempts: i64,
    /// When it is, or was, due: RFC 3339.
    pub due_at: String,
    /// When it was ordered.
    pub created_at: String,
    /// Why the last try failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}
