ALTER TABLE docs ADD COLUMN versioned_seq BIGINT NOT NULL DEFAULT 0;
ALTER TABLE docs ADD COLUMN versioned_at_ms BIGINT NOT NULL DEFAULT 0;
CREATE INDEX docs_changed ON docs (versioned_at_ms) WHERE deleted_at_ms IS NULL AND head_seq > versioned_seq;
