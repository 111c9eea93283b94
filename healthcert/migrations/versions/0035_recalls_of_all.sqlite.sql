-- Recalls of before that were of all that was ever given; what they did not find is looked for.
INSERT INTO lot_validity (id, recorded_at, lot_id, product_id, ordinal, since, released_on, expires_on, state, reason, ordered_by)
SELECT lower(hex(randomblob(16))), newest.recorded_at, newest.lot_id, newest.product_id, newest.ordinal + 1, '0001-01-01', newest.released_on, newest.expires_on, newest.state, newest.reason, newest.ordered_by
  FROM lot_validity AS newest
 WHERE newest.state = 'recalled' AND newest.since > '0001-01-01'
   AND newest.ordinal = (SELECT max(ordinal) FROM lot_validity WHERE lot_id = newest.lot_id)
   AND newest.since = (SELECT min(since) FROM lot_validity WHERE lot_id = newest.lot_id);
UPDATE lot SET judged_up_to = 0 WHERE state = 'recalled';

-- down
SELECT 1;
