-- A merchant's applications in one state are read as a page, not picked from all of theirs.
CREATE INDEX application_by_merchant_state ON application (merchant_id, state, created_at, id);
