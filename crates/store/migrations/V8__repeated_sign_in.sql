-- A request for a code, and the sign-in with it, may be repeated under their idempotency key while
-- the code lives: keyed hashes of the request that had the code sent, and of the one that used it.
ALTER TABLE one_time_code ADD COLUMN asked_by {bytes};
ALTER TABLE one_time_code ADD COLUMN used_by {bytes};
