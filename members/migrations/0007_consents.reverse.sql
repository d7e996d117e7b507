ALTER TABLE members_consentchange DROP CONSTRAINT consent_member_of_programme;
DROP TRIGGER consents_append_only ON members_consentchange;
DROP FUNCTION members_refuse_change();
