-- Words that somebody may have agreed to are never rewritten or taken away.
CREATE TRIGGER wordings_append_only BEFORE UPDATE OR DELETE ON members_consentwording
    FOR EACH ROW EXECUTE FUNCTION members_refuse_change();
ALTER TABLE members_consentwording ENABLE ALWAYS TRIGGER wordings_append_only;
