CREATE TABLE audit (
    id BIGINT PRIMARY KEY,
    at_ms BIGINT NOT NULL,
    actor TEXT NOT NULL,
    address TEXT NOT NULL,
    workspace_id TEXT,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL
);
CREATE INDEX audit_by_workspace ON audit (workspace_id, id);
CREATE TABLE audit_ends (
    one BIGINT PRIMARY KEY,
    head_id BIGINT NOT NULL,
    head_hash TEXT NOT NULL,
    floor_id BIGINT NOT NULL,
    floor_hash TEXT NOT NULL
);
INSERT INTO audit_ends (one, head_id, head_hash, floor_id, floor_hash) VALUES (1, 0, '', 0, '');
