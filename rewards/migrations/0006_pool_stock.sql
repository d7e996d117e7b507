-- A gift whose codes others issued is in stock as long as the longest lasting of its free codes: when that changes, by
-- whoever takes, frees or uploads codes, the catalogue's number rises. As with stock, the gift is held until the
-- transaction ends, so that of two who take the last two codes the second sees that none is left. Its lock comes after
-- the code's, for which nobody waits (SKIP LOCKED).
CREATE FUNCTION rewards_codes_touched(pool bigint, codes bigint[], lasting timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    number bigint;
    gift rewards_reward;
BEGIN
    SELECT r.* INTO gift FROM rewards_reward r JOIN rewards_codepool q ON q.reward_id = r.id
    WHERE q.id = pool FOR NO KEY UPDATE OF r;
    IF (SELECT coalesce(f.valid_until, 'infinity') >= lasting FROM rewards_poolcode f
        WHERE f.pool_id = pool AND f.redemption_id IS NULL AND f.id <> ALL (codes)
        ORDER BY f.valid_until DESC NULLS FIRST LIMIT 1) THEN
        RETURN;
    END IF;
    INSERT INTO rewards_cataloguehead AS head (programme_id, number) VALUES (gift.programme_id, 1)
        ON CONFLICT (programme_id) DO UPDATE SET number = head.number + 1
        RETURNING head.number INTO number;
    UPDATE rewards_reward SET revision = number, changed_at = greatest(changed_at, now()) WHERE id = gift.id;
END $$;

CREATE FUNCTION rewards_code_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM rewards_codes_touched(NEW.pool_id, ARRAY[NEW.id], coalesce(NEW.valid_until, 'infinity'));
    RETURN NULL;
END $$;
CREATE TRIGGER pool_code_moved AFTER UPDATE OF redemption_id ON rewards_poolcode
    FOR EACH ROW WHEN ((OLD.redemption_id IS NULL) <> (NEW.redemption_id IS NULL))
    EXECUTE FUNCTION rewards_code_moved();

CREATE FUNCTION rewards_codes_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM rewards_codes_touched(pool_id, array_agg(id), max(coalesce(valid_until, 'infinity')))
    FROM added GROUP BY pool_id ORDER BY pool_id;
    RETURN NULL;
END $$;
CREATE TRIGGER pool_codes_added AFTER INSERT ON rewards_poolcode
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION rewards_codes_added();
