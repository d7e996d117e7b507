DROP TRIGGER catalogue_clock_changed ON members_programme;
DROP TRIGGER catalogue_language_changed ON members_programmelanguage;
DROP FUNCTION rewards_catalogue_changed();
