DROP TRIGGER move_append_only ON rewards_move;
CREATE TRIGGER move_append_only BEFORE UPDATE OR DELETE ON rewards_move
    FOR EACH ROW EXECUTE FUNCTION loyalty_refuse_change();
ALTER TABLE rewards_move ENABLE ALWAYS TRIGGER move_append_only;
DROP FUNCTION rewards_refuse_change_but_erasing();
