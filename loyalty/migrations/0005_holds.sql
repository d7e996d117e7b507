-- A hold belongs to the programme of the account whose points it sets aside.
ALTER TABLE loyalty_hold ADD CONSTRAINT hold_account_of_programme
    FOREIGN KEY (programme_id, account_id) REFERENCES loyalty_account (programme_id, id);
