//! The scripted server as drivers in other languages use it: JSON scripts, gates over HTTP, the built-in benches.

use futures::StreamExt;
use models::{Http, Piece, connect};
use protocol::setting::WireApi;
use serde_json::Value;
use testkit::Script;

use super::{all, calls, connection, entries, output, prompt, serve, shown};

const SCRIPT: &str = r#"{
    "models": ["one", { "id": "two", "context_length": 5 }],
    "steps": [
        { "when": { "user": "list", "tool_output": false }, "reasoning": "Look.",
          "calls": [{ "name": "exec_command", "id": "call_ls", "arguments": { "cmd": "ls" } }] },
        { "when": { "user": "list", "tool_output": "a.txt" }, "text": "There is a.txt." },
        { "when": { "user": "patch" }, "times": 1, "calls": [{ "name": "apply_patch", "input": "*** Begin Patch" }] },
        { "when": { "user": "slow" }, "text": "first", "hold": "middle", "then": ", second" },
        { "when": { "user": "limited" }, "times": 1, "status": 429, "headers": { "retry-after": "0" }, "body": {} },
        { "when": { "user": "broken" }, "times": 1, "text": "half", "fault": "cut" },
        { "times": 0, "text": "Anything else." }
    ]
}"#;

#[tokio::test]
async fn a_json_script_serves_a_whole_run() {
    let server = serve(Script::from_json(SCRIPT).unwrap()).await;
    for wire in super::BOTH {
        let connection = connection(&server.base_url(), wire);
        let mut asked = prompt("list the files");
        let (pieces, _) = all(&connection, asked.clone()).await;
        assert_eq!(
            calls(&pieces),
            [("exec_command".to_owned(), r#"{"cmd":"ls"}"#.to_owned(), false)]
        );
        asked.input.extend(entries(&pieces));
        asked.input.push(output("call_ls", "a.txt", false));
        let (pieces, _) = all(&connection, asked).await;
        assert_eq!(shown(&pieces), "There is a.txt.");
        let (pieces, _) = all(&connection, prompt("something")).await;
        assert_eq!(shown(&pieces), "Anything else.");
    }
    let connection = connection(&server.base_url(), WireApi::Responses);
    let (pieces, _) = all(&connection, prompt("patch it")).await;
    assert_eq!(
        calls(&pieces),
        [("apply_patch".to_owned(), "*** Begin Patch".to_owned(), true)]
    );
    for fault in ["limited", "broken"] {
        let (pieces, error) = all(&connection, prompt(fault)).await;
        assert_eq!((error, super::retries(&pieces)), (None, 1));
        assert_eq!(shown(&pieces), "Anything else.");
    }
    assert!(Script::from_json(r#"{ "steps": [{ "txet": "typo" }] }"#).is_err());
}

#[tokio::test]
async fn gates_open_and_requests_are_told_over_http() {
    let server = serve(Script::from_json(SCRIPT).unwrap()).await;
    let root = format!("http://127.0.0.1:{}", server.port());
    let mut stream = connect(Http::new("0.0.0"), connection(&server.base_url(), WireApi::Chat)).stream(prompt("slow"));
    let mut text = String::new();
    while text != "first" {
        if let Some(Ok(Piece::Text(more))) = stream.next().await {
            text.push_str(&more);
        }
    }
    let client = reqwest::Client::new();
    let gate = format!("{root}/__release/middle");
    assert_eq!(client.post(&gate).send().await.unwrap().status(), 200);
    while let Some(piece) = stream.next().await {
        if let Piece::Text(more) = piece.unwrap() {
            text.push_str(&more);
        }
    }
    assert_eq!(text, "first, second");
    let told: Value = client
        .get(format!("{root}/__requests"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(told["connections"], 2);
    assert_eq!(told["requests"][0]["body"]["messages"][1]["content"], "slow");
}

#[tokio::test]
async fn the_benches_are_built_in() {
    let server = serve(Script::bench("loop:2").unwrap()).await;
    let connection = connection(&server.base_url(), WireApi::Responses);
    let mut asked = prompt("go");
    for turn in 0..2 {
        let (pieces, _) = all(&connection, asked.clone()).await;
        assert_eq!(calls(&pieces).len(), 1, "turn {turn}");
        asked.input.extend(entries(&pieces));
        asked.input.push(output(&format!("call_{turn}_0"), "done", false));
    }
    let (pieces, _) = all(&connection, asked).await;
    assert_eq!(shown(&pieces), "All done.");
    let server = serve(Script::bench("deltas:20000").unwrap()).await;
    let (pieces, _) = all(&super::connection(&server.base_url(), WireApi::Chat), prompt("go")).await;
    assert_eq!(shown(&pieces), "word ".repeat(20_000));
    assert!(Script::bench("nothing").is_err());
}
