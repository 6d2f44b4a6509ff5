CREATE TABLE docs (
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    id TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    head_seq BIGINT NOT NULL,
    snapshot_seq BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    deleted_at_ms BIGINT,
    PRIMARY KEY (workspace_id, id)
);
CREATE TABLE doc_updates (
    workspace_id TEXT NOT NULL,
    doc_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    user_id TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    body {blob} NOT NULL,
    PRIMARY KEY (workspace_id, doc_id, seq)
);
CREATE TABLE doc_snapshots (
    workspace_id TEXT NOT NULL,
    doc_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    vector {blob} NOT NULL,
    state {blob} NOT NULL,
    PRIMARY KEY (workspace_id, doc_id)
);
CREATE TABLE doc_versions (
    workspace_id TEXT NOT NULL,
    doc_id TEXT NOT NULL,
    id TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    label TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    state {blob} NOT NULL,
    PRIMARY KEY (workspace_id, doc_id, id)
);
