CREATE TABLE activity (
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    seq BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    actor TEXT,
    verb TEXT NOT NULL,
    object_kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    data TEXT NOT NULL,
    only_for TEXT,
    PRIMARY KEY (workspace_id, seq)
);
CREATE INDEX activity_by_object ON activity (workspace_id, object_kind, object_id);
