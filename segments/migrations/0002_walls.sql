-- Tenant walls: segment and member of a membership are of the membership's programme.
ALTER TABLE segments_membership
    ADD CONSTRAINT membership_segment_of_programme
    FOREIGN KEY (programme_id, segment_id) REFERENCES segments_segment (programme_id, id);
ALTER TABLE segments_membership
    ADD CONSTRAINT membership_member_of_programme
    FOREIGN KEY (programme_id, member_id) REFERENCES members_member (programme_id, id);

-- A member is in a segment once at a time: "was she in it then?" has one answer, whoever raced to write it.
-- The ranges of one stand for equality, so that no extension is needed.
ALTER TABLE segments_membership
    ADD CONSTRAINT membership_once_at_a_time
    EXCLUDE USING gist (
        int8range(segment_id, segment_id, '[]') WITH =,
        int8range(member_id, member_id, '[]') WITH =,
        tstzrange(valid_from, valid_until) WITH &&
    );
