CREATE TABLE deletions (
    id TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    target TEXT NOT NULL,
    target_id TEXT NOT NULL,
    status TEXT NOT NULL,
    requested_by TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    run_at_ms BIGINT NOT NULL,
    lease BIGINT NOT NULL,
    lease_until_ms BIGINT NOT NULL,
    deleted BIGINT NOT NULL,
    error TEXT
);
CREATE INDEX deletions_by_workspace ON deletions (workspace_id, id);
CREATE INDEX deletions_open ON deletions (run_at_ms) WHERE status IN ('scheduled', 'running');
