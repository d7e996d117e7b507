-- What the database itself refuses, each by name.

-- Tenant walls: what a gift is made of is of the gift's programme.
ALTER TABLE rewards_category ADD CONSTRAINT category_parent_of_programme
    FOREIGN KEY (programme_id, parent_id) REFERENCES rewards_category (programme_id, id);
ALTER TABLE rewards_category ADD CONSTRAINT category_picture_of_programme
    FOREIGN KEY (programme_id, picture_id) REFERENCES rewards_picture (programme_id, id);
ALTER TABLE rewards_rewardversion ADD CONSTRAINT version_reward_of_programme
    FOREIGN KEY (programme_id, reward_id) REFERENCES rewards_reward (programme_id, id);
ALTER TABLE rewards_versionpicture ADD CONSTRAINT version_picture_version_of_programme
    FOREIGN KEY (programme_id, version_id) REFERENCES rewards_rewardversion (programme_id, id);
ALTER TABLE rewards_versionpicture ADD CONSTRAINT version_picture_picture_of_programme
    FOREIGN KEY (programme_id, picture_id) REFERENCES rewards_picture (programme_id, id);
ALTER TABLE rewards_rewardstep ADD CONSTRAINT step_reward_of_programme
    FOREIGN KEY (programme_id, reward_id) REFERENCES rewards_reward (programme_id, id);
ALTER TABLE rewards_rewardstep ADD CONSTRAINT step_version_of_programme
    FOREIGN KEY (programme_id, version_id) REFERENCES rewards_rewardversion (programme_id, id);
ALTER TABLE rewards_promotionalprice ADD CONSTRAINT promotional_price_reward_of_programme
    FOREIGN KEY (programme_id, reward_id) REFERENCES rewards_reward (programme_id, id);
ALTER TABLE rewards_promotionalprice ADD CONSTRAINT promotional_price_promotion_of_programme
    FOREIGN KEY (programme_id, promotion_id) REFERENCES loyalty_promotion (programme_id, id);

-- "What did the gift cost then?" has one answer, whoever raced to validate.
ALTER TABLE rewards_rewardversion ADD CONSTRAINT version_shown_once_at_a_time
    EXCLUDE USING gist (
        int8range(reward_id, reward_id, '[]') WITH =,
        tstzrange(shown_from, shown_until) WITH &&
    ) WHERE (state = 'live');

-- Who decided what, and why, is never rewritten or removed.
CREATE TRIGGER reward_step_append_only BEFORE UPDATE OR DELETE ON rewards_rewardstep
    FOR EACH ROW EXECUTE FUNCTION loyalty_refuse_change();
ALTER TABLE rewards_rewardstep ENABLE ALWAYS TRIGGER reward_step_append_only;

-- What was submitted is what gets validated and shown: from then on only its place in the life of a version moves.
CREATE FUNCTION rewards_refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    life CONSTANT text[] := ARRAY['state', 'shown_from', 'shown_until', 'submitted_by', 'submitted_at',
                                  'validated_by', 'validated_at'];
BEGIN
    IF TG_OP = 'DELETE' OR to_jsonb(OLD) - life IS DISTINCT FROM to_jsonb(NEW) - life THEN
        RAISE EXCEPTION 'a submitted version is not rewritten: make a new one' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER version_not_rewritten BEFORE UPDATE OR DELETE ON rewards_rewardversion
    FOR EACH ROW WHEN (OLD.state NOT IN ('draft', 'changes_requested'))
    EXECUTE FUNCTION rewards_refuse_rewriting();
ALTER TABLE rewards_rewardversion ENABLE ALWAYS TRIGGER version_not_rewritten;

CREATE FUNCTION rewards_refuse_other_pictures() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched bigint[] := ARRAY[CASE WHEN TG_OP <> 'INSERT' THEN OLD.version_id END,
                              CASE WHEN TG_OP <> 'DELETE' THEN NEW.version_id END];
BEGIN
    IF EXISTS (SELECT FROM rewards_rewardversion
               WHERE id = ANY (touched) AND state NOT IN ('draft', 'changes_requested')) THEN
        RAISE EXCEPTION 'a submitted version keeps its pictures' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER version_pictures_not_rewritten BEFORE INSERT OR UPDATE OR DELETE ON rewards_versionpicture
    FOR EACH ROW EXECUTE FUNCTION rewards_refuse_other_pictures();
ALTER TABLE rewards_versionpicture ENABLE ALWAYS TRIGGER version_pictures_not_rewritten;

-- The catalogue's number rises when a gift sells out or comes back, whoever writes the stock: feeds are kept under it.
-- The row of the number is locked after the reward's.
CREATE FUNCTION rewards_stock_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO rewards_cataloguehead AS head (programme_id, number) VALUES (NEW.programme_id, 1)
        ON CONFLICT (programme_id) DO UPDATE SET number = head.number + 1
        RETURNING number INTO NEW.revision;
    NEW.changed_at := greatest(NEW.changed_at, now());
    RETURN NEW;
END $$;
CREATE TRIGGER reward_stock_changed BEFORE UPDATE OF stock ON rewards_reward
    FOR EACH ROW WHEN (coalesce(OLD.stock, 1) > 0 IS DISTINCT FROM coalesce(NEW.stock, 1) > 0)
    EXECUTE FUNCTION rewards_stock_changed();
