//! The Responses wire: the body that is sent, and the answer that is understood.

use models::{Http, Piece};
use protocol::context::{Content, Entry, Role};
use protocol::setting::{Effort, WireApi};
use protocol::thread::Usage;
use serde_json::json;
use testkit::{Script, Step};

use super::{all, all_over, calls, connection, done, entries, output, prompt, serve, shown};

#[tokio::test]
async fn a_message_streams_and_then_comes_whole() {
    let server = serve(Script::turns([Step::think("I see.\n\nSecond thought.")
        .text("你好, world.")
        .usage(7, 3)]))
    .await;
    let (pieces, error) = all(&connection(&server.base_url(), WireApi::Responses), prompt("Hi")).await;
    assert_eq!(error, None);
    assert_eq!(shown(&pieces), "你好, world.");
    assert!(pieces.contains(&Piece::ReasoningBreak));
    assert_eq!(
        entries(&pieces),
        [
            Entry::Reasoning {
                id: Some("rs_0_0".to_owned()),
                summary: vec!["I see.".to_owned(), "Second thought.".to_owned()],
                encrypted: Some("encrypted-0-0".to_owned()),
                raw: None,
            },
            Entry::Message {
                role: Role::Assistant,
                content: vec![Content::Text {
                    text: "你好, world.".to_owned()
                }],
                id: Some("msg_0_1".to_owned()),
            },
        ]
    );
    let usage = Usage {
        input_tokens: 7,
        cached_input_tokens: 3,
        output_tokens: 3,
        reasoning_output_tokens: 0,
    };
    assert_eq!(
        pieces[pieces.len() - 2..],
        [Piece::Usage(usage), Piece::Done { incomplete: None }]
    );
}

#[tokio::test]
async fn the_body_is_as_the_api_wants_it() {
    let server = serve(Script::turns([Step::say("ok")])).await;
    let mut prompt = prompt("Hi");
    prompt.effort = Some(Effort::High);
    prompt.output_schema = Some(json!({ "type": "object" }));
    let mut connection = connection(&server.base_url(), WireApi::Responses);
    connection.query = vec![("api-version".to_owned(), "1".to_owned())];
    connection.headers = vec![("x-team".to_owned(), "blue".to_owned())];
    all(&connection, prompt).await;
    let request = &server.requests()[0];
    assert_eq!(request.path, "/v1/responses?api-version=1");
    assert_eq!(request.header("authorization"), Some("Bearer sk-very-secret-key"));
    assert_eq!(request.header("user-agent"), Some("zspark/0.0.0"));
    assert_eq!(request.header("x-team"), Some("blue"));
    assert_eq!(
        request.body,
        json!({
            "model": "scripted",
            "instructions": "Be brief.",
            "input": [
                { "type": "message", "role": "developer", "content": [{ "type": "input_text", "text": "The folder is /work." }] },
                { "type": "message", "role": "user", "content": [{ "type": "input_text", "text": "Hi" }] },
            ],
            "tools": [
                { "type": "function", "name": "exec_command", "description": "Runs a command.", "strict": false,
                  "parameters": { "type": "object", "properties": { "cmd": { "type": "string" } } } },
                { "type": "custom", "name": "apply_patch", "description": "Edits files.",
                  "format": { "type": "grammar", "syntax": "lark", "definition": "start: \"x\"" } },
            ],
            "parallel_tool_calls": true,
            "reasoning": { "effort": "high", "summary": "auto" },
            "text": { "format": { "type": "json_schema", "name": "answer", "strict": true, "schema": { "type": "object" } } },
            "store": false,
            "stream": true,
            "include": ["reasoning.encrypted_content"],
            "prompt_cache_key": "thread-1",
        })
    );
}

#[tokio::test]
async fn entries_go_back_as_they_came() {
    let first = Step::think("Look.")
        .and_call("exec_command", json!({ "cmd": "ls" }))
        .and_custom("apply_patch", "*** Begin Patch");
    let server = serve(Script::turns([first, Step::say("ok")])).await;
    let connection = connection(&server.base_url(), WireApi::Responses);
    let mut prompt = prompt("Hi");
    let (pieces, _) = all(&connection, prompt.clone()).await;
    assert_eq!(
        calls(&pieces),
        [
            ("exec_command".to_owned(), r#"{"cmd":"ls"}"#.to_owned(), false),
            ("apply_patch".to_owned(), "*** Begin Patch".to_owned(), true),
        ]
    );
    prompt.input.extend(entries(&pieces));
    prompt.input.push(output("call_0_1", "a.txt", false));
    prompt.input.push(output("call_0_2", "Done", true));
    // Reasoning that led to nothing, as an interrupted turn leaves it, must not be sent.
    prompt.input.push(Entry::Reasoning {
        id: Some("rs_dangling".to_owned()),
        summary: Vec::new(),
        encrypted: Some("x".to_owned()),
        raw: None,
    });
    prompt.input.push(Entry::text(Role::User, "Go on"));
    all(&connection, prompt).await;
    assert_eq!(
        server.requests()[1].entries()[2..],
        [
            json!({ "type": "reasoning", "id": "rs_0_0", "summary": [{ "type": "summary_text", "text": "Look." }],
                    "encrypted_content": "encrypted-0-0" }),
            json!({ "type": "function_call", "id": "fc_0_1", "call_id": "call_0_1", "name": "exec_command",
                    "arguments": "{\"cmd\":\"ls\"}" }),
            json!({ "type": "custom_tool_call", "id": "ctc_0_2", "call_id": "call_0_2", "name": "apply_patch",
                    "input": "*** Begin Patch" }),
            json!({ "type": "function_call_output", "call_id": "call_0_1", "output": "a.txt" }),
            json!({ "type": "custom_tool_call_output", "call_id": "call_0_2", "output": "Done" }),
            json!({ "type": "message", "role": "user", "content": [{ "type": "input_text", "text": "Go on" }] }),
        ]
    );
}

#[tokio::test]
async fn images_are_read_when_the_request_is_made() {
    let server = serve(Script::turns([Step::say("ok")])).await;
    let home = testkit::TempHome::new().unwrap();
    let path = home.file("dot.png", [1, 2, 3]).unwrap().display().to_string();
    let image = |path: &str| Content::Image {
        path: path.to_owned(),
        media_type: "image/png".to_owned(),
    };
    let mut prompt = prompt("Hi");
    prompt.input = vec![Entry::Message {
        role: Role::User,
        content: vec![image(&path), image("/gone.png")],
        id: None,
    }];
    all(&connection(&server.base_url(), WireApi::Responses), prompt).await;
    assert_eq!(
        server.requests()[0].entries()[0]["content"],
        json!([
            { "type": "input_image", "image_url": "data:image/png;base64,AQID" },
            { "type": "input_text", "text": "[The image /gone.png is not available.]" },
        ])
    );
}

#[tokio::test]
async fn what_a_provider_refuses_is_left_out_and_remembered() {
    let script = Script::choose(|_| Step::custom("apply_patch", "*** Begin Patch"));
    let server = serve(script.rejecting([
        "developer",
        "parallel_tool_calls",
        "custom",
        "include",
        "prompt_cache_key",
        "store",
    ]))
    .await;
    let http = Http::new("0.0.0");
    let connection = connection(&server.base_url(), WireApi::Responses);
    let (pieces, error) = all_over(&http, &connection, prompt("Hi")).await;
    assert_eq!((error, done(&pieces)), (None, true));
    let first = server.requests().len();
    assert_eq!(first, 7, "one request for each refusal");
    let body = &server.requests()[6].body;
    assert_eq!(body["input"][0]["role"], "system");
    assert_eq!(body["tools"][1]["parameters"]["required"], json!(["input"]));
    all_over(&http, &connection, prompt("Hi")).await;
    assert_eq!(server.requests().len(), first + 1, "asked once, remembered");
}

#[tokio::test]
async fn a_provider_that_knows_only_the_oldest_fields_works() {
    let server = serve(Script::choose(|_| Step::say("ok")).rejecting(["*"])).await;
    let (pieces, error) = all(&connection(&server.base_url(), WireApi::Responses), prompt("Hi")).await;
    assert_eq!((error, shown(&pieces).as_str()), (None, "ok"));
}

#[tokio::test]
async fn an_incomplete_answer_says_why() {
    let server = serve(Script::turns([Step::say("half").incomplete("max_output_tokens")])).await;
    let (pieces, error) = all(&connection(&server.base_url(), WireApi::Responses), prompt("Hi")).await;
    assert_eq!(error, None);
    assert_eq!(shown(&pieces), "half");
    assert_eq!(
        pieces.last(),
        Some(&Piece::Done {
            incomplete: Some("max_output_tokens".to_owned())
        })
    );
}
