-- A key stands for one request: used with another route it is refused as with another body. Until now
-- it was one request for each route, so of several the newest stays: whoever repeats another is refused,
-- and nothing runs a second time. The table is made anew and not given a second unique index, which
-- every payment would pay for.
CREATE TABLE idempotency_kept AS
    SELECT actor, route, key, body_hash, answer, created_at FROM idempotency
    WHERE NOT EXISTS (
        SELECT 1 FROM idempotency AS other
        WHERE other.actor = idempotency.actor AND other.key = idempotency.key
        AND (other.created_at > idempotency.created_at
             OR (other.created_at = idempotency.created_at AND other.route > idempotency.route))
    );
DROP TABLE idempotency;
CREATE TABLE idempotency (
    actor TEXT NOT NULL,
    route TEXT NOT NULL,
    key TEXT NOT NULL,
    body_hash {bytes} NOT NULL,
    answer {bytes},
    created_at BIGINT NOT NULL,
    CONSTRAINT idempotency_pk PRIMARY KEY (actor, key)
) {keyed};
INSERT INTO idempotency (actor, route, key, body_hash, answer, created_at)
    SELECT actor, route, key, body_hash, answer, created_at FROM idempotency_kept;
DROP TABLE idempotency_kept;
CREATE INDEX idempotency_by_age ON idempotency (created_at);
