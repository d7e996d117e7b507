-- Tenant walls: an event belongs to the programme of its account and of its type, a reversal to its event's.
ALTER TABLE loyalty_event ADD CONSTRAINT event_account_of_programme
    FOREIGN KEY (programme_id, account_id) REFERENCES loyalty_account (programme_id, id);
ALTER TABLE loyalty_event ADD CONSTRAINT event_type_of_programme
    FOREIGN KEY (programme_id, type_id) REFERENCES loyalty_eventtype (programme_id, id);
ALTER TABLE loyalty_eventreversal ADD CONSTRAINT event_reversal_event_of_programme
    FOREIGN KEY (programme_id, event_id) REFERENCES loyalty_event (programme_id, id);
ALTER TABLE loyalty_eventreversal ADD CONSTRAINT event_reversal_account_of_programme
    FOREIGN KEY (programme_id, account_id) REFERENCES loyalty_account (programme_id, id);
ALTER TABLE loyalty_eventdevice ADD CONSTRAINT event_device_type_of_programme
    FOREIGN KEY (programme_id, type_id) REFERENCES loyalty_eventtype (programme_id, id);
