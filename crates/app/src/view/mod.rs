//! What the API says and takes: version 1's wire types.
//!
//! They are filled by the use cases, already masked; `web` only serialises them. Times are
//! RFC 3339 UTC, amounts integer fen, ids prefixed, personal numbers masked.

mod intake;
mod journey;
mod operations;
mod terminal;

pub use intake::{
    AgreementView, Appeal, ApplicationView, CheckView, ContactStarted, DocumentView, FormField, InfoRequest,
    Me, NewApplication, PatchApplication, Rejection, SessionView, SignCode, StartContact, VerifyContact,
};
pub use journey::{EventView, LookView, Page, RequirementView, RequirementsView, TimelineView};
pub use operations::{
    AccessKeyCreated, AccessKeyView, ActivationRequest, ActivationView, AddressConfirmation, BookVisit,
    CertificateRecall, DeviceView, FinishVisit, HandOver, NewAccessKey, NewDevice, OverdueView, PackShipment,
    Receipt, RegistrationResult, RegistrationView, ShipmentView, TrackReport, VisitView, WorkView,
};
pub use terminal::{
    BackupAcknowledgement, BackupDocument, CertificateConfirmation, CertificateRenewal, CertificateView,
    Claim, Claimed, CompatibilityReport, ConfigAcknowledgement, DeviceConfig, IdentityProof, KeyConfirmation,
    KeyRequest, KeyStatement, Leg, LocationReport, NetworkReport, OperatorSetting, PinEnvelope, PinSetting,
    PinVerification, RenewedCertificate, SignIn, StepFailure, TerminalReceipt, TerminalStatus, TestCall,
    VerifyOperator, WaitingFor,
};

/// A list page, oldest first: `{data, next_cursor}`.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct List<T> {
    /// The rows.
    pub data: Vec<T>,
    /// Give this back as `cursor` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}
