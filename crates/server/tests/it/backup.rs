//! What `docs/server.md` says about copies of the database, done.

use std::fs;
use std::process::Command;

use serde_json::json;

use crate::program::Program;
use crate::world::postgres;

#[tokio::test]
async fn the_embedded_database_is_copied_while_it_runs_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    let server = Program::start(&data);
    let ada = server.person("ada");
    let before = ada.post("/workspaces", json!({"name": "Before"})).await;
    let copy = folder.path().join("copy.sqlite");
    let backup = || {
        Program::command(&["--data-dir", data.to_str().unwrap(), "backup", copy.to_str().unwrap()])
            .output()
            .unwrap()
    };
    assert!(backup().status.success());
    let again = backup();
    let said = String::from_utf8_lossy(&again.stderr);
    assert!(!again.status.success() && said.contains("there already"), "{said}");
    let after = ada.post("/workspaces", json!({"name": "After"})).await;
    assert!(server.stop().success());

    let restored = folder.path().join("restored");
    fs::create_dir(&restored).unwrap();
    fs::copy(&copy, restored.join("server.sqlite")).unwrap();
    let server = Program::start(&restored);
    let ada = server.person("ada");
    let path = |it: &serde_json::Value| format!("/workspaces/{}", it["id"].as_str().unwrap());
    assert_eq!(ada.get(&path(&before)).await["name"], "Before");
    let (status, _) = ada.ask(reqwest::Method::GET, &path(&after), None).await;
    assert_eq!(status.as_u16(), 404);
}

#[tokio::test]
async fn a_dump_of_postgres_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = tokio::task::spawn_blocking(|| (postgres().database().unwrap(), postgres().database().unwrap()))
        .await
        .unwrap();
    let server = Program::start_with(folder.path(), &[("DATABASE_URL", &from)]);
    let made = server.person("ada").post("/workspaces", json!({"name": "Lab"})).await;
    let dump = folder.path().join("dump");
    let programs = postgres().programs();
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(programs.join(program)).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    run("pg_dump", &["--format=custom", "--file", dump.to_str().unwrap(), &from]);
    drop(server);
    run(
        "pg_restore",
        &["--exit-on-error", "--dbname", &to, dump.to_str().unwrap()],
    );
    let server = Program::start_with(folder.path(), &[("DATABASE_URL", &to)]);
    let path = format!("/workspaces/{}", made["id"].as_str().unwrap());
    assert_eq!(server.person("ada").get(&path).await["name"], "Lab");
    let verified = Program::command(&["audit", "verify"])
        .env("DATABASE_URL", &to)
        .output()
        .unwrap();
    assert!(
        verified.status.success(),
        "{}",
        String::from_utf8_lossy(&verified.stderr)
    );
}

#[test]
fn what_cannot_start_says_why_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.toml");
    let data = folder.path().join("data");
    for (text, part) in [
        ("mode = \"production\"\nmood = 1", "line 2"),
        ("mode = \"development\"\nlisten = \"0.0.0.0:0\"", "loopback"),
        (
            "mode = \"development\"\n[auth]\ntenants = [\"11111111-1111-1111-1111-111111111111\"]",
            "exclude each other",
        ),
        ("database_url = \"mysql://x\"", "postgres:// or sqlite://"),
    ] {
        fs::write(&file, text).unwrap();
        let output = Program::command(&["--config", file.to_str().unwrap(), "--data-dir", data.to_str().unwrap()])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(part), "{part}: {said}");
    }
}
