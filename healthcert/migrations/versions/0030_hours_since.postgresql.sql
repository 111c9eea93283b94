ALTER TABLE site_hours
  ADD since DATE NOT NULL DEFAULT '0001-01-01',
  ALTER weekday DROP NOT NULL,
  ALTER opens DROP NOT NULL,
  ALTER closes DROP NOT NULL,
  ADD CONSTRAINT ck_site_hours_closed CHECK ((weekday IS NULL) = (opens IS NULL) AND (opens IS NULL) = (closes IS NULL)),
  DROP CONSTRAINT uq_site_hours_site_id_weekday_opens,
  ADD CONSTRAINT uq_site_hours_site_id_since_weekday_opens UNIQUE (site_id, since, weekday, opens);
ALTER TABLE site_hours ALTER since DROP DEFAULT;

-- down
DELETE FROM site_hours AS older USING site_hours AS newer
 WHERE newer.site_id = older.site_id AND newer.since > older.since AND newer.since <= current_date;
DELETE FROM site_hours AS later USING site_hours AS sooner
 WHERE sooner.site_id = later.site_id AND sooner.since < later.since;
DELETE FROM site_hours WHERE weekday IS NULL;
ALTER TABLE site_hours
  DROP CONSTRAINT uq_site_hours_site_id_since_weekday_opens,
  DROP CONSTRAINT ck_site_hours_closed,
  ALTER weekday SET NOT NULL,
  ALTER opens SET NOT NULL,
  ALTER closes SET NOT NULL,
  DROP since,
  ADD CONSTRAINT uq_site_hours_site_id_weekday_opens UNIQUE (site_id, weekday, opens);
