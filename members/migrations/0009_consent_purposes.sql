-- Words that somebody may have agreed to are never rewritten or taken away.
CREATE TRIGGER wordings_append_only BEFORE UPDATE OR DELETE ON members_consentwording
    FOR EACH ROW EXECUTE FUNCTION members_refuse_change();
ALTER TABLE members_consentwording ENABLE ALWAYS TRIGGER wordings_append_only;

-- Tenant walls: words are of their purpose's programme, and what was said of words is of theirs.
ALTER TABLE members_consentwording ADD CONSTRAINT wording_purpose_of_programme
    FOREIGN KEY (programme_id, purpose_id) REFERENCES members_consentpurpose (programme_id, id);
ALTER TABLE members_consentchange ADD CONSTRAINT consent_wording_of_programme
    FOREIGN KEY (programme_id, wording_id) REFERENCES members_consentwording (programme_id, id);
