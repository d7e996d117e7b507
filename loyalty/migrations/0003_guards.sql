-- What the database itself refuses, each by name.

-- Append-only: what was written about points is never rewritten or removed. ENABLE ALWAYS holds under
-- session_replication_role too; TRUNCATE is left to the owner of a test database.
CREATE FUNCTION loyalty_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: correct by a new entry', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER entry_append_only BEFORE UPDATE OR DELETE ON loyalty_entry
    FOR EACH ROW EXECUTE FUNCTION loyalty_refuse_change();
ALTER TABLE loyalty_entry ENABLE ALWAYS TRIGGER entry_append_only;

CREATE TRIGGER draw_append_only BEFORE UPDATE OR DELETE ON loyalty_draw
    FOR EACH ROW EXECUTE FUNCTION loyalty_refuse_change();
ALTER TABLE loyalty_draw ENABLE ALWAYS TRIGGER draw_append_only;

-- Tenant walls: rows about points belong to the programme of the account or member they name.
ALTER TABLE loyalty_account ADD CONSTRAINT account_member_of_programme
    FOREIGN KEY (programme_id, id) REFERENCES members_member (programme_id, id);
ALTER TABLE loyalty_entry ADD CONSTRAINT entry_account_of_programme
    FOREIGN KEY (programme_id, account_id) REFERENCES loyalty_account (programme_id, id);
ALTER TABLE loyalty_lot ADD CONSTRAINT lot_account_of_programme
    FOREIGN KEY (programme_id, account_id) REFERENCES loyalty_account (programme_id, id);
ALTER TABLE loyalty_draw ADD CONSTRAINT draw_account_of_programme
    FOREIGN KEY (programme_id, account_id) REFERENCES loyalty_account (programme_id, id);
ALTER TABLE loyalty_transaction ADD CONSTRAINT transaction_account_of_programme
    FOREIGN KEY (programme_id, account_id) REFERENCES loyalty_account (programme_id, id);
ALTER TABLE loyalty_reversal ADD CONSTRAINT reversal_transaction_of_programme
    FOREIGN KEY (programme_id, transaction_id) REFERENCES loyalty_transaction (programme_id, id);
ALTER TABLE loyalty_reversal ADD CONSTRAINT reversal_account_of_programme
    FOREIGN KEY (programme_id, account_id) REFERENCES loyalty_account (programme_id, id);
ALTER TABLE loyalty_adjustment ADD CONSTRAINT adjustment_account_of_programme
    FOREIGN KEY (programme_id, account_id) REFERENCES loyalty_account (programme_id, id);
ALTER TABLE loyalty_promotionusage ADD CONSTRAINT usage_account_of_programme
    FOREIGN KEY (programme_id, account_id) REFERENCES loyalty_account (programme_id, id);
ALTER TABLE loyalty_promotionusage ADD CONSTRAINT usage_promotion_of_programme
    FOREIGN KEY (programme_id, promotion_id) REFERENCES loyalty_promotion (programme_id, id);
ALTER TABLE loyalty_promotionsegment ADD CONSTRAINT link_promotion_of_programme
    FOREIGN KEY (programme_id, promotion_id) REFERENCES loyalty_promotion (programme_id, id);
ALTER TABLE loyalty_promotionsegment ADD CONSTRAINT link_segment_of_programme
    FOREIGN KEY (programme_id, segment_id) REFERENCES segments_segment (programme_id, id);

-- A lot is opened by an entry, a draw takes from a lot: both of the same account.
ALTER TABLE loyalty_lot ADD CONSTRAINT lot_opened_by_entry
    FOREIGN KEY (account_id, seq) REFERENCES loyalty_entry (account_id, seq) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE loyalty_draw ADD CONSTRAINT draw_of_lot
    FOREIGN KEY (account_id, lot_seq) REFERENCES loyalty_lot (account_id, seq);

-- A promotion and a segment are linked once at a time: "was she included then?" has one answer.
ALTER TABLE loyalty_promotionsegment ADD CONSTRAINT promotion_link_no_overlap
    EXCLUDE USING gist (
        int8range(promotion_id, promotion_id, '[]') WITH =,
        int8range(segment_id, segment_id, '[]') WITH =,
        tstzrange(valid_from, valid_until) WITH &&
    );
