-- Their deliveries are sent one at a time, by the node that has the lease: of several that think so, the highest one.
CREATE TABLE webhooks (
    id TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    url TEXT NOT NULL,
    verbs TEXT,
    secret TEXT NOT NULL,
    made_by TEXT NOT NULL REFERENCES users (id),
    created_at_ms BIGINT NOT NULL,
    lease BIGINT NOT NULL,
    lease_until_ms BIGINT NOT NULL,
    served_at_ms BIGINT NOT NULL
);
CREATE INDEX webhooks_by_workspace ON webhooks (workspace_id, id);
-- What is sent is the line of the feed as it is then; it is not copied here.
CREATE TABLE webhook_deliveries (
    id TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    webhook_id TEXT NOT NULL REFERENCES webhooks (id),
    seq BIGINT NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    due_at_ms BIGINT NOT NULL,
    last_at_ms BIGINT,
    last_status BIGINT,
    last_error TEXT,
    UNIQUE (webhook_id, seq)
);
CREATE INDEX webhook_deliveries_by_workspace ON webhook_deliveries (workspace_id, seq);
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (webhook_id, seq) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (due_at_ms, webhook_id) WHERE state = 'pending';
