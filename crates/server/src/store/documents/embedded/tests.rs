//! What is left of the way after something went wrong on it.

use super::*;

fn count(connection: &mut Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT COUNT(*) FROM t", (), |row| row.get(0))
}

#[tokio::test]
async fn it_goes_on_after_a_refusal_and_after_a_panic_and_keeps_nothing_of_what_was_begun() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.sqlite");
    Connection::open(&file)
        .unwrap()
        .execute_batch("CREATE TABLE t (n INTEGER NOT NULL)")
        .unwrap();
    let embedded = Embedded::new(&file);
    let refused = embedded.write(|it| it.execute_batch("BEGIN; INSERT INTO t VALUES (1); INSERT INTO t VALUES (NULL)"));
    assert!(matches!(refused.await, Err(StoreError::Embedded(_))));
    assert_eq!(embedded.write(count).await.unwrap(), 0);
    let broke = embedded.write(|it| -> rusqlite::Result<()> {
        it.execute_batch("BEGIN; INSERT INTO t VALUES (1)")?;
        panic!("as a test of it");
    });
    assert!(matches!(broke.await, Err(StoreError::Interrupted)));
    assert_eq!(embedded.read(count).await.unwrap(), 0);
    assert_eq!(
        embedded
            .write(|it| it.execute("INSERT INTO t VALUES (1)", ()))
            .await
            .unwrap(),
        1
    );
    assert_eq!(embedded.read(count).await.unwrap(), 1);
    assert!(
        embedded
            .read(|it| it.execute("INSERT INTO t VALUES (1)", ()))
            .await
            .is_err(),
        "who reads does not write"
    );
    embedded.close();
}
