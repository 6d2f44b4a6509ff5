-- Bytes are kept once for each workspace: whether another one has them too must not show.
CREATE TABLE blobs (
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    sha256 TEXT NOT NULL,
    place TEXT NOT NULL,
    size BIGINT NOT NULL,
    refs BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, sha256)
);
-- What a workspace has, and what uploads under way will need.
CREATE TABLE room (
    workspace_id TEXT PRIMARY KEY REFERENCES workspaces (id),
    used BIGINT NOT NULL,
    reserved BIGINT NOT NULL
);
CREATE TABLE artifacts (
    id TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    thread_id TEXT,
    name TEXT NOT NULL,
    version BIGINT NOT NULL,
    deleted_at_ms BIGINT
);
CREATE INDEX artifacts_by_workspace ON artifacts (workspace_id, id);
CREATE TABLE artifact_versions (
    artifact_id TEXT NOT NULL REFERENCES artifacts (id),
    version BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    size BIGINT NOT NULL,
    media_type TEXT NOT NULL,
    created_by TEXT NOT NULL REFERENCES users (id),
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (artifact_id, version)
);
CREATE TABLE uploads (
    id TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    artifact_id TEXT,
    thread_id TEXT,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size BIGINT NOT NULL,
    received BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    became TEXT
);
CREATE INDEX uploads_by_user ON uploads (user_id);
CREATE INDEX uploads_by_end ON uploads (expires_at_ms);
CREATE TABLE upload_parts (
    upload_id TEXT NOT NULL REFERENCES uploads (id),
    start BIGINT NOT NULL,
    size BIGINT NOT NULL,
    place TEXT NOT NULL,
    PRIMARY KEY (upload_id, start)
);
