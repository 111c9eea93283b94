-- What is on record without a test stays; only what is written from now on is held to one.
SELECT 1;

-- down
SELECT 1;
