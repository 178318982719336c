-- Platform tables: what every use case writes beside its own rows.
--
-- One text for both engines. {bytes} is BYTEA or BLOB, BIGINT is INTEGER on SQLite, {rows} and
-- {keyed} end a table: STRICT, and STRICT, WITHOUT ROWID on SQLite. {keyed} is for tables that
-- are read by their key and grow at its end.
-- Unique rules are named indexes, not constraints, so that both engines report the same name.

CREATE TABLE setting (
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    set_at BIGINT NOT NULL,
    CONSTRAINT setting_pk PRIMARY KEY (key)
) {keyed};

CREATE TABLE policy (
    key TEXT NOT NULL,
    version BIGINT NOT NULL,
    value TEXT NOT NULL,
    unit TEXT NOT NULL,
    source TEXT NOT NULL,
    effective_from BIGINT NOT NULL,
    CONSTRAINT policy_pk PRIMARY KEY (key, version),
    CONSTRAINT policy_version_positive CHECK (version > 0)
) {keyed};

-- Insert only. The key leads with the aggregate: its id is time-ordered, so new rows are at the end.
CREATE TABLE event (
    id {bytes} NOT NULL,
    merchant_id {bytes} NOT NULL,
    kind TEXT NOT NULL,
    aggregate_id {bytes} NOT NULL,
    version BIGINT NOT NULL,
    name TEXT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT,
    at BIGINT NOT NULL,
    payload {bytes} NOT NULL,
    previous {bytes} NOT NULL,
    hash {bytes} NOT NULL,
    CONSTRAINT event_pk PRIMARY KEY (aggregate_id, version, merchant_id),
    CONSTRAINT event_version_positive CHECK (version > 0)
) {keyed};
CREATE INDEX event_by_merchant ON event (merchant_id, at, id);

CREATE TABLE chain_head (
    aggregate_id {bytes} NOT NULL,
    merchant_id {bytes} NOT NULL,
    kind TEXT NOT NULL,
    version BIGINT NOT NULL,
    hash {bytes} NOT NULL,
    rooted_version BIGINT NOT NULL,
    CONSTRAINT chain_head_pk PRIMARY KEY (aggregate_id, merchant_id)
) {keyed};
-- Keeps a root's cost at what changed since the last one.
CREATE INDEX chain_head_unrooted ON chain_head (aggregate_id) WHERE version > rooted_version;

CREATE TABLE root (
    sequence BIGINT NOT NULL,
    hash {bytes} NOT NULL,
    at BIGINT NOT NULL,
    heads BIGINT NOT NULL,
    CONSTRAINT root_pk PRIMARY KEY (sequence)
) {keyed};

CREATE TABLE idempotency (
    actor TEXT NOT NULL,
    route TEXT NOT NULL,
    key TEXT NOT NULL,
    body_hash {bytes} NOT NULL,
    answer {bytes},
    created_at BIGINT NOT NULL,
    CONSTRAINT idempotency_pk PRIMARY KEY (actor, route, key)
) {keyed};
CREATE INDEX idempotency_by_age ON idempotency (created_at);

CREATE TABLE outbox (
    id {bytes} NOT NULL,
    merchant_id {bytes} NOT NULL,
    topic TEXT NOT NULL,
    subject {bytes} NOT NULL,
    version BIGINT NOT NULL,
    payload {bytes} NOT NULL,
    dedup TEXT,
    state TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    owner TEXT,
    token BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    last_error TEXT,
    created_at BIGINT NOT NULL,
    finished_at BIGINT,
    CONSTRAINT outbox_pk PRIMARY KEY (id, merchant_id),
    CONSTRAINT outbox_state_known CHECK (state IN ('waiting', 'done', 'dead'))
) {keyed};
CREATE INDEX outbox_due ON outbox (due_at, id) WHERE state = 'waiting';
CREATE INDEX outbox_dead ON outbox (due_at, id) WHERE state = 'dead';
CREATE INDEX outbox_finished ON outbox (finished_at) WHERE state = 'done';
CREATE UNIQUE INDEX outbox_once ON outbox (topic, dedup, merchant_id)
    WHERE state = 'waiting' AND dedup IS NOT NULL;

CREATE TABLE job (
    id {bytes} NOT NULL,
    merchant_id {bytes} NOT NULL,
    topic TEXT NOT NULL,
    subject {bytes} NOT NULL,
    version BIGINT NOT NULL,
    payload {bytes} NOT NULL,
    dedup TEXT,
    state TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    owner TEXT,
    token BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    last_error TEXT,
    created_at BIGINT NOT NULL,
    finished_at BIGINT,
    CONSTRAINT job_pk PRIMARY KEY (id, merchant_id),
    CONSTRAINT job_state_known CHECK (state IN ('waiting', 'done', 'dead'))
) {keyed};
CREATE INDEX job_due ON job (due_at, id) WHERE state = 'waiting';
CREATE INDEX job_dead ON job (due_at, id) WHERE state = 'dead';
CREATE INDEX job_finished ON job (finished_at) WHERE state = 'done';
CREATE UNIQUE INDEX job_once ON job (topic, dedup, merchant_id)
    WHERE state = 'waiting' AND dedup IS NOT NULL;

-- Destroying `wrapped` is what erases a merchant: the sealed bytes stay, nobody can open them.
CREATE TABLE data_key (
    merchant_id {bytes} NOT NULL,
    version BIGINT NOT NULL,
    wrapped {bytes},
    wrapped_under TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    destroyed_at BIGINT,
    CONSTRAINT data_key_pk PRIMARY KEY (merchant_id, version),
    CONSTRAINT data_key_wrapped_or_destroyed CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
) {keyed};
CREATE INDEX data_key_by_wrapper ON data_key (wrapped_under, merchant_id, version);

CREATE TABLE used_nonce (
    scope TEXT NOT NULL,
    nonce {bytes} NOT NULL,
    expires_at BIGINT NOT NULL,
    CONSTRAINT used_nonce_pk PRIMARY KEY (scope, nonce)
) {keyed};
CREATE INDEX used_nonce_by_expiry ON used_nonce (expires_at);

CREATE TABLE attempt (
    kind TEXT NOT NULL,
    subject {bytes} NOT NULL,
    failures BIGINT NOT NULL,
    window_started_at BIGINT NOT NULL,
    locked_until BIGINT NOT NULL,
    CONSTRAINT attempt_pk PRIMARY KEY (kind, subject)
) {keyed};
CREATE INDEX attempt_by_age ON attempt (window_started_at);
