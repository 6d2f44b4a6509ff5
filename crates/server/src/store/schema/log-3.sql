-- An item is where the log has it; what earlier versions kept of it here stays good as of that event.
ALTER TABLE items ADD COLUMN payload_seq BIGINT NOT NULL DEFAULT 0;
UPDATE items SET payload_seq = applied_seq;
