-- One code out for each purpose of a contact: a code to sign an agreement leaves a code to sign in
-- alone. Codes that are out live for ten minutes, so none is carried over.
CREATE TABLE one_time_code (
    contact_id {bytes} NOT NULL,
    purpose TEXT NOT NULL,
    code_hash {bytes} NOT NULL,
    expires_at BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    CONSTRAINT one_time_code_pk PRIMARY KEY (contact_id, purpose),
    CONSTRAINT one_time_code_contact FOREIGN KEY (contact_id) REFERENCES contact (id)
) {keyed};
CREATE INDEX one_time_code_by_expiry ON one_time_code (expires_at);
ALTER TABLE contact DROP COLUMN otp_hash;
ALTER TABLE contact DROP COLUMN otp_expires_at;
ALTER TABLE contact DROP COLUMN otp_tries;
