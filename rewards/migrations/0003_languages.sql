-- Texts fall back along the programme's languages, and times are told on its clock: a change of either is one of
-- what the catalogue shows.
CREATE FUNCTION rewards_catalogue_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed jsonb := coalesce(to_jsonb(NEW), to_jsonb(OLD));
BEGIN
    INSERT INTO rewards_cataloguehead AS head (programme_id, number)
        VALUES (coalesce(changed -> 'programme_id', changed -> 'id')::bigint, 1)
        ON CONFLICT (programme_id) DO UPDATE SET number = head.number + 1;
    RETURN NULL;
END $$;
CREATE TRIGGER catalogue_language_changed AFTER INSERT OR UPDATE ON members_programmelanguage
    FOR EACH ROW EXECUTE FUNCTION rewards_catalogue_changed();
CREATE TRIGGER catalogue_clock_changed AFTER UPDATE OF time_zone, currency ON members_programme
    FOR EACH ROW WHEN (OLD.time_zone <> NEW.time_zone OR OLD.currency <> NEW.currency)
    EXECUTE FUNCTION rewards_catalogue_changed();
