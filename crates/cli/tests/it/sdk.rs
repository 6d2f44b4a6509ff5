//! `@openai/codex-sdk` with its `codexPathOverride` pointed at zspark. The script is `../sdk/run.mjs`.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use testkit::Step;
use tokio::process::Command;

use crate::run::*;

/// A 1 × 1 PNG.
const IMAGE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\xdacd\xf8\xcfP\x0f\0\x03\x86\x01\x80Z4}k\0\0\0\0IEND\xaeB`\x82";

/// The package, installed beside the test binaries and not in the source tree.
async fn installed() -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sdk");
    std::fs::create_dir_all(&folder).unwrap();
    let lock = std::fs::read(source.join("package-lock.json")).unwrap();
    let current = std::fs::read(folder.join("package-lock.json")).is_ok_and(|it| it == lock);
    for file in ["package.json", "package-lock.json", "run.mjs"] {
        std::fs::copy(source.join(file), folder.join(file)).unwrap();
    }
    if !current || !folder.join("node_modules/@openai/codex-sdk").exists() {
        // Without optional packages: those are the program that zspark stands in for.
        let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
        let install = ["ci", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund"];
        let done = Command::new(npm).args(install).current_dir(&folder).status().await;
        assert!(done.unwrap().success(), "npm ci");
    }
    folder
}

#[tokio::test]
async fn the_sdk_runs_two_turns_and_a_command_on_one_thread() {
    let folder = installed().await;
    let steps = [
        Step::call("exec_command", json!({ "cmd": "echo made > made.txt; cat made.txt" })),
        Step::say("I made it."),
        Step::say("{\"done\":true}"),
    ];
    let place = Place::new(steps).await;
    std::fs::remove_dir(place.home.work().join(".git")).unwrap();
    let image = place.home.file("seen.png", IMAGE).unwrap();
    let extra = place.home.file("extra/keep", "").unwrap();
    let output = Command::new("node")
        .arg(folder.join("run.mjs"))
        .arg(env!("CARGO_BIN_EXE_zspark"))
        .arg(place.server.base_url())
        .arg(place.home.work())
        .arg(place.home.path())
        .arg(&image)
        .arg(extra.parent().unwrap())
        .stderr(Stdio::piped())
        .output()
        .await
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();

    let cmd = "echo made > made.txt; cat made.txt";
    assert_eq!(
        told["first"]["items"],
        json!([
            command_ended(0, cmd, "made\n", 0)["item"],
            message(1, "I made it.")["item"]
        ]),
        "{told}"
    );
    assert_eq!(told["first"]["finalResponse"], "I made it.");
    assert_eq!(told["first"]["usage"], turn_completed(2)["usage"]);
    assert_eq!(
        told["streamed"],
        json!([
            { "type": "thread.started", "thread_id": told["id"] },
            turn_started(),
            message(0, "{\"done\":true}"),
            turn_completed(1),
        ])
    );
    assert_eq!(told["resumed"], told["id"]);
    let refused = told["refused"].as_str().unwrap();
    assert!(
        refused.contains("code 1") && refused.contains("no git repository"),
        "{refused}"
    );

    let requests = place.server.requests();
    assert_eq!(requests.len(), 3);
    for request in &requests {
        assert_eq!(request.header("authorization"), Some("Bearer sdk-key"));
        assert_eq!(
            (&request.body["model"], &request.body["reasoning"]["effort"]),
            (&"scripted".into(), &"low".into())
        );
    }
    assert_eq!(requests[2].body["text"]["format"]["type"], "json_schema");
    let last = requests[2].body.to_string();
    for part in ["Make a file.", "I made it.", "Go on.", "data:image/png;base64,"] {
        assert!(last.contains(part), "{part}: {last}");
    }
}
