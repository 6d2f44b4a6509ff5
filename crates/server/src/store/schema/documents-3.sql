-- How far a document is, how large, and when it last changed, is what its updates say. Its row is as of the last snapshot, or
-- of the first update after a state was kept; so what everybody writes is only ever added to.
UPDATE docs SET size_bytes = COALESCE((SELECT LENGTH(s.state) FROM doc_snapshots s
    WHERE s.workspace_id = docs.workspace_id AND s.doc_id = docs.id), 0);
CREATE VIEW docs_now AS SELECT d.workspace_id, d.id, d.epoch,
    COALESCE((SELECT MAX(u.seq) FROM doc_updates u WHERE u.workspace_id = d.workspace_id AND u.doc_id = d.id), d.head_seq)
        AS head_seq,
    d.snapshot_seq,
    d.size_bytes + COALESCE((SELECT SUM(LENGTH(u.body)) FROM doc_updates u
        WHERE u.workspace_id = d.workspace_id AND u.doc_id = d.id), 0) AS size_bytes,
    d.created_by, d.created_at_ms,
    COALESCE((SELECT u.created_at_ms FROM doc_updates u WHERE u.workspace_id = d.workspace_id AND u.doc_id = d.id
        ORDER BY u.seq DESC LIMIT 1), d.updated_at_ms) AS updated_at_ms,
    d.deleted_at_ms,
    CASE WHEN d.head_seq > d.versioned_seq THEN 1 ELSE 0 END AS is_marked
FROM docs d;
