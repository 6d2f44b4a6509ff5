CREATE TABLE tickets (
    hash TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    verified TEXT NOT NULL,
    purpose TEXT NOT NULL,
    origin TEXT,
    device_id TEXT,
    expires_at_ms BIGINT NOT NULL
);
CREATE INDEX tickets_by_user ON tickets (user_id);
CREATE INDEX tickets_by_end ON tickets (expires_at_ms);
