-- Work ordered again while somebody is doing it: the row that waits for its end remembers that the
-- end is not the last word. again_at is when it is due once more; NULL when nobody asked.

ALTER TABLE outbox ADD COLUMN again_at BIGINT;
ALTER TABLE job ADD COLUMN again_at BIGINT;
