-- Tenant wall: a member's activity is booked in the member's own programme. Postings write this row without
-- asking again whose member it is, so the database does.
ALTER TABLE members_activity
    ADD CONSTRAINT activity_member_of_programme
    FOREIGN KEY (programme_id, member_id) REFERENCES members_member (programme_id, id);
