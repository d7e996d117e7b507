-- loyalty_apply(call): the one writer of points. It holds no business rule: it books rows that the pure
-- ledger computed, for each account only if that account still is at the version they were computed from
-- and the promotion budgets have the room they count on, and event counters of devices have not moved.
--
-- call = {
--   "key":      {partner_id, key, programme_id, fingerprint, status, body, created_at} or absent,
--   "accounts": [{...new state, "expected": version it was computed from}],
--   "new_accounts": [empty accounts at version 0, for those that may not exist yet],
--   "budgets":  [{promotion_id, account_id, points, uses, points_limit, uses_limit}],
--   "entries", "lots", "draws", "holds", "transactions", "reversals", "adjustments", "usage", "activity", "outbox": rows,
--   "standings": [the tiers a member has, with "held", the one that counts], "tier_changes": rows,
--   "usage_returned": what to take off usage that exists,
--   "devices":  [{programme_id, type_id, device, account_id, expected}] event counters of devices with their version,
--   "events", "event_reversals": rows, "event_changes": new values of events that exist,
--   "lot_changes", "hold_changes", "transaction_changes", "adjustment_changes": new values of rows that exist
-- }
-- Every row but the key's names its account; rows of a stale account are left out.
--
-- Answer: {"key": "taken"} when the key row exists already (nothing is written), else {"stale": [account ids]}.
-- A stale account under a key with an answer takes the key row back, so that it can be decided again.
--
-- Lock order: key row, accounts by id, budgets by promotion, devices by type and device, then the rest.
CREATE OR REPLACE FUNCTION loyalty_apply(call jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[];
    fresh bigint[];
    stale bigint[];
BEGIN
    IF call ? 'key' THEN
        INSERT INTO loyalty_idempotencykey AS k
        SELECT * FROM jsonb_populate_record(NULL::loyalty_idempotencykey, call->'key')
        ON CONFLICT (partner_id, key) DO UPDATE SET status = EXCLUDED.status, body = EXCLUDED.body
            WHERE coalesce(k.status, 0) = 0 AND k.fingerprint = EXCLUDED.fingerprint;
        IF NOT FOUND THEN
            RETURN '{"key": "taken"}';
        END IF;
    END IF;

    IF call ? 'accounts' THEN
        IF call ? 'new_accounts' THEN
            INSERT INTO loyalty_account
            SELECT n.* FROM jsonb_populate_recordset(NULL::loyalty_account, call->'new_accounts') n ORDER BY n.id
            ON CONFLICT DO NOTHING;
        END IF;

        -- The ids once more as an array: a join alone would scan all accounts, as nobody knows how few rows it has.
        ids := ARRAY(SELECT (n->>'id')::bigint FROM jsonb_array_elements(call->'accounts') n);
        SELECT coalesce(array_agg(locked.id), '{}') INTO fresh FROM (
            SELECT a.id FROM loyalty_account a
            JOIN jsonb_to_recordset(call->'accounts') AS n(id bigint, expected bigint) ON n.id = a.id
            WHERE a.id = ANY(ids) AND a.version = n.expected
            ORDER BY a.id FOR UPDATE OF a
        ) locked;

        IF call ? 'budgets' THEN
            PERFORM 1 FROM loyalty_promotionbudget b
            WHERE b.promotion_id IN (SELECT (n->>'promotion_id')::bigint FROM jsonb_array_elements(call->'budgets') n)
            ORDER BY b.promotion_id FOR UPDATE;
            WITH asked AS (
                SELECT n.* FROM jsonb_to_recordset(call->'budgets')
                    AS n(promotion_id bigint, account_id bigint, points numeric, uses bigint,
                         points_limit numeric, uses_limit bigint)
                WHERE n.account_id = ANY(fresh)
            ), short AS (
                SELECT a.promotion_id FROM asked a JOIN loyalty_promotionbudget b USING (promotion_id)
                GROUP BY a.promotion_id, b.points_used, b.uses_used
                HAVING sum(a.points) > 0 AND b.points_used + sum(a.points) > min(a.points_limit)
                    OR sum(a.uses) > 0 AND b.uses_used + sum(a.uses) > min(a.uses_limit)
            )
            SELECT array_agg(id) INTO fresh FROM unnest(fresh) id
            WHERE id NOT IN (SELECT a.account_id FROM asked a JOIN short USING (promotion_id));
            fresh := coalesce(fresh, '{}');
            UPDATE loyalty_promotionbudget b
            SET points_used = b.points_used + n.points, uses_used = b.uses_used + n.uses
            FROM (
                SELECT r.promotion_id, sum(r.points) AS points, sum(r.uses) AS uses
                FROM jsonb_to_recordset(call->'budgets')
                    AS r(promotion_id bigint, account_id bigint, points numeric, uses bigint)
                WHERE r.account_id = ANY(fresh)
                GROUP BY r.promotion_id
            ) n WHERE n.promotion_id = b.promotion_id;
        END IF;

        IF call ? 'devices' THEN
            INSERT INTO loyalty_eventdevice (programme_id, type_id, device, version)
            SELECT n.programme_id, n.type_id, n.device, 0
            FROM jsonb_populate_recordset(NULL::loyalty_eventdevice, call->'devices') n
            ORDER BY n.type_id, n.device
            ON CONFLICT DO NOTHING;
            PERFORM 1 FROM loyalty_eventdevice d
            JOIN jsonb_populate_recordset(NULL::loyalty_eventdevice, call->'devices') n USING (type_id, device)
            ORDER BY d.type_id, d.device FOR UPDATE OF d;
            fresh := ARRAY(SELECT id FROM unnest(fresh) id WHERE id NOT IN (
                SELECT n.account_id
                FROM jsonb_to_recordset(call->'devices')
                    AS n(type_id bigint, device bytea, account_id bigint, expected bigint)
                JOIN loyalty_eventdevice d USING (type_id, device)
                WHERE d.version <> n.expected));
            UPDATE loyalty_eventdevice d SET version = d.version + 1
            FROM jsonb_to_recordset(call->'devices') AS n(type_id bigint, device bytea, account_id bigint)
            WHERE d.type_id = n.type_id AND d.device = n.device AND n.account_id = ANY(fresh);
        END IF;

        UPDATE loyalty_account a
        SET version = n.version, seq = n.seq, draws = n.draws, available = n.available, pending = n.pending,
            held = n.held, debt = n.debt, transactions = n.transactions, head = n.head,
            settled_at = n.settled_at, next_change_at = n.next_change_at
        FROM jsonb_populate_recordset(NULL::loyalty_account, call->'accounts') n
        WHERE a.id = n.id AND a.id = ANY(fresh);

        IF cardinality(fresh) < cardinality(ids) THEN
            stale := ARRAY(SELECT id FROM unnest(ids) id WHERE id <> ALL(fresh));
            IF call->'key'->>'status' <> '0' THEN
                DELETE FROM loyalty_idempotencykey
                WHERE partner_id = (call->'key'->>'partner_id')::bigint AND key = call->'key'->>'key';
            END IF;
        END IF;
    END IF;

    IF call ? 'entries' THEN
        INSERT INTO loyalty_entry
        SELECT r.* FROM jsonb_populate_recordset(NULL::loyalty_entry, call->'entries') r WHERE r.account_id = ANY(fresh);
    END IF;
    IF call ? 'lots' THEN
        INSERT INTO loyalty_lot
        SELECT r.* FROM jsonb_populate_recordset(NULL::loyalty_lot, call->'lots') r WHERE r.account_id = ANY(fresh);
    END IF;
    IF call ? 'lot_changes' THEN
        UPDATE loyalty_lot l SET remaining = r.remaining, expired = r.expired, expires_at = r.expires_at
        FROM jsonb_populate_recordset(NULL::loyalty_lot, call->'lot_changes') r
        WHERE l.account_id = r.account_id AND l.seq = r.seq AND r.account_id = ANY(fresh);
    END IF;
    IF call ? 'draws' THEN
        INSERT INTO loyalty_draw
        SELECT r.* FROM jsonb_populate_recordset(NULL::loyalty_draw, call->'draws') r WHERE r.account_id = ANY(fresh);
    END IF;
    IF call ? 'holds' THEN
        INSERT INTO loyalty_hold
        SELECT r.* FROM jsonb_populate_recordset(NULL::loyalty_hold, call->'holds') r WHERE r.account_id = ANY(fresh);
    END IF;
    IF call ? 'hold_changes' THEN
        UPDATE loyalty_hold h SET status = r.status, ended_at = r.ended_at
        FROM jsonb_populate_recordset(NULL::loyalty_hold, call->'hold_changes') r
        WHERE h.id = r.id AND h.account_id = r.account_id AND r.account_id = ANY(fresh);
    END IF;
    IF call ? 'transactions' THEN
        INSERT INTO loyalty_transaction
        SELECT r.* FROM jsonb_populate_recordset(NULL::loyalty_transaction, call->'transactions') r
        WHERE r.account_id = ANY(fresh);
    END IF;
    IF call ? 'transaction_changes' THEN
        UPDATE loyalty_transaction t
        SET status = r.status, remaining_points = r.remaining_points, remaining_qualifying = r.remaining_qualifying,
            remaining_lines = r.remaining_lines, remaining_awards = r.remaining_awards
        FROM jsonb_populate_recordset(NULL::loyalty_transaction, call->'transaction_changes') r
        WHERE t.id = r.id AND t.account_id = r.account_id AND r.account_id = ANY(fresh);
    END IF;
    IF call ? 'reversals' THEN
        INSERT INTO loyalty_reversal
        SELECT r.* FROM jsonb_populate_recordset(NULL::loyalty_reversal, call->'reversals') r
        WHERE r.account_id = ANY(fresh);
    END IF;
    IF call ? 'adjustments' THEN
        INSERT INTO loyalty_adjustment
        SELECT r.* FROM jsonb_populate_recordset(NULL::loyalty_adjustment, call->'adjustments') r
        WHERE r.account_id = ANY(fresh);
    END IF;
    IF call ? 'adjustment_changes' THEN
        UPDATE loyalty_adjustment t
        SET status = r.status, approved_by = r.approved_by, posted_at = r.posted_at, entry_seq = r.entry_seq,
            activates_at = r.activates_at, expires_at = r.expires_at, balance = r.balance
        FROM jsonb_populate_recordset(NULL::loyalty_adjustment, call->'adjustment_changes') r
        WHERE t.id = r.id AND t.account_id = r.account_id AND r.account_id = ANY(fresh);
    END IF;
    IF call ? 'events' THEN
        INSERT INTO loyalty_event
        SELECT r.* FROM jsonb_populate_recordset(NULL::loyalty_event, call->'events') r
        WHERE r.account_id = ANY(fresh);
    END IF;
    IF call ? 'event_changes' THEN
        UPDATE loyalty_event t
        SET status = r.status, points = r.points, qualifying = r.qualifying, activates_at = r.activates_at,
            expires_at = r.expires_at, entry_seq = r.entry_seq, balance = r.balance, decided_by = r.decided_by,
            decided_at = r.decided_at, decision_reason = r.decision_reason
        FROM jsonb_populate_recordset(NULL::loyalty_event, call->'event_changes') r
        WHERE t.id = r.id AND t.account_id = r.account_id AND r.account_id = ANY(fresh);
    END IF;
    IF call ? 'event_reversals' THEN
        INSERT INTO loyalty_eventreversal
        SELECT r.* FROM jsonb_populate_recordset(NULL::loyalty_eventreversal, call->'event_reversals') r
        WHERE r.account_id = ANY(fresh);
    END IF;
    IF call ? 'usage' THEN
        INSERT INTO loyalty_promotionusage AS u
        SELECT r.* FROM jsonb_populate_recordset(NULL::loyalty_promotionusage, call->'usage') r
        WHERE r.account_id = ANY(fresh)
        ON CONFLICT (account_id, promotion_id, day) DO UPDATE
            SET points = u.points + EXCLUDED.points, uses = u.uses + EXCLUDED.uses;
    END IF;
    IF call ? 'usage_returned' THEN
        UPDATE loyalty_promotionusage u SET points = u.points - r.points, uses = u.uses - r.uses
        FROM jsonb_populate_recordset(NULL::loyalty_promotionusage, call->'usage_returned') r
        WHERE u.account_id = r.account_id AND u.promotion_id = r.promotion_id AND u.day = r.day
            AND r.account_id = ANY(fresh);
    END IF;
    IF call ? 'activity' THEN
        INSERT INTO members_activity AS a
            (member_id, day, programme_id, transactions, spend, earned, burned, qualifying)
        SELECT r.member_id, r.day, r.programme_id, r.transactions, r.spend, r.earned, r.burned, coalesce(r.qualifying, 0)
        FROM jsonb_populate_recordset(NULL::members_activity, call->'activity') r
        WHERE r.member_id = ANY(fresh)
        ON CONFLICT (member_id, day) DO UPDATE
            SET transactions = a.transactions + EXCLUDED.transactions, spend = a.spend + EXCLUDED.spend,
                earned = a.earned + EXCLUDED.earned, burned = a.burned + EXCLUDED.burned,
                qualifying = a.qualifying + EXCLUDED.qualifying;
    END IF;
    IF call ? 'standings' THEN
        INSERT INTO loyalty_tierstanding AS s
        SELECT r.* FROM jsonb_populate_recordset(NULL::loyalty_tierstanding, call->'standings') r
        WHERE r.member_id = ANY(fresh)
        ON CONFLICT (member_id) DO UPDATE
            SET tier = EXCLUDED.tier, since = EXCLUDED.since, confirmed_on = EXCLUDED.confirmed_on,
                valid_until = EXCLUDED.valid_until, granted = EXCLUDED.granted, granted_at = EXCLUDED.granted_at,
                granted_until = EXCLUDED.granted_until, due_at = EXCLUDED.due_at;
        UPDATE members_member m SET tier = r.held
        FROM jsonb_to_recordset(call->'standings') AS r(member_id bigint, held text)
        WHERE m.id = r.member_id AND m.id = ANY(fresh) AND m.tier <> r.held;
    END IF;
    IF call ? 'tier_changes' THEN
        INSERT INTO loyalty_tierchange
        SELECT r.* FROM jsonb_populate_recordset(NULL::loyalty_tierchange, call->'tier_changes') r
        WHERE r.member_id = ANY(fresh);
    END IF;
    IF call ? 'outbox' THEN
        INSERT INTO members_outboxevent
        SELECT r.* FROM jsonb_populate_recordset(NULL::members_outboxevent, call->'outbox') r
        WHERE r.member_id = ANY(fresh);
    END IF;
    RETURN jsonb_build_object('stale', coalesce(stale, '{}'));
END $$;
