-- Looks at personal data are read by administrators: in which role somebody looked, and by which
-- request, so that it is found in the log. Looks of before this migration do not say. They go away
-- when their retention period is over, oldest first.
ALTER TABLE pii_access ADD COLUMN role TEXT;
ALTER TABLE pii_access ADD COLUMN request_id TEXT;
CREATE INDEX pii_access_by_age ON pii_access (at);
