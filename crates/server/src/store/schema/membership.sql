CREATE TABLE invitations (
    id TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    token_hash TEXT NOT NULL UNIQUE,
    cloud TEXT NOT NULL,
    tid TEXT NOT NULL,
    role TEXT NOT NULL,
    made_by TEXT NOT NULL REFERENCES users (id),
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    used_by TEXT REFERENCES users (id),
    used_at_ms BIGINT
);
CREATE INDEX invitations_by_workspace ON invitations (workspace_id, id);
CREATE TABLE devices (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    platform TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    last_seen_at_ms BIGINT NOT NULL,
    revoked_at_ms BIGINT
);
CREATE INDEX devices_by_user ON devices (user_id, id);
