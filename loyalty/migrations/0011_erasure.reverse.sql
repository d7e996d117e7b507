DROP TRIGGER tier_change_append_only ON loyalty_tierchange;
CREATE TRIGGER tier_change_append_only BEFORE UPDATE OR DELETE ON loyalty_tierchange
    FOR EACH ROW EXECUTE FUNCTION loyalty_refuse_change();
ALTER TABLE loyalty_tierchange ENABLE ALWAYS TRIGGER tier_change_append_only;
DROP FUNCTION loyalty_refuse_change_but_erasing();
