-- Deadlines: what lets a job find the few rows whose time is over without looking at the others.
--
-- limit_at is the moment from which, or until which, the present state's limit counts (the machines'
-- tables of owners say which); NULL when the state has none. A row of before this migration gets the
-- moment it was made: too early for every limit, so that it is looked at once and set right then.
-- told_at is when somebody was told that the limit had passed, for limits that end nothing.

ALTER TABLE application ADD COLUMN limit_at BIGINT;
ALTER TABLE application ADD COLUMN told_at BIGINT;
UPDATE application SET limit_at = created_at;
CREATE INDEX application_by_limit ON application (state, limit_at, id) WHERE limit_at IS NOT NULL AND told_at IS NULL;
CREATE INDEX application_told ON application (told_at, id) WHERE told_at IS NOT NULL;

ALTER TABLE agreement ADD COLUMN limit_at BIGINT;
ALTER TABLE agreement ADD COLUMN told_at BIGINT;
UPDATE agreement SET limit_at = created_at;
CREATE INDEX agreement_by_limit ON agreement (state, limit_at, id) WHERE limit_at IS NOT NULL AND told_at IS NULL;
CREATE INDEX agreement_told ON agreement (told_at, id) WHERE told_at IS NOT NULL;

ALTER TABLE visit ADD COLUMN limit_at BIGINT;
ALTER TABLE visit ADD COLUMN told_at BIGINT;
UPDATE visit SET limit_at = created_at;
CREATE INDEX visit_by_limit ON visit (state, limit_at, id) WHERE limit_at IS NOT NULL AND told_at IS NULL;
CREATE INDEX visit_told ON visit (told_at, id) WHERE told_at IS NOT NULL;

ALTER TABLE registration ADD COLUMN limit_at BIGINT;
ALTER TABLE registration ADD COLUMN told_at BIGINT;
UPDATE registration SET limit_at = created_at;
CREATE INDEX registration_by_limit ON registration (state, limit_at, id) WHERE limit_at IS NOT NULL AND told_at IS NULL;
CREATE INDEX registration_told ON registration (told_at, id) WHERE told_at IS NOT NULL;

ALTER TABLE shipment ADD COLUMN limit_at BIGINT;
ALTER TABLE shipment ADD COLUMN told_at BIGINT;
UPDATE shipment SET limit_at = created_at;
CREATE INDEX shipment_by_limit ON shipment (state, limit_at, id) WHERE limit_at IS NOT NULL AND told_at IS NULL;
CREATE INDEX shipment_told ON shipment (told_at, id) WHERE told_at IS NOT NULL;

ALTER TABLE device ADD COLUMN limit_at BIGINT;
ALTER TABLE device ADD COLUMN told_at BIGINT;
UPDATE device SET limit_at = created_at;
CREATE INDEX device_by_limit ON device (state, limit_at, id) WHERE limit_at IS NOT NULL AND told_at IS NULL;
CREATE INDEX device_told ON device (told_at, id) WHERE told_at IS NOT NULL;

ALTER TABLE activation ADD COLUMN limit_at BIGINT;
ALTER TABLE activation ADD COLUMN told_at BIGINT;
UPDATE activation SET limit_at = created_at;
CREATE INDEX activation_by_limit ON activation (state, limit_at, id) WHERE limit_at IS NOT NULL AND told_at IS NULL;
CREATE INDEX activation_told ON activation (told_at, id) WHERE told_at IS NOT NULL;

ALTER TABLE device_auth ADD COLUMN limit_at BIGINT;
ALTER TABLE device_auth ADD COLUMN told_at BIGINT;
UPDATE device_auth SET limit_at = created_at;
CREATE INDEX device_auth_by_limit ON device_auth (state, limit_at, id) WHERE limit_at IS NOT NULL AND told_at IS NULL;
CREATE INDEX device_auth_told ON device_auth (told_at, id) WHERE told_at IS NOT NULL;

ALTER TABLE key_slot ADD COLUMN limit_at BIGINT;
ALTER TABLE key_slot ADD COLUMN told_at BIGINT;
UPDATE key_slot SET limit_at = created_at;
CREATE INDEX key_slot_by_limit ON key_slot (state, limit_at, id) WHERE limit_at IS NOT NULL AND told_at IS NULL;
CREATE INDEX key_slot_told ON key_slot (told_at, id) WHERE told_at IS NOT NULL;

ALTER TABLE capability ADD COLUMN limit_at BIGINT;
ALTER TABLE capability ADD COLUMN told_at BIGINT;
UPDATE capability SET limit_at = created_at;
CREATE INDEX capability_by_limit ON capability (state, limit_at, id) WHERE limit_at IS NOT NULL AND told_at IS NULL;
CREATE INDEX capability_told ON capability (told_at, id) WHERE told_at IS NOT NULL;
