CREATE TABLE threads (
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    id TEXT NOT NULL,
    log_id BIGINT NOT NULL UNIQUE,
    owner TEXT NOT NULL REFERENCES users (id),
    title TEXT NOT NULL,
    model TEXT,
    visibility TEXT NOT NULL,
    approvers TEXT,
    turn_status TEXT NOT NULL,
    head_seq BIGINT NOT NULL,
    floor_seq BIGINT NOT NULL,
    lease_producer TEXT,
    lease_device TEXT,
    lease_user TEXT,
    lease_epoch BIGINT NOT NULL,
    lease_until_ms BIGINT NOT NULL,
    hand_to TEXT,
    hand_until_ms BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    deleted_at_ms BIGINT,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX threads_newest ON threads (workspace_id, created_at_ms, id);
CREATE INDEX threads_leased ON threads (lease_until_ms) WHERE lease_producer IS NOT NULL;
CREATE INDEX threads_deleted ON threads (deleted_at_ms) WHERE deleted_at_ms IS NOT NULL;
CREATE TABLE producers (
    log_id BIGINT NOT NULL REFERENCES threads (log_id),
    producer_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    last_seq BIGINT NOT NULL,
    PRIMARY KEY (log_id, producer_id)
);
CREATE TABLE events (
    log_id BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    event_id TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    received_at_ms BIGINT NOT NULL,
    producer_id TEXT NOT NULL,
    producer_seq BIGINT NOT NULL,
    piece_of TEXT,
    payload TEXT NOT NULL,
    PRIMARY KEY (log_id, seq),
    UNIQUE (log_id, event_id)
);
CREATE INDEX events_pieces ON events (log_id, piece_of) WHERE piece_of IS NOT NULL;
CREATE TABLE turns (
    log_id BIGINT NOT NULL,
    turn_id TEXT NOT NULL,
    first_seq BIGINT NOT NULL,
    status TEXT NOT NULL,
    started_at_ms BIGINT NOT NULL,
    ended_at_ms BIGINT,
    applied_seq BIGINT NOT NULL,
    PRIMARY KEY (log_id, turn_id)
);
CREATE TABLE items (
    log_id BIGINT NOT NULL,
    item_id TEXT NOT NULL,
    turn_id TEXT NOT NULL,
    first_seq BIGINT NOT NULL,
    payload TEXT NOT NULL,
    completed_at_ms BIGINT,
    pieces BIGINT NOT NULL,
    applied_seq BIGINT NOT NULL,
    PRIMARY KEY (log_id, item_id)
);
CREATE INDEX items_in_order ON items (log_id, first_seq);
CREATE INDEX items_with_pieces ON items (completed_at_ms) WHERE pieces = 1;
CREATE TABLE approvals (
    log_id BIGINT NOT NULL,
    approval_id TEXT NOT NULL,
    turn_id TEXT NOT NULL,
    first_seq BIGINT NOT NULL,
    payload TEXT NOT NULL,
    payload_hash TEXT NOT NULL,
    status TEXT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    decided_by TEXT,
    decided_at_ms BIGINT,
    decision_seq BIGINT,
    settled BIGINT NOT NULL,
    applied_seq BIGINT NOT NULL,
    PRIMARY KEY (log_id, approval_id)
);
CREATE INDEX approvals_in_order ON approvals (log_id, first_seq);
CREATE INDEX approvals_pending ON approvals (expires_at_ms) WHERE status = 'pending';
CREATE TABLE turn_requests (
    log_id BIGINT NOT NULL,
    id TEXT NOT NULL,
    requested_by TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    input TEXT NOT NULL,
    artifacts TEXT NOT NULL,
    status TEXT NOT NULL,
    turn_id TEXT,
    first_seq BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (log_id, id),
    UNIQUE (log_id, requested_by, idempotency_key)
);
CREATE INDEX turn_requests_in_order ON turn_requests (log_id, first_seq);
CREATE TABLE cursors (
    log_id BIGINT NOT NULL,
    user_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    PRIMARY KEY (log_id, user_id, device_id)
);
