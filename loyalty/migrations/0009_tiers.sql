-- Qualifying points by member and day, from the transactions and events booked so far.
UPDATE members_activity a SET qualifying = t.qualifying
FROM (
    SELECT account_id, day, sum(points) AS qualifying FROM (
        SELECT account_id, day, remaining_qualifying AS points FROM loyalty_transaction
        UNION ALL
        SELECT account_id, day, qualifying FROM loyalty_event WHERE status = 'posted'
    ) given GROUP BY account_id, day HAVING sum(points) <> 0
) t WHERE t.account_id = a.member_id AND t.day = a.day;

-- The history of tiers is never rewritten.
CREATE TRIGGER tier_change_append_only BEFORE UPDATE OR DELETE ON loyalty_tierchange
    FOR EACH ROW EXECUTE FUNCTION loyalty_refuse_change();
ALTER TABLE loyalty_tierchange ENABLE ALWAYS TRIGGER tier_change_append_only;

-- Tenant walls: a member's tier is one of the member's own programme.
ALTER TABLE loyalty_tierstanding ADD CONSTRAINT tier_standing_member_of_programme
    FOREIGN KEY (programme_id, member_id) REFERENCES members_member (programme_id, id);
ALTER TABLE loyalty_tierchange ADD CONSTRAINT tier_change_member_of_programme
    FOREIGN KEY (programme_id, member_id) REFERENCES members_member (programme_id, id);
