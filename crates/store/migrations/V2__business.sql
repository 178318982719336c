-- Business tables. An aggregate's table has the same first columns everywhere (id, merchant_id,
-- state, version, sealed facts, created_at, updated_at) and then the columns it is looked up by.
-- Rules across rows are unique indexes. A unique key holds merchant_id, except in the directory
-- tables, whose rule is about the whole platform: device, device identity, activation code,
-- contact, access key.

CREATE TABLE merchant (
    id {bytes} NOT NULL,
    created_at BIGINT NOT NULL,
    profile {bytes} NOT NULL,
    subject_index {bytes},
    CONSTRAINT merchant_pk PRIMARY KEY (id)
) {rows};
CREATE INDEX merchant_by_age ON merchant (created_at, id);
CREATE INDEX merchant_by_subject ON merchant (subject_index, created_at, id);

CREATE TABLE store_place (
    id {bytes} NOT NULL,
    merchant_id {bytes} NOT NULL,
    profile {bytes} NOT NULL,
    latitude_e6 BIGINT NOT NULL,
    longitude_e6 BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT store_place_pk PRIMARY KEY (id, merchant_id),
    CONSTRAINT store_place_merchant FOREIGN KEY (merchant_id) REFERENCES merchant (id)
) {rows};
CREATE INDEX store_place_by_merchant ON store_place (merchant_id, created_at, id);

CREATE TABLE contact (
    id {bytes} NOT NULL,
    mobile_index {bytes} NOT NULL,
    profile {bytes} NOT NULL,
    merchant_id {bytes},
    otp_hash {bytes},
    otp_expires_at BIGINT,
    otp_tries BIGINT NOT NULL,
    verified_at BIGINT,
    created_at BIGINT NOT NULL,
    CONSTRAINT contact_pk PRIMARY KEY (id)
) {rows};
CREATE UNIQUE INDEX contact_one_per_mobile ON contact (mobile_index);
CREATE INDEX contact_by_merchant ON contact (merchant_id, created_at, id);

CREATE TABLE access_key (
    id {bytes} NOT NULL,
    secret_hash {bytes} NOT NULL,
    kind TEXT NOT NULL,
    role TEXT NOT NULL,
    subject TEXT NOT NULL,
    merchant_id {bytes},
    label TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    CONSTRAINT access_key_pk PRIMARY KEY (id)
) {rows};
CREATE UNIQUE INDEX access_key_one_per_secret ON access_key (secret_hash);
CREATE INDEX access_key_by_age ON access_key (created_at, id);
CREATE INDEX access_key_by_subject ON access_key (subject, created_at, id);
CREATE INDEX access_key_by_merchant ON access_key (merchant_id, created_at, id);

CREATE TABLE application (
    id {bytes} NOT NULL,
    merchant_id {bytes} NOT NULL,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    facts {bytes} NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    business_no TEXT NOT NULL,
    subject_index {bytes},
    form {bytes},
    claimed_by TEXT,
    CONSTRAINT application_pk PRIMARY KEY (id, merchant_id),
    CONSTRAINT application_merchant FOREIGN KEY (merchant_id) REFERENCES merchant (id),
    CONSTRAINT application_state_known CHECK (state IN (
        'draft', 'submitted', 'checking', 'verifying', 'in_review', 'needs_info', 'approved',
        'to_be_signed', 'signed', 'reporting', 'ready', 'report_failed', 'rejected', 'appealed',
        'upheld', 'withdrawn', 'frozen', 'expired'))
) {rows};
CREATE UNIQUE INDEX application_one_per_business_no ON application (merchant_id, business_no);
CREATE INDEX application_by_state ON application (state, created_at, id);
CREATE INDEX application_by_merchant ON application (merchant_id, created_at, id);
CREATE INDEX application_by_age ON application (created_at, id);
CREATE INDEX application_by_subject ON application (subject_index, created_at, id);

CREATE TABLE agreement (
    id {bytes} NOT NULL,
    merchant_id {bytes} NOT NULL,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    facts {bytes} NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    application_id {bytes} NOT NULL,
    document_hash {bytes},
    CONSTRAINT agreement_pk PRIMARY KEY (id, merchant_id),
    CONSTRAINT agreement_application FOREIGN KEY (application_id, merchant_id)
        REFERENCES application (id, merchant_id),
    CONSTRAINT agreement_state_known CHECK (state IN (
        'offered', 'signed', 'expired', 'superseded'))
) {rows};
CREATE INDEX agreement_by_application ON agreement (application_id, created_at, id);
CREATE INDEX agreement_by_state ON agreement (state, created_at, id);
CREATE INDEX agreement_by_merchant ON agreement (merchant_id, created_at, id);
CREATE INDEX agreement_by_age ON agreement (created_at, id);

CREATE TABLE visit (
    id {bytes} NOT NULL,
    merchant_id {bytes} NOT NULL,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    facts {bytes} NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    application_id {bytes} NOT NULL,
    assigned_to TEXT,
    booked_for BIGINT,
    CONSTRAINT visit_pk PRIMARY KEY (id, merchant_id),
    CONSTRAINT visit_application FOREIGN KEY (application_id, merchant_id)
        REFERENCES application (id, merchant_id),
    CONSTRAINT visit_state_known CHECK (state IN (
        'offered', 'booked', 'under_way', 'done', 'no_show', 'rebooked', 'cancelled'))
) {rows};
CREATE INDEX visit_by_application ON visit (application_id, created_at, id);
CREATE INDEX visit_by_state ON visit (state, created_at, id);
CREATE INDEX visit_by_merchant ON visit (merchant_id, created_at, id);
CREATE INDEX visit_by_age ON visit (created_at, id);

CREATE TABLE registration (
    id {bytes} NOT NULL,
    merchant_id {bytes} NOT NULL,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    facts {bytes} NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    application_id {bytes} NOT NULL,
    channel TEXT NOT NULL,
    merchant_no TEXT,
    terminal_no TEXT,
    network_ref TEXT,
    CONSTRAINT registration_pk PRIMARY KEY (id, merchant_id),
    CONSTRAINT registration_application FOREIGN KEY (application_id, merchant_id)
        REFERENCES application (id, merchant_id),
    CONSTRAINT registration_state_known CHECK (state IN (
        'pending', 'sent', 'registered', 'refused', 'change_pending', 'closing', 'closed'))
) {rows};
CREATE UNIQUE INDEX registration_one_per_channel ON registration (application_id, channel, merchant_id);
CREATE INDEX registration_by_state ON registration (state, created_at, id);
CREATE INDEX registration_by_merchant ON registration (merchant_id, created_at, id);
CREATE INDEX registration_by_age ON registration (created_at, id);

CREATE TABLE shipment (
    id {bytes} NOT NULL,
    merchant_id {bytes} NOT NULL,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    facts {bytes} NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    application_id {bytes} NOT NULL,
    device_id {bytes},
    address {bytes} NOT NULL,
    CONSTRAINT shipment_pk PRIMARY KEY (id, merchant_id),
    CONSTRAINT shipment_application FOREIGN KEY (application_id, merchant_id)
        REFERENCES application (id, merchant_id),
    CONSTRAINT shipment_state_known CHECK (state IN (
        'pending', 'ready_to_ship', 'shipped', 'delivered', 'received', 'cancelled',
        'undeliverable', 'returned', 'lost_in_transit', 'damaged'))
) {rows};
CREATE INDEX shipment_by_application ON shipment (application_id, created_at, id);
CREATE INDEX shipment_by_device ON shipment (device_id, created_at, id);
CREATE INDEX shipment_by_state ON shipment (state, created_at, id);
CREATE INDEX shipment_by_merchant ON shipment (merchant_id, created_at, id);
CREATE INDEX shipment_by_age ON shipment (created_at, id);

-- A directory table: merchant_id is the nil id, one row per serial on the platform (一机一码), and
-- one merchant at a time in bound_merchant_id (一机一户).
CREATE TABLE device (
    id {bytes} NOT NULL,
    merchant_id {bytes} NOT NULL,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    facts {bytes} NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    serial TEXT NOT NULL,
    model TEXT NOT NULL,
    firmware TEXT,
    bound_merchant_id {bytes},
    bound_store_id {bytes},
    CONSTRAINT device_pk PRIMARY KEY (id, merchant_id),
    CONSTRAINT device_state_known CHECK (state IN (
        'in_stock', 'reserved', 'dispatched', 'delivered', 'activating', 'active', 'suspended',
        'consigned', 'reassigning', 'lost', 'tampered', 'repair', 'retired'))
) {rows};
CREATE UNIQUE INDEX device_one_per_serial ON device (serial);
CREATE INDEX device_by_bound_merchant ON device (bound_merchant_id, created_at, id);
CREATE INDEX device_by_state ON device (state, created_at, id);
CREATE INDEX device_by_merchant ON device (merchant_id, created_at, id);
CREATE INDEX device_by_age ON device (created_at, id);

CREATE TABLE activation (
    id {bytes} NOT NULL,
    merchant_id {bytes} NOT NULL,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    facts {bytes} NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    device_id {bytes} NOT NULL,
    store_id {bytes} NOT NULL,
    code_hash {bytes},
    code_expires_at BIGINT NOT NULL,
    device_auth_id {bytes},
    CONSTRAINT activation_pk PRIMARY KEY (id, merchant_id),
    CONSTRAINT activation_state_known CHECK (state IN (
        'code_issued', 'claimed', 'identity_proven', 'compatible', 'network_ok', 'located',
        'backed_up', 'keys_loaded', 'config_applied', 'signed_in', 'pin_set', 'tested',
        'first_txn_pending', 'active', 'waiting', 'expired', 'failed', 'aborted'))
) {rows};
CREATE UNIQUE INDEX activation_one_per_code ON activation (code_hash);
CREATE UNIQUE INDEX activation_one_live_per_device ON activation (device_id)
    WHERE state NOT IN ('active', 'expired', 'failed', 'aborted');
CREATE INDEX activation_by_device ON activation (device_id, created_at, id);
CREATE INDEX activation_by_state ON activation (state, created_at, id);
CREATE INDEX activation_by_merchant ON activation (merchant_id, created_at, id);
CREATE INDEX activation_by_age ON activation (created_at, id);

CREATE TABLE device_auth (
    id {bytes} NOT NULL,
    merchant_id {bytes} NOT NULL,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    facts {bytes} NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    device_id {bytes} NOT NULL,
    sign_thumbprint {bytes} NOT NULL,
    sign_key {bytes} NOT NULL,
    envelope_key {bytes} NOT NULL,
    certificate_serial {bytes},
    CONSTRAINT device_auth_pk PRIMARY KEY (id, merchant_id),
    CONSTRAINT device_auth_state_known CHECK (state IN (
        'preauthorised', 'pending', 'accepted', 'rejected'))
) {rows};
CREATE UNIQUE INDEX device_auth_one_per_thumbprint ON device_auth (sign_thumbprint);
CREATE UNIQUE INDEX device_auth_one_accepted_per_device ON device_auth (device_id) WHERE state = 'accepted';
CREATE INDEX device_auth_by_device ON device_auth (device_id, created_at, id);
CREATE INDEX device_auth_by_certificate ON device_auth (certificate_serial);
CREATE INDEX device_auth_by_state ON device_auth (state, created_at, id);
CREATE INDEX device_auth_by_merchant ON device_auth (merchant_id, created_at, id);
CREATE INDEX device_auth_by_age ON device_auth (created_at, id);

CREATE TABLE key_slot (
    id {bytes} NOT NULL,
    merchant_id {bytes} NOT NULL,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    facts {bytes} NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    device_id {bytes} NOT NULL,
    slot TEXT NOT NULL,
    key_version BIGINT NOT NULL,
    kcv TEXT,
    wrapped {bytes},
    CONSTRAINT key_slot_pk PRIMARY KEY (id, merchant_id),
    CONSTRAINT key_slot_state_known CHECK (state IN (
        'empty', 'loading', 'loaded', 'rotating', 'failed', 'revoked'))
) {rows};
CREATE UNIQUE INDEX key_slot_one_per_name ON key_slot (device_id, slot, merchant_id);
CREATE INDEX key_slot_by_state ON key_slot (state, created_at, id);
CREATE INDEX key_slot_by_merchant ON key_slot (merchant_id, created_at, id);
CREATE INDEX key_slot_by_age ON key_slot (created_at, id);

CREATE TABLE capability (
    id {bytes} NOT NULL,
    merchant_id {bytes} NOT NULL,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    facts {bytes} NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    name TEXT NOT NULL,
    CONSTRAINT capability_pk PRIMARY KEY (id, merchant_id),
    CONSTRAINT capability_merchant FOREIGN KEY (merchant_id) REFERENCES merchant (id),
    CONSTRAINT capability_state_known CHECK (state IN (
        'unrequested', 'pending', 'valid', 'invalid', 'rejected', 'paused'))
) {rows};
CREATE UNIQUE INDEX capability_one_per_name ON capability (merchant_id, name);
CREATE INDEX capability_by_state ON capability (state, created_at, id);
CREATE INDEX capability_by_merchant ON capability (merchant_id, created_at, id);
CREATE INDEX capability_by_age ON capability (created_at, id);

-- `digest` is keyed: equal documents are found without keeping a bare hash of a person's paper.
CREATE TABLE document (
    id {bytes} NOT NULL,
    merchant_id {bytes} NOT NULL,
    application_id {bytes} NOT NULL,
    kind TEXT NOT NULL,
    media_type TEXT NOT NULL,
    byte_count BIGINT NOT NULL,
    width BIGINT NOT NULL,
    height BIGINT NOT NULL,
    digest {bytes} NOT NULL,
    object_key TEXT NOT NULL,
    outcome TEXT NOT NULL,
    profile {bytes},
    created_at BIGINT NOT NULL,
    CONSTRAINT document_pk PRIMARY KEY (id, merchant_id),
    CONSTRAINT document_application FOREIGN KEY (application_id, merchant_id)
        REFERENCES application (id, merchant_id)
) {rows};
CREATE INDEX document_by_application ON document (application_id, created_at, id);
CREATE INDEX document_by_digest ON document (digest, created_at, id);
CREATE INDEX document_by_merchant ON document (merchant_id, created_at, id);

CREATE TABLE check_result (
    id {bytes} NOT NULL,
    merchant_id {bytes} NOT NULL,
    application_id {bytes} NOT NULL,
    kind TEXT NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT,
    reference TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT check_result_pk PRIMARY KEY (id, merchant_id),
    CONSTRAINT check_result_application FOREIGN KEY (application_id, merchant_id)
        REFERENCES application (id, merchant_id)
) {rows};
CREATE INDEX check_result_by_application ON check_result (application_id, created_at, id);

CREATE TABLE settlement_account (
    id {bytes} NOT NULL,
    merchant_id {bytes} NOT NULL,
    state TEXT NOT NULL,
    account {bytes} NOT NULL,
    account_index {bytes} NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT settlement_account_pk PRIMARY KEY (id, merchant_id),
    CONSTRAINT settlement_account_merchant FOREIGN KEY (merchant_id) REFERENCES merchant (id),
    CONSTRAINT settlement_account_state_known CHECK (state IN ('pending', 'live', 'closed'))
) {rows};
CREATE UNIQUE INDEX settlement_account_one_live ON settlement_account (merchant_id) WHERE state = 'live';
CREATE INDEX settlement_account_by_merchant ON settlement_account (merchant_id, created_at, id);
CREATE INDEX settlement_account_by_account ON settlement_account (account_index, created_at, id);

CREATE TABLE operator (
    id {bytes} NOT NULL,
    merchant_id {bytes} NOT NULL,
    device_id {bytes} NOT NULL,
    number TEXT NOT NULL,
    role TEXT NOT NULL,
    pin_hash TEXT NOT NULL,
    failed BIGINT NOT NULL,
    locked_until BIGINT,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    CONSTRAINT operator_pk PRIMARY KEY (id, merchant_id),
    CONSTRAINT operator_merchant FOREIGN KEY (merchant_id) REFERENCES merchant (id)
) {rows};
CREATE UNIQUE INDEX operator_one_per_number ON operator (device_id, number);

CREATE TABLE message (
    id {bytes} NOT NULL,
    merchant_id {bytes},
    channel TEXT NOT NULL,
    template TEXT NOT NULL,
    recipient {bytes} NOT NULL,
    body {bytes} NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    sent_at BIGINT,
    CONSTRAINT message_pk PRIMARY KEY (id),
    CONSTRAINT message_state_known CHECK (state IN ('waiting', 'sent', 'failed'))
) {rows};
CREATE INDEX message_by_age ON message (created_at, id);
CREATE INDEX message_by_merchant ON message (merchant_id, created_at, id);

-- Who looked at whose personal data. Insert only.
CREATE TABLE pii_access (
    id {bytes} NOT NULL,
    merchant_id {bytes} NOT NULL,
    actor TEXT NOT NULL,
    what TEXT NOT NULL,
    at BIGINT NOT NULL,
    CONSTRAINT pii_access_pk PRIMARY KEY (id, merchant_id)
) {rows};
CREATE INDEX pii_access_by_merchant ON pii_access (merchant_id, at, id);
