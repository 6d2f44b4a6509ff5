CREATE TABLE users (
    id TEXT PRIMARY KEY,
    cloud TEXT NOT NULL,
    tid TEXT NOT NULL,
    oid TEXT NOT NULL,
    name TEXT NOT NULL,
    guest BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    last_seen_at_ms BIGINT NOT NULL,
    UNIQUE (cloud, tid, oid)
);
CREATE TABLE workspaces (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    tid TEXT NOT NULL,
    activity_seq BIGINT NOT NULL,
    created_by TEXT NOT NULL REFERENCES users (id),
    created_at_ms BIGINT NOT NULL,
    archived_at_ms BIGINT,
    deleted_at_ms BIGINT
);
CREATE TABLE memberships (
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    role TEXT NOT NULL,
    added_by TEXT NOT NULL,
    added_at_ms BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, user_id)
);
CREATE INDEX memberships_by_user ON memberships (user_id);
CREATE TABLE bindings (
    id TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    cloud TEXT NOT NULL,
    tid TEXT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    role TEXT NOT NULL,
    UNIQUE (workspace_id, cloud, tid, kind, value)
);
CREATE INDEX bindings_by_value ON bindings (cloud, tid, kind, value);
