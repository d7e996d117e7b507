-- Tenant walls: what belongs to a segment or speaks of a member is of their programme.
ALTER TABLE segments_pin
    ADD CONSTRAINT pin_segment_of_programme
    FOREIGN KEY (programme_id, segment_id) REFERENCES segments_segment (programme_id, id);
ALTER TABLE segments_pin
    ADD CONSTRAINT pin_member_of_programme
    FOREIGN KEY (programme_id, member_id) REFERENCES members_member (programme_id, id);
ALTER TABLE segments_refresh
    ADD CONSTRAINT refresh_segment_of_programme
    FOREIGN KEY (programme_id, segment_id) REFERENCES segments_segment (programme_id, id);
ALTER TABLE segments_upload
    ADD CONSTRAINT upload_segment_of_programme
    FOREIGN KEY (programme_id, segment_id) REFERENCES segments_segment (programme_id, id);
