//! The names of everything that can still be missing, who provides it and what it blocks.

use crate::capability::CapabilityKind;
use crate::party::{Desk, Outside, Party};

use CapabilityKind as C;

/// What the form holds: nothing goes on without it.
const EVERYTHING: &[C] = C::ALL;
/// The decision about the merchant: everything but handing the application in.
const MERCHANT: &[C] =
    &[C::Ship, C::Activate, C::AcceptCard, C::AcceptQr, C::Refund, C::Settle, C::ChangeAccount];
/// Being known to the clearing institution and the card network.
const OPENING: &[C] = &[C::Activate, C::AcceptCard, C::AcceptQr, C::Refund, C::Settle];
/// Where the terminal goes.
const SENDING: &[C] = &[C::Ship, C::Activate, C::AcceptCard, C::AcceptQr, C::Refund];
/// A terminal that works.
const TERMINAL: &[C] = &[C::Activate, C::AcceptCard, C::AcceptQr, C::Refund];
/// A live settlement account.
const ACCOUNT: &[C] = &[C::Settle, C::ChangeAccount];
/// The account change itself.
const CHANGE: &[C] = &[C::ChangeAccount];

macro_rules! requirements {
    ($($(#[$doc:meta])* $code:ident $text:literal $party:expr, $impact:ident);+ $(;)?) => {
        crate::text_enum! {
            /// What is still missing (还差什么), in the order in which it is provided.
            pub enum RequirementCode { $($(#[$doc])* $code $text),+ }
        }
        impl RequirementCode {
            /// Who usually provides it.
            #[must_use]
            pub const fn awaiting(self) -> Party { match self { $(Self::$code => $party),+ } }
            /// What it usually blocks.
            #[must_use]
            pub const fn impact(self) -> &'static [CapabilityKind] { match self { $(Self::$code => $impact),+ } }
        }
    };
}

const YOU: Party = Party::Merchant;
const REVIEW: Party = Party::Us(Desk::Review);
const RISK: Party = Party::Us(Desk::Risk);
const OPERATIONS: Party = Party::Us(Desk::Operations);
const LOGISTICS: Party = Party::Us(Desk::Logistics);

requirements! {
    /// The contact number has not proved itself with a one-time code.
    ContactUnverified "contact_unverified" YOU, EVERYTHING;
    /// A form field is empty.
    FieldMissing "field_missing" YOU, EVERYTHING;
    /// A form field holds something wrong, or was flagged for correction.
    FieldInvalid "field_invalid" YOU, EVERYTHING;
    /// A document is missing.
    DocumentMissing "document_missing" YOU, EVERYTHING;
    /// A document was looked at and is not usable.
    DocumentUnusable "document_unusable" YOU, EVERYTHING;
    /// A statement of the merchant's is missing.
    ConsentMissing "consent_missing" YOU, EVERYTHING;
    /// The application has not been handed in.
    ApplicationUnsubmitted "application_unsubmitted" YOU, MERCHANT;
    /// The corrections have not been handed in.
    ApplicationUncorrected "application_uncorrected" YOU, MERCHANT;
    /// The automatic checks have not passed.
    ChecksRunning "checks_running" Party::ThirdParty(Outside::Verification), MERCHANT;
    /// A visit is not arranged.
    VisitUnarranged "visit_unarranged" YOU, MERCHANT;
    /// The visit has not been done.
    VisitPending "visit_pending" Party::Us(Desk::Field), MERCHANT;
    /// The review desk has not decided.
    ReviewPending "review_pending" REVIEW, MERCHANT;
    /// The subject has an application already.
    ApplicationFrozen "application_frozen" REVIEW, MERCHANT;
    /// The application was refused.
    ApplicationRejected "application_rejected" YOU, MERCHANT;
    /// An appeal is being decided.
    AppealPending "appeal_pending" RISK, MERCHANT;
    /// The application ended without a merchant: a new one is needed.
    ApplicationEnded "application_ended" YOU, MERCHANT;
    /// The agreement has not been offered.
    AgreementUnprepared "agreement_unprepared" OPERATIONS, MERCHANT;
    /// The agreement has not been signed.
    AgreementUnsigned "agreement_unsigned" YOU, MERCHANT;
    /// A channel has not registered the merchant.
    RegistrationPending "registration_pending" Party::ThirdParty(Outside::Registry), OPENING;
    /// A channel refused the merchant: we correct and report again.
    RegistrationRefused "registration_refused" OPERATIONS, OPENING;
    /// The delivery address has not been confirmed.
    AddressUnconfirmed "address_unconfirmed" YOU, SENDING;
    /// No device has been packed.
    DeviceUnpacked "device_unpacked" LOGISTICS, TERMINAL;
    /// The device has not arrived.
    DeviceInTransit "device_in_transit" Party::ThirdParty(Outside::Carrier), TERMINAL;
    /// The merchant has not confirmed seal and serial.
    ReceiptUnconfirmed "receipt_unconfirmed" YOU, TERMINAL;
    /// The parcel came back, was lost or damaged.
    DeliveryFailed "delivery_failed" LOGISTICS, TERMINAL;
    /// The device cannot be used.
    DeviceUnusable "device_unusable" LOGISTICS, TERMINAL;
    /// No terminal has used an activation code.
    ActivationUnstarted "activation_unstarted" YOU, TERMINAL;
    /// The activation code or session ran out.
    ActivationExpired "activation_expired" YOU, TERMINAL;
    /// An activation step failed.
    ActivationFailed "activation_failed" Party::Device, TERMINAL;
    /// No operator has a password.
    OperatorPinUnset "operator_pin_unset" YOU, TERMINAL;
    /// The activation has steps to go.
    ActivationUnfinished "activation_unfinished" Party::Device, TERMINAL;
    /// No settlement account has been verified.
    SettlementAccountUnverified "settlement_account_unverified" Party::ThirdParty(Outside::Bank), ACCOUNT;
    /// Another change of the account is open.
    AccountChangeOpen "account_change_open" YOU, CHANGE;
    /// A capability was paused.
    CapabilityPaused "capability_paused" RISK, CHANGE;
    /// A capability was refused.
    CapabilityRejected "capability_rejected" YOU, CHANGE;
}

impl RequirementCode {
    /// Whether only the activation itself provides it. Such an entry never keeps a terminal
    /// waiting, or it would wait for itself.
    #[must_use]
    pub const fn comes_with_activation(self) -> bool {
        matches!(
            self,
            Self::ActivationUnstarted
                | Self::ActivationExpired
                | Self::ActivationFailed
                | Self::OperatorPinUnset
                | Self::ActivationUnfinished
        )
    }
}
