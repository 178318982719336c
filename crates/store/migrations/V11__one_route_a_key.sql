-- A key stands for one request: used with another route it is refused as with another body. Until now
-- it was one request for each route, so of several the first stays.
DELETE FROM idempotency WHERE EXISTS (
    SELECT 1 FROM idempotency AS other
    WHERE other.actor = idempotency.actor AND other.key = idempotency.key
    AND (other.created_at < idempotency.created_at
         OR (other.created_at = idempotency.created_at AND other.route < idempotency.route))
);
CREATE UNIQUE INDEX idempotency_once ON idempotency (actor, key);
