ALTER TABLE slot ADD is_full BOOLEAN GENERATED ALWAYS AS (booked >= capacity) STORED NOT NULL;
CREATE INDEX ix_slot_not_full ON slot (session_id, starts_at) WHERE NOT is_full;
CREATE INDEX ix_site_latitude_longitude ON site (latitude, longitude);

-- down
DROP INDEX ix_site_latitude_longitude;
DROP INDEX ix_slot_not_full;
ALTER TABLE slot DROP is_full;
