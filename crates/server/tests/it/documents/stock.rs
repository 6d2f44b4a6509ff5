//! Stock clients from npm, three generations of them, against the real program. Needs `node` and `npm`.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::Command;
use tokio::sync::OnceCell;

use super::lab;
use crate::program::Program;

/// The clients, installed once for each lock file, with the scripts that use them.
pub(crate) async fn clients() -> &'static Path {
    static INSTALLED: OnceCell<PathBuf> = OnceCell::const_new();
    INSTALLED.get_or_init(install).await
}

async fn install() -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stock-clients");
    tokio::fs::create_dir_all(&target).await.unwrap();
    let lock = std::fs::read(source.join("package-lock.json")).unwrap();
    let installed = target.join("installed.json");
    if std::fs::read(&installed).ok().as_ref() != Some(&lock) {
        for name in ["package.json", "package-lock.json"] {
            std::fs::copy(source.join(name), target.join(name)).unwrap();
        }
        let npm = Command::new("npm")
            .args(["ci", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(&target)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let npm = tokio::time::timeout(Duration::from_secs(180), npm).await;
        let npm = npm.unwrap_or_else(|_| panic!("npm did not end")).unwrap();
        assert!(npm.status.success(), "{}", String::from_utf8_lossy(&npm.stderr));
        std::fs::write(&installed, lock).unwrap();
    }
    for name in ["swarm.mjs", "peer.mjs"] {
        std::fs::copy(source.join(name), target.join(name)).unwrap();
    }
    target
}

#[tokio::test]
async fn fifty_stock_clients_converge_and_memory_is_bounded() {
    let clients = clients().await;
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path());
    let lab = lab(&program.person("ada")).await;
    let before = program.memory();
    let swarm = Command::new("node")
        .arg("swarm.mjs")
        .arg(format!("ws://{}/api/v1{lab}/docs", program.address))
        .arg("20251121")
        .current_dir(clients)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let swarm = tokio::time::timeout(Duration::from_secs(180), swarm).await;
    let swarm = swarm.unwrap_or_else(|_| panic!("the clients did not end")).unwrap();
    let said = String::from_utf8_lossy(&swarm.stdout).into_owned();
    let errors = String::from_utf8_lossy(&swarm.stderr).into_owned();
    assert!(swarm.status.success(), "{said}{errors}");
    let report: Value = serde_json::from_str(said.lines().last().unwrap_or_default()).unwrap();
    assert!(report["edits"].as_u64() > Some(1_000), "{report}");
    assert!(report["breaks"].as_u64() > Some(30), "{report}");
    // They all said they were somebody else.
    assert_eq!(report["names"], json!(["ada"]), "{report}");
    if let (Some(before), Some(after)) = (before, program.memory()) {
        let grown = after.saturating_sub(before) >> 20;
        assert!(grown < 64, "the server grew by {grown} MiB");
    }
}
