-- A carrier's key sees the parcels handed to that carrier, a registry's key its own channel: both
-- lists are read by that name. Parcels handed over before have no name here; the platform still
-- asks the carrier about them by itself.
ALTER TABLE shipment ADD COLUMN carrier TEXT;
CREATE INDEX shipment_by_carrier ON shipment (carrier, created_at, id);
CREATE INDEX registration_by_channel ON registration (channel, created_at, id);
