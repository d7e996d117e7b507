-- What was said of consents is never rewritten. It is personal data, so the owner of the table may delete it.
CREATE FUNCTION members_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER consents_append_only BEFORE UPDATE ON members_consentchange
    FOR EACH ROW EXECUTE FUNCTION members_refuse_change();
ALTER TABLE members_consentchange ENABLE ALWAYS TRIGGER consents_append_only;

-- Tenant wall: a consent is of the member's own programme.
ALTER TABLE members_consentchange
    ADD CONSTRAINT consent_member_of_programme
    FOREIGN KEY (programme_id, member_id) REFERENCES members_member (programme_id, id);
