-- What contradicts on record stays: nobody but who told it knows which of the two is wrong.
SELECT 1;

-- down
SELECT 1;
