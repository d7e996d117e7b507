DROP TRIGGER pool_codes_added ON rewards_poolcode;
DROP TRIGGER pool_code_moved ON rewards_poolcode;
DROP FUNCTION rewards_codes_added();
DROP FUNCTION rewards_code_moved();
DROP FUNCTION rewards_codes_touched(bigint, bigint[], timestamptz);
