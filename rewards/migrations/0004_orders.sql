-- What the database itself refuses of orders and vouchers, each by name, and the function that books them.

-- Tenant walls: an order, its steps, delivery, vouchers and codes are of one programme.
ALTER TABLE rewards_redemption ADD CONSTRAINT redemption_member_of_programme
    FOREIGN KEY (programme_id, member_id) REFERENCES members_member (programme_id, id);
ALTER TABLE rewards_redemption ADD CONSTRAINT redemption_reward_of_programme
    FOREIGN KEY (programme_id, reward_id) REFERENCES rewards_reward (programme_id, id);
ALTER TABLE rewards_redemption ADD CONSTRAINT redemption_version_of_programme
    FOREIGN KEY (programme_id, version_id) REFERENCES rewards_rewardversion (programme_id, id);
ALTER TABLE rewards_move ADD CONSTRAINT move_redemption_of_programme
    FOREIGN KEY (programme_id, redemption_id) REFERENCES rewards_redemption (programme_id, id);
ALTER TABLE rewards_delivery ADD CONSTRAINT delivery_redemption_of_programme
    FOREIGN KEY (programme_id, redemption_id) REFERENCES rewards_redemption (programme_id, id);
ALTER TABLE rewards_codepool ADD CONSTRAINT pool_reward_of_programme
    FOREIGN KEY (programme_id, reward_id) REFERENCES rewards_reward (programme_id, id);
ALTER TABLE rewards_poolcode ADD CONSTRAINT pool_code_pool_of_programme
    FOREIGN KEY (programme_id, pool_id) REFERENCES rewards_codepool (programme_id, id);
ALTER TABLE rewards_poolcode ADD CONSTRAINT pool_code_redemption_of_programme
    FOREIGN KEY (programme_id, redemption_id) REFERENCES rewards_redemption (programme_id, id);
ALTER TABLE rewards_voucher ADD CONSTRAINT voucher_redemption_of_programme
    FOREIGN KEY (programme_id, redemption_id) REFERENCES rewards_redemption (programme_id, id);
ALTER TABLE rewards_voucher ADD CONSTRAINT voucher_pool_code_of_programme
    FOREIGN KEY (programme_id, pool_code_id) REFERENCES rewards_poolcode (programme_id, id);
ALTER TABLE rewards_voucheruse ADD CONSTRAINT voucher_use_voucher_of_programme
    FOREIGN KEY (programme_id, voucher_id) REFERENCES rewards_voucher (programme_id, id);

-- Who took an order where, and who used a voucher, is never rewritten or removed.
CREATE TRIGGER move_append_only BEFORE UPDATE OR DELETE ON rewards_move
    FOR EACH ROW EXECUTE FUNCTION loyalty_refuse_change();
ALTER TABLE rewards_move ENABLE ALWAYS TRIGGER move_append_only;
CREATE TRIGGER voucher_use_append_only BEFORE UPDATE OR DELETE ON rewards_voucheruse
    FOR EACH ROW EXECUTE FUNCTION loyalty_refuse_change();
ALTER TABLE rewards_voucheruse ENABLE ALWAYS TRIGGER voucher_use_append_only;

-- rewards_apply(call): books an order's rows together with its points, in one database transaction. It holds no
-- business rule. `call` is that of loyalty_apply, for one account, and
--   "stock":              [{reward_id, change}], a negative change takes pieces that must be there,
--   "redemptions", "moves", "deliveries", "vouchers", "voucher_uses": rows,
--   "redemption_changes": [{id, was, status, ...new values}], "voucher_changes": [{id, was_status, was_balance, ...}],
--   "pools":              [{pool_id, redemption_id, at}], one at most: take a free code; the voucher's row gets it,
--   "pools_back":         [redemption ids] whose codes become free again,
--   "news":               outbox rows of calls that move no account.
-- What is no longer as the call says raises serialization_failure, which undoes everything: decide again.
-- Answer: that of loyalty_apply, and "pool_code": the code taken, still sealed.
--
-- Lock order: key row, account, budgets (loyalty_apply), stock by id, order, voucher, code.
CREATE FUNCTION rewards_apply(call jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    answer jsonb := loyalty_apply(call);
    taken rewards_poolcode;
BEGIN
    IF answer ? 'key' OR answer->'stale' <> '[]' THEN
        RETURN answer;
    END IF;
    IF call ? 'stock' THEN
        PERFORM 1 FROM rewards_reward r
        WHERE r.id IN (SELECT (s->>'reward_id')::bigint FROM jsonb_array_elements(call->'stock') s)
        ORDER BY r.id FOR NO KEY UPDATE;
        UPDATE rewards_reward r SET stock = r.stock + s.change
        FROM jsonb_to_recordset(call->'stock') AS s(reward_id bigint, change integer)
        WHERE r.id = s.reward_id AND r.stock + s.change >= 0;
        IF NOT FOUND AND EXISTS (SELECT 1 FROM jsonb_array_elements(call->'stock') s WHERE (s->>'change')::int < 0) THEN
            RAISE EXCEPTION 'the stock is no longer there' USING ERRCODE = 'serialization_failure';
        END IF;
    END IF;
    IF call ? 'redemptions' THEN
        INSERT INTO rewards_redemption
        SELECT r.* FROM jsonb_populate_recordset(NULL::rewards_redemption, call->'redemptions') r;
    END IF;
    IF call ? 'redemption_changes' THEN
        UPDATE rewards_redemption o
        SET status = r.status, status_at = r.status_at, tracking = r.tracking, entry_seq = r.entry_seq
        FROM jsonb_to_recordset(call->'redemption_changes')
            AS r(id uuid, was text, status text, status_at timestamptz, tracking text, entry_seq bigint)
        WHERE o.id = r.id AND o.status = r.was;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'the order has moved' USING ERRCODE = 'serialization_failure';
        END IF;
    END IF;
    IF call ? 'moves' THEN
        INSERT INTO rewards_move SELECT r.* FROM jsonb_populate_recordset(NULL::rewards_move, call->'moves') r;
    END IF;
    IF call ? 'deliveries' THEN
        INSERT INTO rewards_delivery
        SELECT r.* FROM jsonb_populate_recordset(NULL::rewards_delivery, call->'deliveries') r;
    END IF;
    IF call ? 'pools_back' THEN
        UPDATE rewards_poolcode SET redemption_id = NULL, taken_at = NULL
        WHERE redemption_id IN (SELECT b.id::uuid FROM jsonb_array_elements_text(call->'pools_back') AS b(id));
    END IF;
    IF call ? 'pools' THEN
        UPDATE rewards_poolcode c
        SET redemption_id = (call->'pools'->0->>'redemption_id')::uuid, taken_at = (call->'pools'->0->>'at')::timestamptz
        WHERE c.id = (
            SELECT f.id FROM rewards_poolcode f
            WHERE f.pool_id = (call->'pools'->0->>'pool_id')::bigint AND f.redemption_id IS NULL
                AND (f.valid_until IS NULL OR f.valid_until > (call->'pools'->0->>'at')::timestamptz)
            ORDER BY f.id LIMIT 1 FOR UPDATE SKIP LOCKED
        )
        RETURNING c.* INTO taken;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'no code is free' USING ERRCODE = 'serialization_failure';
        END IF;
        answer := answer || jsonb_build_object('pool_code', to_jsonb(taken));
    END IF;
    IF call ? 'vouchers' THEN
        INSERT INTO rewards_voucher
        SELECT (jsonb_populate_record(NULL::rewards_voucher, v || CASE WHEN taken.id IS NULL THEN '{}' ELSE
            jsonb_build_object('pool_code_id', taken.id, 'lookup', taken.lookup, 'key_id', taken.key_id,
                               'valid_until', coalesce(to_jsonb(taken.valid_until), v->'valid_until')) END)).*
        FROM jsonb_array_elements(call->'vouchers') v;
    END IF;
    IF call ? 'voucher_changes' THEN
        UPDATE rewards_voucher w SET status = r.status, balance = r.balance
        FROM jsonb_to_recordset(call->'voucher_changes')
            AS r(id uuid, was_status text, was_balance numeric, status text, balance numeric)
        WHERE w.id = r.id AND w.status = r.was_status AND w.balance IS NOT DISTINCT FROM r.was_balance;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'the voucher was used' USING ERRCODE = 'serialization_failure';
        END IF;
    END IF;
    IF call ? 'voucher_uses' THEN
        INSERT INTO rewards_voucheruse
        SELECT r.* FROM jsonb_populate_recordset(NULL::rewards_voucheruse, call->'voucher_uses') r;
    END IF;
    IF call ? 'news' THEN
        INSERT INTO members_outboxevent
        SELECT r.* FROM jsonb_populate_recordset(NULL::members_outboxevent, call->'news') r;
    END IF;
    RETURN answer;
END $$;
