-- The history of tiers is never rewritten; but the reasons of a member who is erased are emptied.
CREATE FUNCTION loyalty_refuse_change_but_erasing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND to_jsonb(NEW) = to_jsonb(OLD) || '{"reason": ""}' AND EXISTS (
        SELECT FROM members_member m WHERE m.id = NEW.member_id AND m.status = 'erased'
    ) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% is append-only: correct by a new entry', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
DROP TRIGGER tier_change_append_only ON loyalty_tierchange;
CREATE TRIGGER tier_change_append_only BEFORE UPDATE OR DELETE ON loyalty_tierchange
    FOR EACH ROW EXECUTE FUNCTION loyalty_refuse_change_but_erasing();
ALTER TABLE loyalty_tierchange ENABLE ALWAYS TRIGGER tier_change_append_only;
