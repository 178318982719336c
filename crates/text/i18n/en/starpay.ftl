# Starpay texts, English
# Same keys, order and arguments as zh-CN/starpay.ftl (a test compares). Each error says what happened, why, and what to do next.


## Brand, and what stands on every page

brand-name = Starpay
sandbox-mark = Sandbox 沙箱 · sample data
sandbox-meaning = Every merchant, document, card number and terminal here is invented; no real payment can happen.
page-skip = Skip to the content
page-licence = { $acquirer } · payment business licence { $licence }
page-licence-unset = Acquirer: not configured (demonstration; no real application is accepted)
page-licence-why = Give identity papers and bank cards only to the licensed institution above. Starpay is the software it runs; it never holds money.
page-version = Version { $version }
page-source = Open source · self-hosted
page-nav = Main sections
lost-home = To the first page

## The first page

home-title = A POS terminal, from application to active
home-lead = Starpay is an open platform for payment companies that put POS terminals into shops. Application, verification, signing, shipping, activation: at every moment the merchant sees who acts, how long it takes, and what is still missing.
home-for-title = Who it is for
home-for-merchant = Shop owners
home-for-merchant-text = At any moment they can ask what is missing, who acts next and how long it takes. A refusal reopens only the item it names.
home-for-operator = Payment companies
home-for-operator-text = Review, verification, logistics and risk share one set of facts; every change keeps who, when and why.
home-for-integrator = Integrators
home-for-integrator-text = An open API and a virtual terminal: the first activation within ten minutes.
home-api = API document (OpenAPI)
home-guide = The guide is in the sources:

## The journey: one merchant, from application to the active terminal

journey-title = Live: one merchant, all the way
journey-merchant = How { $merchant } gets its terminal
journey-waiting = The demonstration is about to start. Each finished step adds a line here.
journey-not-begun = Waiting to start
journey-running = Under way
journey-finished = Complete
journey-stopped = Stopped
journey-steps-done = { $done ->
        [one] { $done } step done
       *[other] { $done } steps done
    }
journey-elapsed = { $time } in all
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
why-count = { $n ->
        [one] { $n } item open
       *[other] { $n } items open
    }
why-more = { $n } more
why-none = Nothing is missing
why-none-text = Every condition is met; the terminal is ready for use.
why-unknown = Once there is an application, each item appears here with who acts and how long it takes.
why-cleared = { $n ->
        [one] { $n } item cleared
       *[other] { $n } items cleared
    }
why-who = Who acts
why-wait = Expected
why-blocks = Holds up: { $list }
list-separator = { ", " }
why-curve = Items still open after each step

## The virtual terminal as drawn

terminal-title = Virtual terminal
terminal-serial = Serial { $serial }
terminal-inactive = Not active
terminal-active = Active
terminal-waiting = Waiting for the merchant
terminal-out = Out of service
terminal-off = Not switched on yet
terminal-steps = { $done } / { $total }
terminal-ready = Test transaction passed
terminal-receipt-test = Test transaction
terminal-receipt-amount = Amount CNY 0.00
terminal-receipt-ok = Approved
receipt-merchant_no = Merchant { $value }
receipt-terminal_no = Terminal { $value }
receipt-serial = Serial { $value }
receipt-time = Time { $value }

## The dev outbox (sandbox only)

outbox-title = Dev outbox
outbox-banner = Sandbox only: none of these was really sent
outbox-banner-text = SMS and e-mails as the merchant would have read them. A live deployment has no such page.
outbox-empty = No messages yet
outbox-empty-text = When the platform has something to tell the merchant, the SMS or e-mail appears here.
outbox-count = { $n ->
        [one] { $n } message
       *[other] { $n } messages
    }
outbox-sms = SMS
outbox-email = E-mail
outbox-to = To
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
state-agreement-offered = To be signed
state-agreement-signed = Signed
state-agreement-expired = Expired
state-agreement-superseded = Superseded

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

## Who acts: the desk, or somebody outside

desk-review = Review
desk-field = Field team
desk-logistics = Logistics
desk-risk = Risk
desk-support = Support
desk-finance = Finance
desk-operations = Operations
desk-registry = Clearing institution
desk-network = Card network or wallet
desk-carrier = Courier
desk-bank = Bank
desk-signing = Signing service
desk-verification = Verification service

## Roles

role-applicant = Merchant
role-merchant = Merchant
role-legal_representative = Signer
role-signer = Signer
role-field_verifier = Field verifier
role-reviewer = Reviewer
role-warehouse = Warehouse
role-courier = Courier
role-registry = Registry
role-integrator = Integrator
role-support = Support
role-admin = Administrator
role-terminal = Terminal
role-platform = Platform
role-system = Platform
role-manager = Manager
role-cashier = Cashier

## Documents

document-licence = Business licence
document-id_front = ID card, portrait side
document-id_back = ID card, emblem side
document-shop_front = Shop front
document-shop_inside = Inside the shop
document-cashier = Cash desk
document-settle_card = Settlement card, front
document-biz_proof = Proof of premises
document-tax_reg = Tax registration
document-id_alt = Other identity document
document-liveness = Proof of presence
document-acct_proof = Account proof
document-settle_auth = Settlement authority
document-agent_auth = Agent's authority
document-ubo = Beneficial owners
document-special_permit = Trade permit
document-agreement = Agreement
document-risk_notice = Risk notice
document-onsite_visit = Visit record
document-video_verify = Video record

## Steps of the journey

step-application_started = Start the application
step-application_filled = Fill in details, upload documents
step-application_submitted = Submit the application
step-checks_passed = Check licence and identity
step-visit_booked = Book the visit
step-visit_started = Visit the shop
step-visit_done = Finish the visit
step-review_started = Claim for review
step-application_approved = Approve
step-agreement_signed = Sign the agreement
step-registration_sent = Send both registrations
step-registered = Register at clearing institution and UnionPay
step-merchant_ready = Open the merchant
step-address_confirmed = Confirm the address
step-shipment_prepared = Pack and bind the terminal
step-shipped = Hand to the courier
step-delivered = Deliver
step-received = Check the seal, sign for it
step-code_issued = Ask for the activation code
step-claimed = Enter the activation code
step-identity_proven = Prove the device identity
step-compatible = Check the model
step-network_ok = Test the network
step-located = Confirm the location
step-backed_up = Back up the merchant data
step-keys_loaded = Load the keys
step-config_applied = Apply the configuration
step-signed_in = Sign the terminal in
step-pin_set = Set the operator PIN at the terminal
step-tested = Run the test transaction
step-active = Terminal active

## Errors of API and pages: what happened, why, what to do

error-validation_failed = Something that was filled in is not right.
    .remedy = Correct the fields that are named and send them again, together with the others.
error-not_found = What you asked for does not exist, or is not yours to see.
    .remedy = Check the address or id, or open it again from the list.
error-confirm_mismatch = To erase a merchant, its id must be given once more.
    .remedy = Repeat the id exactly, and give a reason. There is no way back.
error-already_erased = This merchant was erased before.
    .remedy = Nothing was changed, and there is nothing left to do.
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
error-illegal_transition = This step cannot be taken now: it is not its turn yet, or it is already done.
    .remedy = See what is still missing and take the step that is due now.
error-idempotency_mismatch = This idempotency key was already used with another route or another body.
    .remedy = Use a new idempotency key for a new request.
error-idempotency_in_flight = The same request is still being processed.
    .remedy = Wait a moment, then ask again with the same key.
error-idempotency_key_missing = The request has no idempotency key.
    .remedy = Send an Idempotency-Key header, new and random for each new request.
error-idempotency_key_invalid = The idempotency key is malformed.
    .remedy = Use 1 to 128 visible ASCII characters.
error-rate_limited = Too many requests in a short time.
    .remedy = Pause before you try again.
error-too_large = The content is larger than allowed.
    .remedy = Make it smaller: photos up to 10 MB, JSON up to 64 KB.
error-length_required = The request does not say how long its content is.
    .remedy = Send a Content-Length header.
error-truncated = The upload ended before the whole file had arrived.
    .remedy = Check the network and upload this one file again.
error-unsupported_media = This kind of file is not supported.
    .remedy = Upload a JPG, PNG or WebP picture; photograph a paper, or export a PDF as a picture.
error-form_upload = A form (multipart/form-data) arrived, not the picture itself.
    .remedy = Send the bytes of the picture as the body, for example curl --data-binary @x.png, not -F.
error-image_too_large = The picture has too many pixels.
    .remedy = Reduce the picture to at most 50 million pixels and upload it again.
error-image_too_small = The picture is too small to read.
    .remedy = Take it again from closer; both sides need at least 800 pixels.
error-file_empty = The upload is empty: no byte of the file arrived.
    .remedy = Choose the file again and send its bytes as the body.
error-image_unreadable = The picture cannot be opened; it may be damaged.
    .remedy = Take a new picture and upload it.
error-utf8_invalid = The text is not valid UTF-8.
    .remedy = Send it again as UTF-8.
error-body_empty = The request has no body.
    .remedy = Send JSON as the body; /api/openapi.json lists the fields it needs.
error-json_invalid = The body is not well-formed JSON and cannot be read.
    .remedy = Look at the line and column of “position”: most often a quote or a bracket is missing, or a comma too many. Correct it and send again.
error-cursor_invalid = The page cursor is not valid.
    .remedy = Start again from the first page.
error-timeout = The request took too long; its result is not known yet.
    .remedy = Ask again with the same idempotency key; nothing is done twice.
error-unavailable = The service is not available right now.
    .remedy = Try again shortly; nothing already submitted is lost.
error-internal = Something went wrong on our side; we have been alerted.
    .remedy = Try again later; if it persists, give support the request id.
error-code_invalid = The one-time code is not right, or was used already.
    .remedy = Enter the six digits of the latest message, or ask for a new code.
error-code_format = A one-time code has six digits.
    .remedy = Enter the six digits of the latest message; this was not counted as a try.
error-code_unasked = No signing code was asked for yet, or it ended long ago.
    .remedy = Ask for the signing code (sign-code) first, then sign with the six digits of the message.
error-code_expired = The one-time code has expired.
    .remedy = Ask for a new code.
error-code_locked = Too many wrong codes; this one is void.
    .remedy = There is no need to wait: ask for a new code now (with a new idempotency key) and enter that one.
error-self_approval = Whoever submitted an application cannot decide on it.
    .remedy = Ask another reviewer.
error-duplicate_application = This business already has an application.
    .remedy = Open the existing application and go on there.
error-document_sent_back = This is the picture that was sent back.
    .remedy = Take a new one; “What is missing” says what was wrong with this one.
error-duplicate_document = This picture has already been used elsewhere.
    .remedy = Take a new picture on the spot.
error-eligibility_refused = The conditions for applying are not met.
    .remedy = See the condition that is named; apply again once it is met.
error-licence_unset = No licensed acquirer is configured here, so no real application can be accepted.
    .remedy = Ask whoever runs this deployment to complete its configuration.
error-activation_code_invalid = The activation code is not right.
    .remedy = Enter it again digit by digit; it has no letters I, L, O or U. If it still fails, the owner can request a new one.
error-activation_code_format = The activation code has the wrong length or a wrong character.
    .remedy = Enter it again as the message has it: ten characters, none of them U; this was not counted as a try.
error-activation_code_expired = The activation code has expired.
    .remedy = The owner can request a new code.
error-activation_code_used = The activation code has already been used.
    .remedy = If it was this terminal, restart it and it goes on by itself; otherwise the owner can request a new code.
error-activation_code_locked = Too many wrong codes from here; entry pauses for a while.
    .remedy = Try again in ten minutes, or let the owner request a new code from this network.
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
    .remedy = Ask for a new activation code and enter it on the terminal, which then makes new keys. If that is refused too, call support to check the serial number.
error-device_certificate_mismatch = The connection's certificate does not belong to the keys that signed.
    .remedy = Connect with the certificate installed last, or without one; if it stays, activate the terminal again with a new code.
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
error-kcv_mismatch = The terminal's key check value differs from the platform's; the key was not put into use.
    .remedy = Change the network and load the keys again; after two differences stop using the terminal and call support.
error-certificate_mismatch = The certificate on the terminal is not the one the platform just issued.
    .remedy = Load the keys again; if it still fails, call support.
error-certificate_expired = The terminal's certificate has ended or is not installed yet.
    .remedy = Once connected the terminal renews it by itself: try again in a moment; if it says that it ended too long ago, call support for a new activation.
error-certificate_recalled = The terminal's certificate was recalled; it does not count until it is renewed.
    .remedy = Once connected the terminal renews it by itself: try again in a moment; if it stays, call support.
error-renewal_not_due = The terminal's certificate is not to be renewed yet.
    .remedy = Nothing has to be done: from 60 days before its end the terminal renews it by itself; the header Retry-After says how many seconds are left until then.
error-renewal_over = The terminal's certificate ended too long ago to be renewed.
    .remedy = Call support: the terminal has to be registered again and activated with a new code.
error-csr_mismatch = The certificate request names another terminal's serial number.
    .remedy = Make the request with this terminal's own serial number; if it stays, update the terminal software.
error-csr_key_used = This key had a certificate before and gets no other one.
    .remedy = The terminal makes a new key and asks again; if it keeps happening, update the terminal software.
error-amount_not_zero = During activation the amount must be 0.00.
    .remedy = Try again with 0.00; activation takes no money and needs no real card.
error-operator_manager_missing = At least one operator must be a manager.
    .remedy = Make one of the operators a manager, then set the PINs.
error-operator_number_taken = Two operators have the same number.
    .remedy = Give every operator a number of their own.
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
error-field_required = What is required here is not filled in.
    .remedy = Fill in the field that is named.
error-field_type = It has the wrong type.
    .remedy = Correct the named field as the API description says.
error-field_closed = This field is not open for changes now.
    .remedy = Change only what you were asked to correct.
error-unknown_field = A field is not one of ours.
    .remedy = Check its spelling, or leave the named field out.
error-field_misplaced = This is a field of the form, in the wrong place.
    .remedy = Put it inside the object “fields” and send again.
error-json_required = The content must be JSON.
    .remedy = Send the header Content-Type: application/json.
error-query_invalid = A query parameter is not valid.
    .remedy = Correct the named parameter as the API description says.
error-unknown_parameter = This address does not take such a query parameter.
    .remedy = Leave the named parameter out, or check its spelling: /api/openapi.json lists what each address takes.
error-limit_invalid = The page size is out of range.
    .remedy = Ask for 1 to 100 entries a page.
error-version_missing = The request does not say which version it is based on, or not readably.
    .remedy = Read the present content first and send its version in If-Match.
error-business_no_taken = This business number is already in use.
    .remedy = Choose another number, or go on with the application that has it.
error-application_live = You have an application already.
    .remedy = Go on with that one. To begin anew, withdraw it first. If it is through, you need no other: ask support to change data or to add a shop.
error-length = It has too many or too few characters.
    .remedy = Count them, compare with the original and type it again.
error-charset = It contains a character that cannot occur there.
    .remedy = Compare with the original; check O against 0 and I against 1.
error-checksum = The check digit does not match; one character is probably wrong.
    .remedy = Compare with the original, character by character.
error-luhn = The card number fails its check; one digit is probably wrong.
    .remedy = Compare with the card, digit by digit.
error-mobile_unproved = This is not the mobile number that was verified with a code.
    .remedy = Keep the verified number, or sign in with the new number first.
error-visit_too_far = The visit was reported from far away from the shop.
    .remedy = Report it at the shop; if the shop is not there, report that it failed with reason D403.
error-card_network = This is not a UnionPay card.
    .remedy = Give a UnionPay debit card (it begins with 62) in the same name.
error-email = This is not an e-mail address.
    .remedy = Write it like name@example.com.
error-whole_number = This is not a whole number.
    .remedy = Write digits only, without point, comma or unit.
error-pattern = It is not in the expected form.
    .remedy = Type it again in the form of the example.
error-prefix = It does not begin as it should.
    .remedy = Compare its beginning with the original.
error-range = The value is out of range.
    .remedy = Check the unit and give it again.
error-choice = It is not one of the choices.
    .remedy = Choose one of those listed.
error-mobile = This is not a mainland mobile number that can receive messages.
    .remedy = Give an 11-digit mainland mobile number.
error-reg_dept = The first character is no registering authority.
    .remedy = Compare the first character with the original.
error-org_kind = The second character is no kind of organisation.
    .remedy = Compare the second character with the original.
error-region = The region code does not exist.
    .remedy = Compare the region digits with the original.
error-bad_date = The date does not exist, is not written as expected, or has not come yet.
    .remedy = Compare with the document and write it like 2030-01-31.
error-degenerate = The number is only zeros or repeats one digit.
    .remedy = Give the real number.
error-type_mismatch = The number does not fit the type of business chosen.
    .remedy = Choose the matching type; what you typed comes along.
error-legacy_licence_enterprise = A company can no longer use the old 15-digit licence.
    .remedy = Exchange the licence, then apply.
error-legacy_licence_individual = This is an old 15-digit licence and needs a manual check.
    .remedy = You can go on; exchanging the licence soon is advised.
error-org_code_checksum = The organisation code inside the credit code fails its check.
    .remedy = You can go on; please compare with the original once more.
error-iot = This is an internet-of-things number and cannot receive codes.
    .remedy = Give the mobile number you use yourself.
error-landline = This is a landline and cannot receive codes.
    .remedy = Give a mobile number.
error-too_old = The date is too long ago to be right.
    .remedy = Compare the year with the document.
error-device_type = The device type in the serial number does not exist.
    .remedy = Scan the label on the back again.
error-mcc_digits = A trade's code has four digits.
    .remedy = Type the four digits of the trade (MCC), for example 5812 for a restaurant.
error-mcc_mismatch = The trade in the merchant number differs from the application.
    .remedy = Check the merchant number, or ask support to correct the trade.
error-mcc_prohibited = This trade cannot be accepted.
    .remedy = If the wrong trade was chosen, correct it and submit again.
error-expired = The document or authority has expired.
    .remedy = Upload one that is still valid.
error-not_yet_valid = It is not valid yet.
    .remedy = Submit it once it is, or check the date.
error-under_18 = The principal is under 18.
    .remedy = You can apply from the 18th birthday on.
error-address_unconfirmed = The merchant has not confirmed the delivery address.
    .remedy = Let the merchant confirm the address before packing.
error-agreement_changed = The agreement is not the one you were shown.
    .remedy = Open the agreement again, read it, then sign.
error-approval_refused = The conditions for approval are not met.
    .remedy = See the conditions listed; approve once they are met.
error-claimed = Another reviewer is working on this application.
    .remedy = Take the next one from the queue.
error-not_claimed = Nobody has claimed this application.
    .remedy = Claim it first, then decide.
error-not_yours = Somebody else is carrying this out.
    .remedy = Go back to your own list.
error-work_not_dead = This work was not given up.
    .remedy = List what was given up with “starpay admin job list” and revive one of those.
error-work_waiting = The same work waits already.
    .remedy = Nothing needs to be revived: wait until it has run and look at its outcome.
error-appeal_over = The time for an appeal is over.
    .remedy = Begin a new application; it may be handed in at any time.
error-own_decision = This was your own decision: you cannot decide the appeal against it.
    .remedy = Let another reviewer decide this appeal.
error-device_taken = This terminal is already assigned.
    .remedy = Scan another terminal from stock.
error-serial_known = This serial number is already in stock.
    .remedy = Check the label; do not book it twice.
error-serial_mismatch = The serial number is not the one on the shipment.
    .remedy = Compare it with the label on the back; if it differs, do not accept it and call support.
error-slot_format = This is not a time as we read it.
    .remedy = Write it as RFC 3339 has it, with the zone: 2027-03-01T09:00:00+08:00.
error-slot_reversed = The end is not after the beginning.
    .remedy = Choose an end after the beginning.
error-slot_past = This time has passed.
    .remedy = Choose a time to come.
error-slot_too_long = This time is too long.
    .remedy = Choose at most 8 hours.
error-slot_too_far = This is too far ahead.
    .remedy = Choose a time within the next 30 days; later you can book again.
error-must_be_true = This must be confirmed.
    .remedy = Read it and confirm.
error-field_unknown = A field is not one of ours.
    .remedy = Check its spelling, or leave the named field out.
error-too_many_documents = This application has as many documents as fit one: 60.
    .remedy = Upload only what is asked for. If a paper is still missing, write to support.
error-documents_too_large = The documents of this application would be larger than fit one: 128 MB together.
    .remedy = Upload smaller pictures: a photo of 2 MB shows every word of a paper.
error-merchant_storage_full = All documents of this merchant would be more than we keep: 300, or 512 MB together.
    .remedy = Go on with an application that has its documents, or write to support.
error-too_many_applications = This merchant has as many applications as we keep: 300.
    .remedy = Go on with one of them, or write to support.
error-requirements_open = Some items are still open, so this step must wait.
    .remedy = Complete each item that is listed.
error-mode_fixed = Sandbox or live was fixed at first start and cannot be changed.
    .remedy = Deploy again with a new data folder.
error-activation_open = An activation of this terminal is already under way.
    .remedy = Go on with the one named; if the code did not arrive, have it sent again there (reissue).
error-device_blocked = This terminal is blocked and cannot be activated.
    .remedy = Call support; do not open the device.
error-device_not_ready = This terminal is not ready to be activated.
    .remedy = Confirm the delivery first, then ask for a code.
error-root_conflict = A file stands where the next signed root belongs, and it is not that root.
    .remedy = Compare the roots folder with its copy; run starpay audit chain before anything else.
error-backup_refused = This backup does not open.
    .remedy = Check the passphrase and that the file is complete; nothing was written.
error-backup_unwritten = The backup could not be written.
    .remedy = Check the space and rights of its target, then start it again.
error-passphrase_short = The passphrase is too short.
    .remedy = Use at least 12 characters, and keep it apart from the backup.
error-restore_not_empty = The place to restore into is not empty.
    .remedy = Name an empty folder and an empty database; nothing is ever overwritten.

## Why not yet: each requirement

requirement-contact_unverified = The contact number is not verified
    .remedy = Enter the six-digit code from the message.
requirement-field_missing = Details not filled in
    .remedy = Open the application and fill it in.
requirement-field_invalid = Details need correcting
    .remedy = Open the application and correct just this; the rest stays. If it is right as it is, send the same value again: that confirms it.
requirement-document_missing = Document not uploaded
    .remedy = Take a picture and upload it.
requirement-document_unusable = Document cannot be used
    .remedy = Take just this one again, as advised.
requirement-document_under_check = A document is being checked
    .remedy = Nothing to do; it goes on by itself.
requirement-consent_missing = Consent not confirmed
    .remedy = Read it and confirm.
requirement-application_unsubmitted = The application is not submitted
    .remedy = Look it over and submit it.
requirement-application_uncorrected = The corrections are not submitted
    .remedy = Correct what is named and submit again.
requirement-checks_running = Licence and identity are being checked
    .remedy = Nothing to do; it usually takes under a minute.
requirement-visit_unarranged = No visit is arranged yet
    .remedy = Choose a time when you are at the shop; the visit is free of charge.
requirement-visit_pending = The visit is still to come
    .remedy = Be at the shop at the agreed time and ask for the visitor's badge.
requirement-review_pending = The review is not decided yet
    .remedy = Nothing to do; you will get the result by SMS.
requirement-application_frozen = This business already has an application
    .remedy = Go on with the existing application, or wait while we check.
requirement-application_rejected = The application was not accepted
    .remedy = See the reason: you can correct and apply again, or appeal.
requirement-appeal_pending = The appeal is being decided
    .remedy = Nothing to do; you will have an answer within 15 days.
requirement-application_ended = This application has ended
    .remedy = Start a new application when you need a terminal.
requirement-agreement_unprepared = The agreement is being prepared
    .remedy = Nothing to do; an SMS tells you when it is ready.
requirement-agreement_unsigned = The agreement is not signed
    .remedy = Open it with the pass in the message, read it and sign.
requirement-registration_pending = Registration under way
    .remedy = Nothing to do; it usually takes under two hours.
requirement-registration_refused = Registration refused
    .remedy = We are on it, and will ask if we need anything.
requirement-address_unconfirmed = The delivery address is not confirmed
    .remedy = Confirm or change the delivery address.
requirement-device_unpacked = The terminal is not packed yet
    .remedy = Nothing to do; you get a tracking number when it leaves.
requirement-device_in_transit = The terminal has not arrived yet
    .remedy = Expect the courier's call and check the seal on delivery.
requirement-receipt_unconfirmed = The delivery is not confirmed
    .remedy = Check seal and serial number, then confirm.
requirement-delivery_failed = The delivery failed
    .remedy = Check the address; we will send it again.
requirement-device_unusable = This terminal cannot be used
    .remedy = Do not open it; we will replace it.
requirement-activation_unstarted = The activation code is not entered yet
    .remedy = Get a code and enter it on the terminal within 72 hours.
requirement-activation_unfinished = The activation is not finished
    .remedy = Keep the terminal on and connected, and follow its screen.
requirement-activation_failed = An activation step failed
    .remedy = See the terminal's advice and try that step again.
requirement-activation_expired = The activation code has expired
    .remedy = Get a new code; the old one is void.
requirement-operator_pin_unset = No operator PIN is set
    .remedy = Set a six-digit PIN on the terminal; there is no factory PIN.
requirement-settlement_account_missing = There is no settlement account
    .remedy = Give your own debit card or the business account.
requirement-settlement_account_unverified = The settlement account is being verified
    .remedy = Nothing to do; if it fails you will be told why.
requirement-account_change_open = A change of account is under way
    .remedy = Finish that change first; until then the old account is used.
requirement-capability_rejected = This capability was not granted
    .remedy = See the reason; you can ask again once it no longer holds.
requirement-capability_paused = This capability is paused
    .remedy = See why and how it is resumed, or call support.

## Reasons of refusal: application A–G

reason-A101 = The licence number fails its check; one character is probably wrong.
    .remedy = Compare with the licence, character by character.
reason-A102 = The type of business does not fit the licence number.
    .remedy = Choose the matching type; what you typed comes along.
reason-A103 = The licence is listed as abnormal, cancelled or revoked.
    .remedy = Settle it with the market regulator first, then apply.
reason-A104 = The company still uses an old 15-digit licence.
    .remedy = Exchange the licence, then submit again.
reason-B201 = The identity document has expired.
    .remedy = Renew it, then upload both sides.
reason-B202 = The principal is under 18.
    .remedy = You can apply from the 18th birthday on.
reason-B203 = The ID picture is covered, a copy, or its sides belong to different cards.
    .remedy = Take just the named picture again: all four corners, all text legible.
reason-B204 = The person on the licence is not the one on the ID.
    .remedy = Name the person on the licence, or upload an authority.
reason-C301 = The card is not yours, or private and business accounts are mixed.
    .remedy = Give your own debit card, or the business account in the same name.
reason-C302 = This is a class II or III account, which limits incoming money.
    .remedy = Give a debit card with a class I account.
reason-C303 = A credit card cannot receive settlements.
    .remedy = Give a debit card.
reason-C304 = The account holder's name differs from the one registered.
    .remedy = Type the name exactly as the bank has it.
reason-C305 = Settling to another's account needs an authority and proof of the relation.
    .remedy = Download the form, sign and upload it.
reason-D401 = The shop front shows no sign, or another shop.
    .remedy = Take it again by day, straight on, with the whole sign legible.
reason-D402 = Inside and front do not look like the same shop.
    .remedy = Take the inside again, on the same visit to the shop.
reason-D403 = The picture was taken too far from the registered address.
    .remedy = Take it at the shop, or correct the address.
reason-E501 = The trade is not within the licence's scope.
    .remedy = Choose another trade, or upload the permit.
reason-E502 = The trade permit is missing or has expired.
    .remedy = Upload a valid permit.
reason-F601 = This ID already has as many small merchants as allowed.
    .remedy = Get a business licence, or close an old account first.
reason-F602 = This business already has an application.
    .remedy = Go on with the existing application.
reason-F603 = The shop is outside the area we serve.
    .remedy = We cannot help yet; you are welcome once we serve it.
reason-G701 = We cannot accept this application at present.
    .remedy = You may appeal; you will have an answer within 15 days.
reason-G702 = The information does not suffice to establish who you are.
    .remedy = Add the explanation or proof that is listed.
reason-unavailable = We cannot accept this application at present.
    .remedy = You may appeal; you will have an answer within 15 days.

## Reasons of failure: activation T

reason-T001 = The serial number is not in our stock.
    .remedy = Scan the label on the back, not the box; check O against 0 and I against 1.
reason-T002 = This terminal is registered to another merchant.
    .remedy = Ask whoever sold it, with the proof of purchase.
reason-T003 = The previous merchant's closure is still being reported.
    .remedy = Nothing to do; it becomes available by itself.
reason-T004 = The terminal is locked: reported lost, or its tamper guard tripped.
    .remedy = Do not open it; send it back for another.
reason-T101 = The activation code is not right.
    .remedy = Enter it again digit by digit; it has no letters I, L, O or U.
reason-T102 = The activation code has expired.
    .remedy = Get a new code; the old one is void.
reason-T103 = The activation code has been used.
    .remedy = Get a new code.
reason-T104 = Too many wrong codes; entry is locked for a while.
    .remedy = Wait for the countdown, or get a new code.
reason-T201 = No connection, or the clock is too far off.
    .remedy = Run the network test and follow the advice for the leg it names.
reason-T202 = The SIM card does not belong to this terminal.
    .remedy = Register the change of SIM, or put the old one back.
reason-T301 = The master key could not be loaded.
    .remedy = Change the network and try twice; then call support.
reason-T302 = The key check value does not match; the key was not put into use.
    .remedy = Change the network and load again; after two failures call support.
reason-T303 = The terminal's certificate was not accepted.
    .remedy = Change the network and try again; then call support.
reason-T304 = The terminal reports tampering, or key loading is locked.
    .remedy = Do not try again; send it back for another.
reason-T401 = Sign-in refused: the merchant is not open, or suspended.
    .remedy = See what is still missing, then sign in.
reason-T402 = Sign-in refused: the terminal is not registered.
    .remedy = Ask support to check the registration.
reason-T403 = Sign-in refused: the message check failed.
    .remedy = Sign in again; if it fails, load the keys again.
reason-T501 = No position, or too far from the shop.
    .remedy = Switch positioning on and try in the shop; if it moved, change the address first.
reason-T601 = The merchant's side is not finished.
    .remedy = See what is still missing; the terminal goes on by itself.

## What to do: short, as on a button

remedy-retype = Type it again
remedy-change_subject_type = Change the type
remedy-settle_with_regulator = Settle it with the regulator
remedy-renew_licence = Exchange the licence
remedy-renew_id = Renew and upload
remedy-wait_until_adult = Apply from 18 on
remedy-retake_photo = Take it again
remedy-correct_principal = Correct the principal
remedy-change_account = Change the account
remedy-add_authority = Add an authority
remedy-photograph_on_site = Take it at the shop
remedy-change_category = Change the trade
remedy-upload_document = Upload the document
remedy-get_licence = Get a licence or close an account
remedy-continue_existing = Go on with the existing one
remedy-outside_region = Outside our area
remedy-appeal = Appeal
remedy-scan_serial = Scan the label
remedy-ask_seller = Ask the seller
remedy-wait = Just wait
remedy-return_device = Send it back
remedy-request_new_code = Get a new code
remedy-wait_for_unlock = Wait for the lock to end
remedy-test_network = Test the network
remedy-register_sim = Register the SIM
remedy-retry_elsewhere = Change network and retry
remedy-sign_in_again = Sign in again
remedy-ask_support = Call support
remedy-enable_positioning = Switch positioning on
remedy-see_missing = See what is missing

## The fields of the application form

field-subject-type = Type of business
field-subject_type = Type of business
field-licence-uscc = Unified social credit code
field-licence-name = Name on the licence
field-licence-address = Address on the licence
field-licence-scope = Scope of business
field-licence-valid_to = Licence valid until
field-tax-number = Tax number
field-principal-name = Principal's name
field-principal-id_kind = Kind of ID
field-principal-id_number = ID number
field-principal-id_valid_from = ID valid from
field-principal-id_valid_to = ID valid until
field-principal-full_capacity = Statement of legal capacity
field-agent-name = Agent's name
field-agent-id_number = Agent's ID number
field-agent-valid_to = Agent's authority until
field-ubo-persons = Beneficial owners
field-shop-name = Shop name
field-shop-address = Shop address
field-shop-latitude_e6 = Shop latitude
field-shop-longitude_e6 = Shop longitude
field-shop-mcc = Trade
field-shop-fixed = Fixed premises
field-business-description = What is sold
field-business-monthly_volume_fen = Expected monthly volume
field-settlement-kind = Kind of account
field-settlement-holder = Account holder
field-settlement-card_number = Card number
field-settlement-account_number = Account number
field-settlement-bank_code = Bank code
field-contact-mobile = Mobile number
field-contact-email = E-mail
field-mobile = Mobile number
field-email = E-mail
field-delivery-address = Delivery address
field-address = Address
field-kind = Kind of document
field-consents-privacy = Privacy consent
field-consents-fees = Fees
field-consents-risk_notice = Risk notice
field-appeal-statement = Statement of appeal
field-documents-licence = Business licence
field-documents-tax_reg = Tax registration
field-documents-id_front = ID card, portrait side
field-documents-id_back = ID card, emblem side
field-documents-id_alt = Other identity document
field-documents-liveness = Proof of presence
field-documents-shop_front = Shop front
field-documents-shop_inside = Inside the shop
field-documents-cashier = Cash desk
field-documents-biz_proof = Proof of premises
field-documents-acct_proof = Account proof
field-documents-settle_card = Settlement card, front
field-documents-settle_auth = Settlement authority
field-documents-agent_auth = Agent's authority
field-documents-ubo = Beneficial owners
field-documents-special_permit = Trade permit
field-clearing_institution = Clearing institution
field-unionpay = UnionPay
field-wechat = WeChat Pay
field-alipay = Alipay
field-nucc = NetsUnion
why-field = { $field }: { $message }
only-for = Only these may do it: { $roles }. Ask one of them, or use a key of theirs.

expected-text = Send it as text, in double quotes.
expected-whole_number = Send a whole number within its range, without quotes and decimals.
expected-number = Send a number, without quotes.
expected-true_or_false = Send true or false, without quotes.
expected-list = Send a list, in square brackets.
expected-object = Send an object, in braces.

wrong-length = It should have { $wanted }, but it has { $found }.
wrong-length-endless = It should have { $wanted }, but it has more than { $most }.
wrong-charset = Character { $position } can only be { $wanted }.
wrong-degenerate = It cannot be one digit throughout.
wrong-reg_dept = Its first character is no registering authority.
wrong-org_kind = Its second character is no kind of organisation.
wrong-region = Its first two digits are no province.
wrong-birth = The date of birth in it does not exist.
wrong-birth-later = The date of birth in it lies ahead.
wrong-birth-old = The date of birth in it is more than 130 years ago.
wrong-device_type = Digits 7 and 8 are no defined kind of terminal (01 to 11).
wrong-long = It may have { $most } characters, but it has { $found }.
wrong-range = It should be between { $least } and { $most }.
unit-fen = It is in fen, digits only: 30,000.00 yuan is 3000000.
unit-microdegree = It is in millionths of a degree, digits only: 22.543096 degrees is 22543096.
identifier-unionpay_merchant_no = UnionPay merchant number
identifier-terminal_no = Terminal number
identifier-terminal_sn_tusn = Terminal serial number
length-uscc = 18 characters
length-bizreg15 = 15 digits
length-idcard18 = 18 characters (the old 15-digit numbers are no longer in use)
length-mobile = 11 digits
length-bank_card = 16 to 19 digits
length-corporate_account = 8 to 32 characters
length-cnaps = 12 digits
length-mcc = 4 digits
length-unionpay_merchant_no = 15 digits
length-terminal_no = 8 characters
length-terminal_sn_tusn = 9 to 50 characters (6 of the maker, 2 of the kind, at least 1 of the series)
length-activation_code = 10 characters
charset-uscc = a digit or a capital letter (none of I, O, S, V, Z; characters 3 to 8 are digits)
charset-bizreg15 = a digit
charset-idcard18 = a digit (the last one may be X)
charset-mobile = a digit
charset-bank_card = a digit
charset-corporate_account = a digit (or a hyphen, not in the first place)
charset-cnaps = a digit
charset-mcc = a digit
charset-unionpay_merchant_no = a digit
charset-terminal_no = a digit or a capital letter
charset-terminal_sn_tusn = a letter or a digit (the first 8 are digits)
charset-activation_code = a digit or a letter (not U)
begins-mobile = It should begin with 13 to 19, after +86 if that is written.
begins-bank_card = It should begin with a digit from 1 to 9.
identifier-activation_code = Activation code
with-nothing-saved = { $message } Nothing of this request was saved.
with-wait = { $remedy } Wait { $seconds } seconds.
illegal-now = { $machine }: its state is “{ $state }”, so this step cannot be taken now: it is not its turn yet, or it is already done.
illegal-over = { $machine }: its state is “{ $state }”, so this step cannot be taken any more.
over-application-withdrawn = This application was withdrawn and stays so. If you need a terminal, start a new one: what was filled in comes along.
over-application-rejected = Appeal in time, or start a new application: what was filled in comes along.
over-application-upheld = The appeal is decided for good. You can start a new application: what was filled in comes along.
over-application-expired = This application has expired and stays so. If you need a terminal, start a new one: what was filled in comes along.
over-application-ready = The application is through, nothing is left to do. To change data or to add a shop, ask support.
over-agreement-signed = The agreement is signed; it need not be signed again.
over-agreement-expired = The time to sign is over. Start a new application.
over-agreement-superseded = Open the newer agreement and sign that one.
over-visit-done = This visit is done; nothing is left to do.
over-visit-cancelled = This visit was cancelled. Book another one.
over-shipment-received = It is received. The next step is to ask for the activation code.
over-shipment-cancelled = This shipment was cancelled and stays so. To have it sent again, ask support.
over-activation-active = The terminal is active; nothing is left to do.
over-activation-aborted = This activation was given up. Ask for a new activation code.
over-device-retired = This terminal is retired. Use another one.
spent-code_invalid = This code is void; do not type it again. Ask for a new one: to sign in, send the mobile number once more; to sign, ask for the signing code once more. Use a new idempotency key.
spent-activation_code_invalid = Entry from here pauses for ten minutes. Try again then, or let the owner request a new code from this network.

## SMS and e-mail

application-withdrawn-notice = This application is over and does not come back: its pictures, checks, visit and agreement count no more. A new one begins with the fields filled in here; pictures and consents are to be given again.
message-subject = Starpay: news of your terminal
message-one_time_code = [Starpay] Your code is { $code }, valid for 10 minutes. We never ask you for it.
message-sign_link = [Starpay] Your agreement is ready to sign. Your own pass to it, valid for 30 days: { $code }
message-sign_code = [Starpay] Your signing code is { $code }, valid for 10 minutes. Read the agreement before you sign.
message-activation_code = [Starpay] Activation code { $code }, valid for 72 hours, only for terminal { $serial }. Do not share it.
message-needs_info = [Starpay] { $count ->
        [one] One item
       *[other] { $count } items
    } of your application must be corrected; the rest stays.
message-approved = [Starpay] Your application was approved. Next: sign the agreement.
message-rejected = [Starpay] We cannot accept your application at present. Sign in for the reason; you may appeal.
message-on_hold = [Starpay] Your application is on hold while we look into it ourselves. There is nothing you have to do now; sign in at any time to see where it stands.
message-shipped = [Starpay] Your terminal is on its way, tracking number { $code }. Check seal and serial number on delivery.
message-activated = [Starpay] Terminal { $serial } is active.
message-reminder = [Starpay] Something waits for you and its time has come. Sign in and open “What is missing”: it says what to do next.
