ALTER TABLE loyalty_hold DROP CONSTRAINT hold_account_of_programme;
