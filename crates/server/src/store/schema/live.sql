CREATE TABLE node_keys (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
