-- Tenant wall: a session's member is of the session's programme.
ALTER TABLE members_membersession
    ADD CONSTRAINT session_member_of_programme
    FOREIGN KEY (programme_id, member_id) REFERENCES members_member (programme_id, id);
