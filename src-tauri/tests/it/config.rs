//! The configuration keeps its promises: what the page may load, and what it may call.

use serde_json::{Value, json};

fn read(path: &str) -> Value {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(root.join(path)).unwrap()).unwrap()
}

#[test]
fn the_page_may_call_the_two_commands_and_nothing_else() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src-tauri/capabilities");
    let files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|it| it.unwrap().file_name())
        .collect();
    assert_eq!(files, ["main.json"]);
    let main = read("src-tauri/capabilities/main.json");
    assert_eq!(main["permissions"], json!(["allow-request", "allow-follow"]));
    assert_eq!(main["windows"], json!(["main"]));
    assert_eq!(main["local"], true);
    assert_eq!(main.get("remote"), None);
}

#[test]
fn the_page_loads_only_what_zspark_serves() {
    let config = read("tauri.conf.json");
    let app = &config["app"];
    assert_eq!(app["withGlobalTauri"], false);
    assert_eq!(app["windows"], json!([]));
    assert_eq!(app["security"].get("assetProtocol"), None);
    assert_eq!(
        app["security"]["dangerousDisableAssetCspModification"],
        json!(["style-src"])
    );
    assert_eq!(
        app["security"]["csp"],
        json!({
            "default-src": "'self'",
            "script-src": "'self'",
            "style-src": "'self' 'unsafe-inline'",
            "img-src": "'self' data: blob: preview: http://preview.localhost",
            "frame-src": "preview: http://preview.localhost",
            "connect-src": "'self' ipc: http://ipc.localhost preview: http://preview.localhost",
            "worker-src": "'self' blob:",
            "object-src": "'none'",
            "base-uri": "'none'",
            "form-action": "'none'"
        })
    );
}
