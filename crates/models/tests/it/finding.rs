//! Finding servers, listing models, and the "test connection" button.

use models::{Http, connect, discover_at, known_context_window, test};
use protocol::Code;
use protocol::setting::{LocalServer, Model, WireApi};
use serde_json::json;
use testkit::{Script, Step};

use super::{BOTH, connection, serve};

fn http() -> Http {
    Http::new("0.0.0")
}

fn model(id: &str, context_window: Option<u64>) -> Model {
    Model {
        id: id.to_owned(),
        context_window,
    }
}

#[tokio::test]
async fn servers_on_this_machine_are_found() {
    let server = serve(Script::default().models(["llama3.1:latest"])).await;
    let closed = serve(Script::default()).await.port();
    let found = discover_at(http(), &[("Closed", closed), ("Ollama", server.port())]).await;
    assert_eq!(
        found,
        [LocalServer {
            name: "Ollama".to_owned(),
            base_url: format!("http://127.0.0.1:{}/v1", server.port()),
            wire_api: WireApi::Chat,
            models: vec![model("llama3.1:latest", Some(131_072))],
        }]
    );
}

#[tokio::test]
async fn models_are_listed_with_what_is_known_of_them() {
    let script = Script::default().models([
        json!("unheard-of"),
        json!({ "id": "qwen", "max_model_len": 4_096 }),
        json!({ "id": "big", "context_length": 9_000 }),
        json!({ "id": "openai/gpt-5.1" }),
    ]);
    let server = serve(script).await;
    let provider = connect(http(), connection(&server.base_url(), WireApi::Chat));
    assert_eq!(provider.context_window("qwen"), None);
    assert_eq!(
        provider.models().await.unwrap(),
        [
            model("big", Some(9_000)),
            model("openai/gpt-5.1", Some(400_000)),
            model("qwen", Some(4_096)),
            model("unheard-of", None),
        ]
    );
    assert_eq!(
        provider.context_window("qwen"),
        Some(4_096),
        "what was listed is remembered"
    );
    assert_eq!(known_context_window("unheard-of"), None);
}

#[tokio::test]
async fn a_good_connection_passes() {
    for wire in BOTH {
        let server = serve(Script::turns([Step::say("Hello")])).await;
        let test = test(
            http(),
            connection(&server.base_url(), wire),
            Some("scripted".to_owned()),
        )
        .await;
        assert!(
            test.ok && test.first_word_ms.is_some() && test.failure.is_none(),
            "{test:?}"
        );
        assert_eq!(test.models, [model("scripted", None)]);
    }
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    type Make = fn() -> Step;
    let cases: [(&str, Make, Code); 3] = [
        ("key", Step::unauthorized, Code::Unauthorized),
        ("page", Step::html, Code::NotAProvider),
        (
            "model",
            || Step::error(404, "model_not_found", "The model does not exist"),
            Code::NoSuchModel,
        ),
    ];
    for wire in BOTH {
        for (name, step, code) in cases {
            let server = serve(Script::choose(move |_| step())).await;
            let test = test(http(), connection(&server.base_url(), wire), Some("x".to_owned())).await;
            assert!(!test.ok);
            assert_eq!(test.failure.unwrap().code, code, "{name} {wire:?}");
            assert_eq!(test.suggested_wire_api, None, "{name} {wire:?}");
        }
    }
    let port = serve(Script::default()).await.port();
    let gone = format!("http://127.0.0.1:{port}/v1");
    let test = test(http(), connection(&gone, WireApi::Chat), None).await;
    assert_eq!(test.failure.unwrap().code, Code::Unreachable);
}

#[tokio::test]
async fn the_other_wire_is_suggested_when_it_works() {
    for (wrong, right) in [(WireApi::Responses, WireApi::Chat), (WireApi::Chat, WireApi::Responses)] {
        let server = serve(Script::choose(move |request| {
            if request.is_chat() == (right == WireApi::Chat) {
                Step::say("Hello")
            } else {
                Step::status(404, "404 page not found")
            }
        }))
        .await;
        let test = test(
            http(),
            connection(&server.base_url(), wrong),
            Some("scripted".to_owned()),
        )
        .await;
        assert!(!test.ok);
        assert_eq!(test.suggested_wire_api, Some(right));
        assert_eq!(test.failure.unwrap().code, Code::InvalidRequest);
    }
}
