//! The names of everything that can still be missing.

crate::text_enum! {
    /// What is still missing (还差什么).
    pub enum RequirementCode {
        /// The contact number has not proved itself with a one-time code.
        ContactUnverified "contact_unverified",
        /// A form field is empty.
        FieldMissing "field_missing",
        /// A form field holds something wrong, or was flagged for correction.
        FieldInvalid "field_invalid",
        /// A document is missing.
        DocumentMissing "document_missing",
        /// A document was looked at and is not usable.
        DocumentUnusable "document_unusable",
        /// A document is being checked.
        DocumentUnderCheck "document_under_check",
        /// A statement of the merchant's is missing.
        ConsentMissing "consent_missing",
        /// The application has not been handed in.
        ApplicationUnsubmitted "application_unsubmitted",
        /// The corrections have not been handed in.
        ApplicationUncorrected "application_uncorrected",
        /// The automatic checks run.
        ChecksRunning "checks_running",
        /// A visit is not arranged.
        VisitUnarranged "visit_unarranged",
        /// An arranged visit has not been done.
        VisitPending "visit_pending",
        /// The review desk has not decided.
        ReviewPending "review_pending",
        /// The subject has an application already.
        ApplicationFrozen "application_frozen",
        /// The application was refused.
        ApplicationRejected "application_rejected",
        /// An appeal is being decided.
        AppealPending "appeal_pending",
        /// The application ended without a decision.
        ApplicationEnded "application_ended",
        /// The agreement has not been offered.
        AgreementUnprepared "agreement_unprepared",
        /// The agreement has not been signed.
        AgreementUnsigned "agreement_unsigned",
        /// A channel has not registered the merchant.
        RegistrationPending "registration_pending",
        /// A channel refused the merchant.
        RegistrationRefused "registration_refused",
        /// The delivery address has not been confirmed.
        AddressUnconfirmed "address_unconfirmed",
        /// No device has been packed.
        DeviceUnpacked "device_unpacked",
        /// The device is on its way.
        DeviceInTransit "device_in_transit",
        /// The merchant has not confirmed seal and serial.
        ReceiptUnconfirmed "receipt_unconfirmed",
        /// The parcel came back, was lost or damaged.
        DeliveryFailed "delivery_failed",
        /// The device cannot be used.
        DeviceUnusable "device_unusable",
        /// No activation code has been issued.
        ActivationUnstarted "activation_unstarted",
        /// The activation has steps to go.
        ActivationUnfinished "activation_unfinished",
        /// An activation step failed.
        ActivationFailed "activation_failed",
        /// The activation code or session ran out.
        ActivationExpired "activation_expired",
        /// No operator has a password.
        OperatorPinUnset "operator_pin_unset",
        /// No settlement account is live.
        SettlementAccountMissing "settlement_account_missing",
        /// The settlement account is being verified.
        SettlementAccountUnverified "settlement_account_unverified",
        /// Another change of the account is open.
        AccountChangeOpen "account_change_open",
        /// The capability was paused.
        CapabilityPaused "capability_paused",
    }
}
