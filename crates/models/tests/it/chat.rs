//! The Chat Completions wire: the body that is sent, and answers in every shape.

use models::{Http, Piece};
use protocol::context::{Content, Entry, Role};
use protocol::setting::{Effort, WireApi};
use protocol::thread::Usage;
use serde_json::{Value, json};
use testkit::{Script, Shape, Step};

use super::{all, all_over, calls, connection, done, entries, output, prompt, serve, shown};

#[tokio::test]
async fn a_message_streams_and_then_comes_whole() {
    let server = serve(Script::turns([Step::think("Hm.").text("你好, world.").usage(7, 3)])).await;
    let (pieces, error) = all(&connection(&server.base_url(), WireApi::Chat), prompt("Hi")).await;
    assert_eq!(error, None);
    assert_eq!(shown(&pieces), "你好, world.");
    assert_eq!(
        entries(&pieces),
        [
            Entry::Reasoning {
                id: None,
                summary: vec!["Hm.".to_owned()],
                encrypted: None,
                raw: Some("Hm.".to_owned()),
            },
            Entry::text(Role::Assistant, "你好, world."),
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
    prompt.effort = Some(Effort::Low);
    prompt.parallel_tool_calls = false;
    all(&connection(&server.base_url(), WireApi::Chat), prompt).await;
    let request = &server.requests()[0];
    assert_eq!(request.path, "/v1/chat/completions");
    let mut body = request.body.clone();
    let tools = body.as_object_mut().unwrap().remove("tools").unwrap();
    assert_eq!(
        body,
        json!({
            "model": "scripted",
            "messages": [
                { "role": "system", "content": "Be brief.\n\nThe folder is /work." },
                { "role": "user", "content": "Hi" },
            ],
            "parallel_tool_calls": false,
            "reasoning_effort": "low",
            "stream": true,
            "stream_options": { "include_usage": true },
        })
    );
    assert_eq!(tools[0]["function"]["name"], "exec_command");
    assert_eq!(tools[1]["function"]["parameters"]["required"], json!(["input"]));
    assert!(
        tools[1]["function"]["description"]
            .as_str()
            .unwrap()
            .contains("start: \"x\"")
    );
}

#[tokio::test]
async fn calls_and_outputs_stand_together_whatever_their_order_was() {
    let server = serve(Script::turns([Step::say("ok")])).await;
    let home = testkit::TempHome::new().unwrap();
    let path = home.file("dot.png", [1, 2, 3]).unwrap().display().to_string();
    let call = |id: &str, name: &str, arguments: &str, freeform: bool| Entry::Call {
        call_id: id.to_owned(),
        name: name.to_owned(),
        arguments: arguments.to_owned(),
        freeform,
        id: None,
    };
    let mut prompt = prompt("Hi");
    prompt.input.extend([
        Entry::Reasoning {
            id: None,
            summary: Vec::new(),
            encrypted: None,
            raw: Some("Hm.".to_owned()),
        },
        Entry::text(Role::Assistant, "I look."),
        call("a", "exec_command", "not json", false),
        call("b", "apply_patch", "*** Begin", true),
        call("c", "exec_command", "", false),
        Entry::text(Role::Developer, "It is late."),
        Entry::Output {
            call_id: "b".to_owned(),
            content: vec![
                Content::Text { text: "see".to_owned() },
                Content::Image {
                    path,
                    media_type: "image/png".to_owned(),
                },
            ],
            freeform: true,
            ok: true,
        },
        output("a", "bad arguments", false),
    ]);
    all(&connection(&server.base_url(), WireApi::Chat), prompt).await;
    let function = |name: &str, arguments: Value| json!({ "name": name, "arguments": arguments.to_string() });
    assert_eq!(
        server.requests()[0].entries()[2..],
        [
            json!({ "role": "assistant", "content": "I look.", "reasoning_content": "Hm.", "tool_calls": [
                { "id": "a", "type": "function", "function": function("exec_command", json!({ "arguments": "not json" })) },
                { "id": "b", "type": "function", "function": function("apply_patch", json!({ "input": "*** Begin" })) },
                { "id": "c", "type": "function", "function": function("exec_command", json!({})) },
            ]}),
            json!({ "role": "tool", "tool_call_id": "a", "content": "bad arguments" }),
            json!({ "role": "tool", "tool_call_id": "b", "content": "see" }),
            json!({ "role": "tool", "tool_call_id": "c", "content": "The call was interrupted." }),
            json!({ "role": "user", "content": [{ "type": "image_url", "image_url": { "url": "data:image/png;base64,AQID" } }] }),
            json!({ "role": "system", "content": "It is late." }),
        ]
    );
}

#[tokio::test]
async fn calls_are_understood_in_every_shape() {
    let shapes = [
        Shape::Usual,
        Shape::Tiny,
        Shape::NoIndex,
        Shape::NoId,
        Shape::NoIndexNoId,
        Shape::SameIndex,
        Shape::Repeated,
        Shape::FreshIds,
        Shape::EmptyNames,
        Shape::AtOnce,
        Shape::ObjectArguments,
        Shape::SameIds,
        Shape::BareEnd,
        Shape::NoFinish,
    ];
    for shape in shapes {
        let step = Step::say("I look.")
            .and_call("exec_command", json!({ "cmd": "ls -la /some/folder" }))
            .and_call("exec_command", json!({ "cmd": "pwd" }))
            .and_custom("apply_patch", "*** Begin Patch\n*** End Patch")
            .shape(shape);
        let server = serve(Script::turns([step])).await;
        let (pieces, error) = all(&connection(&server.base_url(), WireApi::Chat), prompt("Hi")).await;
        assert_eq!((error, done(&pieces)), (None, true), "{shape:?}");
        assert_eq!(
            calls(&pieces),
            [
                (
                    "exec_command".to_owned(),
                    r#"{"cmd":"ls -la /some/folder"}"#.to_owned(),
                    false
                ),
                ("exec_command".to_owned(), r#"{"cmd":"pwd"}"#.to_owned(), false),
                (
                    "apply_patch".to_owned(),
                    "*** Begin Patch\n*** End Patch".to_owned(),
                    true
                ),
            ],
            "{shape:?}"
        );
        let mut ids: Vec<String> = entries(&pieces)
            .into_iter()
            .filter_map(|it| match it {
                Entry::Call { call_id, .. } => Some(call_id),
                Entry::Message { .. } | Entry::Reasoning { .. } | Entry::Output { .. } => None,
            })
            .collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 3, "{shape:?}: ids are there and differ");
    }
}

#[tokio::test]
async fn usage_may_be_missing() {
    let server = serve(Script::turns([Step::say("ok").no_usage()])).await;
    let (pieces, error) = all(&connection(&server.base_url(), WireApi::Chat), prompt("Hi")).await;
    assert_eq!(error, None);
    assert!(done(&pieces) && !pieces.iter().any(|it| matches!(it, Piece::Usage(_))));
}

#[tokio::test]
async fn a_model_without_tools_still_talks() {
    let script = Script::choose(|request| {
        if request.tools().is_empty() {
            Step::say("ok")
        } else {
            Step::error(400, "invalid_request_error", "registry/tiny does not support tools")
        }
    });
    let server = serve(script).await;
    let http = Http::new("0.0.0");
    let connection = connection(&server.base_url(), WireApi::Chat);
    for _ in 0..2 {
        let (pieces, error) = all_over(&http, &connection, prompt("Hi")).await;
        assert_eq!((error, shown(&pieces).as_str()), (None, "ok"));
    }
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_provider_that_knows_only_the_oldest_fields_works() {
    let server = serve(Script::choose(|_| Step::say("ok")).rejecting(["*", "developer"])).await;
    let mut prompt = prompt("Hi");
    prompt.effort = Some(Effort::Low);
    prompt.parallel_tool_calls = false;
    let (pieces, error) = all(&connection(&server.base_url(), WireApi::Chat), prompt).await;
    assert_eq!((error, shown(&pieces).as_str()), (None, "ok"));
}

#[tokio::test]
async fn a_cut_at_the_length_limit_says_so() {
    let server = serve(Script::turns([Step::say("half").incomplete("max_output_tokens")])).await;
    let (pieces, _) = all(&connection(&server.base_url(), WireApi::Chat), prompt("Hi")).await;
    assert_eq!(
        pieces.last(),
        Some(&Piece::Done {
            incomplete: Some("max_output_tokens".to_owned())
        })
    );
}
