# Starpay texts, English
# Same keys, order and arguments as zh-CN/starpay.ftl (a test compares). Each error says what happened, why, and what to do next.


## Brand, and what stands on every page

brand-name = Starpay
brand-line = The whole life of a POS terminal
sandbox-mark = Sandbox 沙箱 · sample data
sandbox-meaning = Every merchant, document, card number and terminal here is invented; no real payment can happen.
page-skip = Skip to the content
page-language = Language
page-about-licence = Licensed acquirer
page-licence = { $acquirer } · payment business licence { $licence }
page-licence-unset = Acquirer: not configured (demonstration; no real application is accepted)
page-licence-why = Give identity papers and bank cards only to the licensed institution above. Starpay is the software it runs; it never holds money.
page-version = Version { $version }
page-source = Open source · self-hosted
page-nav = Main sections

## The first page

home-title = A POS terminal, from application to active
home-lead = Starpay is an open platform for payment companies that put POS terminals into shops. Application, verification, signing, shipping, activation: at every moment the merchant sees who acts, how long it takes, and what is still missing.
home-for-title = Who it is for
home-for-merchant = Shop owners
home-for-merchant-text = One page says what is missing, who acts next and how long it takes. A refusal reopens only the item it names.
home-for-operator = Payment companies
home-for-operator-text = Review, verification, logistics and risk share one set of facts; every change keeps who, when and why.
home-for-integrator = Integrators
home-for-integrator-text = An open API and a virtual terminal: the first activation within ten minutes.

## The journey: one merchant, from application to the active terminal

journey-title = Live: one merchant, all the way
journey-merchant = How { $merchant } gets its terminal
journey-waiting = The demonstration is about to start. Each finished step adds a line here.
journey-running = Under way
journey-finished = Complete
journey-stopped = Stopped
journey-progress = { $done } of { $total } steps
journey-steps-done = { $done ->
        [one] { $done } step done
       *[other] { $done } steps done
    }
journey-elapsed = { $time } in all
journey-took = took { $time }
journey-change = { $machine }: { $from } → { $to }
journey-change-new = { $machine }: { $to }
journey-done = Done
journey-now = Now
journey-next = Next
journey-failed = Did not succeed
journey-live = Live
journey-reload = Reload this page to see the latest.
journey-offline = The live connection was lost and is being restored; reloading this page works too.
journey-absent-title = No demonstration runs here
journey-absent = Start it with starpay demo and this page plays one merchant live, from application to the active terminal.
duration-ms = { $n } ms
duration-s = { $n } s
duration-min = { $m } min { $s } s
wait-now = at once
wait-minutes = about { $n ->
        [one] { $n } minute
       *[other] { $n } minutes
    }
wait-hours = about { $n ->
        [one] { $n } hour
       *[other] { $n } hours
    }
wait-days = about { $n ->
        [one] { $n } day
       *[other] { $n } days
    }
phase-apply = Apply
phase-verify = Verify
phase-sign = Sign
phase-ship = Ship
phase-activate = Activate

## Why not yet

why-title = What is still missing
why-lead = What must happen before the terminal works. Owner, reviewer and terminal all see this same list.
why-count = { $n ->
        [one] { $n } item open
       *[other] { $n } items open
    }
why-none = Nothing is missing
why-none-text = Every condition is met; the terminal is ready for use.
why-unknown = Once there is an application, each item appears here with who acts and how long it takes.
why-cleared = { $n ->
        [one] { $n } item cleared
       *[other] { $n } items cleared
    }
why-who = Who acts
why-wait = Expected
why-blocks = Holds up
why-curve = Items still open after each step

## The virtual terminal as drawn

terminal-title = Virtual terminal
terminal-serial = Serial { $serial }
terminal-inactive = Not active
terminal-active = Active
terminal-waiting = Waiting for the merchant
terminal-out = Out of service
terminal-off = Not switched on yet
terminal-steps = Activation { $done } / { $total }
terminal-ready = The last step before taking payments is done
terminal-receipt = Receipt
terminal-receipt-test = Test transaction
terminal-receipt-amount = Amount CNY 0.00
terminal-receipt-ok = Approved

## The dev outbox (sandbox only)

outbox-title = Dev outbox
outbox-banner = Sandbox only: messages that would have been sent
outbox-banner-text = These SMS and e-mails would have gone to the merchant; they are shown as written so that the journey can be walked. A live deployment has no such page.
outbox-empty = No messages yet
outbox-empty-text = When the platform has something to tell the merchant, the SMS or e-mail appears here.
outbox-count = { $n ->
        [one] { $n } message
       *[other] { $n } messages
    }
outbox-sms = SMS
outbox-email = E-mail
outbox-to = To
outbox-at = Time
outbox-subject = Subject
outbox-back = Back to the first page
delivery-queued = Queued
delivery-sent = Sent
delivery-failed = Failed

## State machine: application

machine-application = Application
state-application-draft = Draft
state-application-submitted = Submitted
state-application-checking = Automatic checks
state-application-verifying = Awaiting the visit
state-application-in_review = In review
state-application-needs_info = More information needed
state-application-approved = Approved
state-application-to_be_signed = To be signed
state-application-signed = Signed
state-application-reporting = Being registered
state-application-ready = Ready
state-application-report_failed = Registration failed
state-application-rejected = Rejected
state-application-appealed = Appealed
state-application-upheld = Decision upheld
state-application-withdrawn = Withdrawn
state-application-frozen = Frozen
state-application-expired = Expired

## State machine: agreement

machine-agreement = Agreement
state-agreement-drafted = Drafted
state-agreement-prepared = Prepared
state-agreement-offered = Offered
state-agreement-sent = Sent for signing
state-agreement-viewed = Viewed
state-agreement-signed = Signed
state-agreement-declined = Declined
state-agreement-expired = Expired
state-agreement-superseded = Superseded
state-agreement-terminated = Terminated

## State machine: registration

machine-registration = Registration
state-registration-pending = Pending
state-registration-sent = Sent
state-registration-registered = Registered
state-registration-refused = Refused
state-registration-change_pending = Change being registered
state-registration-closing = Closing
state-registration-closed = Closed

## State machine: requirement

machine-requirement = Requirement
state-requirement-eventually_due = Needed later
state-requirement-currently_due = Needed now
state-requirement-past_due = Overdue
state-requirement-pending_verification = Being verified
state-requirement-satisfied = Met
state-requirement-errored = Verification failed

## State machine: capability

machine-capability = Capability
state-capability-unrequested = Not requested
state-capability-pending = Pending
state-capability-valid = Open
state-capability-invalid = Not available
state-capability-rejected = Rejected
state-capability-paused = Paused

## State machine: visit

machine-visit = Visit
state-visit-offered = Offered
state-visit-booked = Booked
state-visit-under_way = Under way
state-visit-done = Done
state-visit-no_show = Nobody there
state-visit-rebooked = Rebooked
state-visit-cancelled = Cancelled

## State machine: shipment

machine-shipment = Shipment
state-shipment-pending = Pending
state-shipment-ready_to_ship = Ready to ship
state-shipment-shipped = On its way
state-shipment-delivered = Delivered
state-shipment-received = Received
state-shipment-cancelled = Cancelled
state-shipment-undeliverable = Undeliverable
state-shipment-returned = Returned
state-shipment-lost_in_transit = Lost in transit
state-shipment-damaged = Damaged

## State machine: device

machine-device = Terminal
state-device-in_stock = In stock
state-device-reserved = Reserved
state-device-dispatched = Dispatched
state-device-delivered = Delivered
state-device-activating = Activating
state-device-active = Active
state-device-suspended = Suspended
state-device-consigned = Consigned
state-device-reassigning = Being reassigned
state-device-lost = Lost
state-device-tampered = Tampered
state-device-repair = In repair
state-device-retired = Retired

## State machine: activation

machine-activation = Activation
state-activation-code_issued = Code issued
state-activation-claimed = Code accepted
state-activation-identity_proven = Identity proven
state-activation-compatible = Compatible
state-activation-network_ok = Network in order
state-activation-located = Location confirmed
state-activation-backed_up = Backed up
state-activation-keys_loaded = Keys loaded
state-activation-config_applied = Configuration applied
state-activation-signed_in = Signed in
state-activation-pin_set = Operator PIN set
state-activation-tested = Test passed
state-activation-first_txn_pending = Awaiting the first payment
state-activation-active = Active
state-activation-waiting = Waiting for the merchant
state-activation-expired = Expired
state-activation-failed = Failed
state-activation-aborted = Aborted

## State machine: device identity

machine-device_auth = Device identity
state-device_auth-preauthorised = Pre-authorised
state-device_auth-pending = Pending
state-device_auth-accepted = Accepted
state-device_auth-rejected = Rejected

## State machine: key slot

machine-key_slot = Key slot
state-key_slot-empty = Empty
state-key_slot-loading = Loading
state-key_slot-loaded = Loaded
state-key_slot-rotating = Rotating
state-key_slot-failed = Failed
state-key_slot-revoked = Revoked

## Capabilities: what becomes possible

capability-apply = Apply
capability-ship = Shipping
capability-activate = Activation
capability-accept_card = Card payments
capability-accept_qr = QR payments
capability-refund = Refunds
capability-settle = Settlement
capability-change_account = Changing the account

## Who acts: as the merchant sees it

party-merchant = You
party-us = Us
party-third_party = Third party
party-device = The terminal

## Who acts: the desk

desk-intake = Intake
desk-checks = Automatic checks
desk-verification = Verification
desk-field_verification = Field verification
desk-review = Review
desk-signing = Signing service
desk-registry = Clearing registry
desk-clearing = Clearing institution
desk-logistics = Logistics
desk-warehouse = Warehouse
desk-courier = Courier
desk-risk = Risk
desk-finance = Finance
desk-bank = Bank
desk-support = Support
desk-operations = Operations
desk-platform = The platform
desk-terminal = The terminal

## Roles

role-applicant = Applicant
role-merchant = Merchant
role-field_verifier = Field verifier
role-reviewer = Reviewer
role-senior_reviewer = Senior reviewer
role-legal_representative = Legal representative
role-registry = Registry
role-warehouse = Warehouse
role-courier = Courier
role-terminal = Terminal
role-device = Terminal
role-platform = Platform
role-system = Platform
role-job = Platform job
role-risk = Risk officer
role-finance = Finance
role-support = Support
role-logistics = Logistics
role-admin = Administrator
role-auditor = Auditor
role-integrator = Integrator
role-signing_service = Signing service
role-manager = Manager
role-cashier = Cashier
role-anonymous = Visitor

## Documents

document-licence = Business licence
document-id_front = ID card, portrait side
document-id_back = ID card, emblem side
document-shop_front = Shop front
document-shop_inside = Inside the shop
document-cashier = Cash desk
document-settle_card = Settlement card, front
document-account_proof = Account proof
document-biz_proof = Proof of premises
document-visit_photo = Visit photo

## Steps of the journey

step-mobile_proved = Prove the mobile number
step-session_opened = Sign in
step-eligibility_checked = Check eligibility
step-application_started = Start the application
step-application_filled = Fill in the details
step-documents_uploaded = Upload documents and photos
step-application_submitted = Submit
step-checks_passed = Check licence and identity
step-visit_offered = Offer a visit
step-visit_booked = Book the visit
step-visit_started = Arrive at the shop
step-visit_done = Finish the visit
step-review_started = Claim for review
step-application_approved = Approve
step-fees_confirmed = Confirm the fees
step-agreement_prepared = Prepare the agreement
step-agreement_signed = Sign the agreement
step-registration_sent = Send the registration
step-registered = Register at the clearing institution
step-merchant_ready = Merchant ready
step-address_confirmed = Confirm the address
step-device_stocked = Take the terminal into stock
step-device_reserved = Reserve a terminal
step-shipment_prepared = Pack the parcel
step-shipped = Hand to the courier
step-delivered = Deliver
step-received = Check the seal and sign for it
step-code_issued = Issue the activation code
step-claimed = Enter the activation code
step-identity_proven = Prove the device identity
step-compatible = Check the model
step-network_ok = Test the network
step-located = Confirm the location
step-backed_up = Back up the merchant data
step-keys_loaded = Load the keys
step-config_applied = Apply the configuration
step-signed_in = Sign the terminal in
step-pin_set = Set the operator PIN
step-tested = Run the test transaction
step-active = Terminal active

## Errors of API and pages: what happened, why, what to do

error-validation_failed = Something in the request is not right.
    .remedy = Correct the field that is named; leave the rest as it is.
error-not_found = What you asked for does not exist, or is not yours to see.
    .remedy = Check the address or id, or open it again from the list.
error-method_not_allowed = This address does not support that method.
    .remedy = Use the method the API description gives.
error-forbidden = Your account may not do this.
    .remedy = Ask a colleague who may, or your administrator.
error-unauthenticated = You are not signed in, or the sign-in has expired.
    .remedy = Sign in again, then repeat.
error-conflict = Somebody else has just changed this, or it clashes with an existing record.
    .remedy = Reload, look at the present content, then decide.
error-stale_version = What you were looking at has changed since.
    .remedy = Reload and repeat the step on the present version.
error-illegal_transition = The present state does not allow this step.
    .remedy = Take one of the steps listed as allowed.
error-idempotency_mismatch = This idempotency key was already used with another body.
    .remedy = Use a new idempotency key for a new request.
error-idempotency_in_flight = The same request is still being processed.
    .remedy = Wait a moment, then ask again with the same key.
error-idempotency_key_missing = The request has no idempotency key.
    .remedy = Send an Idempotency-Key header, new and random for each new request.
error-idempotency_key_invalid = The idempotency key is malformed.
    .remedy = Use 1 to 128 visible ASCII characters.
error-rate_limited = Too many requests in a short time.
    .remedy = Wait for the time given, then try again.
error-too_large = The content is larger than allowed.
    .remedy = Make the file smaller or send it in parts; photos up to 10 MB.
error-length_required = The request does not say how long its content is.
    .remedy = Send a Content-Length header.
error-truncated = The upload ended before the whole file had arrived.
    .remedy = Check the network and upload this one file again.
error-unsupported_media = This kind of file is not supported.
    .remedy = Upload a JPG, PNG or WebP picture instead.
error-image_too_large = The picture has too many pixels.
    .remedy = Reduce the picture to at most 40 million pixels and upload it again.
error-image_too_small = The picture is too small to read.
    .remedy = Take it again from closer; both sides need at least 800 pixels.
error-image_unreadable = The picture cannot be opened; it may be damaged.
    .remedy = Take a new picture and upload it.
error-utf8_invalid = The text is not valid UTF-8.
    .remedy = Send it again as UTF-8.
error-json_invalid = The request is not well-formed JSON, or a field has the wrong type.
    .remedy = Check the field that is named against the API description and send again.
error-cursor_invalid = The page cursor is not valid.
    .remedy = Start again from the first page.
error-timeout = The request took too long; its result is not known yet.
    .remedy = Ask again with the same idempotency key; nothing is done twice.
error-unavailable = The service is not available right now.
    .remedy = Try again shortly; nothing already submitted is lost.
error-internal = Something went wrong on our side; we have been alerted.
    .remedy = Try again later; if it persists, give support the request id.
error-code_invalid = The one-time code is not right.
    .remedy = Enter the six digits of the latest message.
error-code_expired = The one-time code has expired.
    .remedy = Ask for a new code.
error-code_locked = Too many wrong codes; this one is void.
    .remedy = Wait a little, then ask for a new code.
error-self_approval = Whoever submitted an application cannot decide on it.
    .remedy = Ask another reviewer.
error-duplicate_application = This business already has an application.
    .remedy = Open the existing application and go on there.
error-duplicate_document = This picture has already been used elsewhere.
    .remedy = Take a new picture on the spot.
error-eligibility_refused = The conditions for applying are not met.
    .remedy = See the condition that is named; apply again once it is met.
error-licence_unset = No licensed acquirer is configured here, so no real application can be accepted.
    .remedy = Ask whoever runs this deployment to complete its configuration.
error-activation_code_invalid = The activation code is not right.
    .remedy = Enter it again digit by digit; it has no letters I, L, O or U. If it still fails, the owner can request a new one.
error-activation_code_expired = The activation code has expired.
    .remedy = The owner can request a new code.
error-activation_code_used = The activation code has already been used.
    .remedy = If it was this terminal, restart it and it goes on by itself; otherwise the owner can request a new code.
error-activation_code_locked = Too many wrong codes; entry is locked for a while.
    .remedy = Try again in 30 minutes, or let the owner request a new code.
error-activation_code_mismatch = This code was issued for another terminal.
    .remedy = Compare the serial number on the back and use the code that belongs to it.
error-activation_expired = This activation ran out of time.
    .remedy = The owner can request a new code; then start again.
error-activation_unknown = This activation does not exist.
    .remedy = Enter the activation code on the terminal again.
error-serial_unknown = This serial number is not in our stock.
    .remedy = Scan the label on the back, not the box; check O against 0 and I against 1.
error-serial_bound_elsewhere = This terminal is registered to another merchant.
    .remedy = A terminal belongs to one merchant only. Ask the sender for another; do not buy second-hand.
error-serial_not_bound = This terminal is not yet registered to your shop.
    .remedy = Confirm the delivery first, then activate.
error-device_locked = This terminal is locked and cannot be activated.
    .remedy = Call support; do not open the device.
error-device_unknown = The platform does not know this terminal's key.
    .remedy = Activate it again with an activation code.
error-device_auth_rejected = This terminal's identity has been rejected.
    .remedy = Call support to check the serial number.
error-device_incompatible = This model or its software version is not suitable.
    .remedy = Update the terminal as shown, or use another one.
error-identity_invalid = The device could not prove its identity.
    .remedy = Restart and try once more; if it fails again, exchange the terminal.
error-csr_invalid = The device's certificate request is not valid.
    .remedy = Restart and try again; if it fails, update the terminal software.
error-challenge_mismatch = The device answered another challenge.
    .remedy = Start again from the activation code.
error-network_leg_failed = One leg of the network test failed.
    .remedy = See which leg is named; change Wi-Fi or SIM, set the clock, and test again.
error-location_unknown = No position could be determined.
    .remedy = Switch positioning on and try again outdoors or at a window.
error-location_too_far = The terminal is too far from the registered shop.
    .remedy = Try again inside the shop; if it has moved, change its address first.
error-backup_mismatch = The backup's checksum does not match.
    .remedy = Download the backup again and confirm it.
error-key_check_failed = The key check value does not match; the key was not put into use.
    .remedy = Change the network and load the keys again; after two failures call support.
error-key_version_stale = This is not the latest key version.
    .remedy = Load the keys again.
error-config_mismatch = The configuration on the terminal differs from the platform's.
    .remedy = Download the configuration again.
error-amount_invalid = The amount must be zero in this step.
    .remedy = Try again with 0.00; activation never needs a real card.
error-pin_weak = This operator PIN is too easy to guess.
    .remedy = Avoid sequences, repeated digits and parts of a phone number; choose six other digits.
error-pin_format = The operator PIN must be six digits.
    .remedy = Enter six digits.
error-pin_wrong = The operator PIN is wrong.
    .remedy = Try again; if it is forgotten, the owner can reset it.
error-operator_unknown = There is no such operator.
    .remedy = Check the operator number.
error-operator_locked = Too many wrong PINs; the operator is locked for a while.
    .remedy = Wait for the time given, or ask the owner to reset the PIN.
error-nonce_replayed = This request has been received before.
    .remedy = The terminal repeats it with a new nonce; if it keeps happening call support.
error-signature_invalid = The request's signature is not valid.
    .remedy = Restart and try again; if it fails, activate the terminal again.
error-clock_skew = The terminal's clock is more than five minutes off.
    .remedy = Switch automatic time on, or set date and time by hand.
