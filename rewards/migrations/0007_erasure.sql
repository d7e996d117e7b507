-- Steps of orders are never rewritten; but the notes and tracking numbers of a member who is erased are emptied.
CREATE FUNCTION rewards_refuse_change_but_erasing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND to_jsonb(NEW) = to_jsonb(OLD) || '{"note": "", "tracking": ""}' AND EXISTS (
        SELECT FROM rewards_redemption o JOIN members_member m ON m.id = o.member_id
        WHERE o.id = NEW.redemption_id AND m.status = 'erased'
    ) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% is append-only: correct by a new entry', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
DROP TRIGGER move_append_only ON rewards_move;
CREATE TRIGGER move_append_only BEFORE UPDATE OR DELETE ON rewards_move
    FOR EACH ROW EXECUTE FUNCTION rewards_refuse_change_but_erasing();
ALTER TABLE rewards_move ENABLE ALWAYS TRIGGER move_append_only;
