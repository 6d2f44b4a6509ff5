//! Every fault on both wires: what is tried again, how often, and what a person is told in the end.

use std::time::Duration;

use futures::StreamExt;
use models::{Connection, Http, Piece, connect};
use protocol::Code;
use protocol::setting::WireApi;
use serde_json::json;
use testkit::{Gate, Script, Step};

use super::{BOTH, KEY, all, all_over, calls, connection, done, prompt, retries, serve, shown};

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    type Make = fn() -> Step;
    let faults: [(&str, Make); 9] = [
        ("429 with Retry-After", || Step::rate_limited("0")),
        ("429 with words", || {
            Step::error(429, "rate_limit_exceeded", "Please try again in 2ms.")
        }),
        ("500", || Step::error(500, "server_error", "oops")),
        ("503 with a page", || {
            Step::status(503, "<html>down</html>").header("content-type", "text/html")
        }),
        ("cut", || Step::say("half an ans").cut()),
        ("reset", || Step::say("half an ans").reset()),
        ("no terminal event", || Step::say("half an ans").no_end()),
        ("failed in the stream", || {
            Step::say("half").failed("server_error", "oops")
        }),
        ("overloaded in the stream", || {
            Step::say("half").failed("rate_limit_exceeded", "Please try again in 2ms.")
        }),
    ];
    for wire in BOTH {
        for (name, fault) in faults {
            let server = serve(Script::turns([fault(), fault(), Step::say("whole")])).await;
            let (pieces, error) = all(&connection(&server.base_url(), wire), prompt("Hi")).await;
            assert_eq!(error, None, "{name} {wire:?}");
            assert_eq!(retries(&pieces), 2, "{name} {wire:?}");
            assert_eq!(shown(&pieces), "whole", "{name} {wire:?}");
            assert!(done(&pieces), "{name} {wire:?}");
            let requests = server.requests();
            assert_eq!(requests.len(), 3, "{name} {wire:?}");
            assert_eq!(requests[0].body, requests[2].body, "{name} {wire:?}");
        }
    }
}

#[tokio::test]
async fn what_will_not_pass_is_told_at_once() {
    type Make = fn() -> Step;
    let faults: [(&str, Make, Code); 9] = [
        ("401", Step::unauthorized, Code::Unauthorized),
        (
            "400",
            || Step::error(400, "invalid_request_error", "no"),
            Code::InvalidRequest,
        ),
        ("overflow", Step::context_overflow, Code::ContextOverflow),
        (
            "overflow in the stream",
            || Step::say("x").failed("context_length_exceeded", "too long"),
            Code::ContextOverflow,
        ),
        ("quota", Step::out_of_quota, Code::QuotaExceeded),
        (
            "quota in the stream",
            || Step::say("x").failed("insufficient_quota", "no money"),
            Code::QuotaExceeded,
        ),
        (
            "refusal",
            || Step::error(400, "content_filter", "no"),
            Code::ContentRefused,
        ),
        ("html", Step::html, Code::NotAProvider),
        (
            "no such model",
            || Step::error(404, "model_not_found", "The model `x` does not exist"),
            Code::NoSuchModel,
        ),
    ];
    for wire in BOTH {
        for (name, fault, code) in faults {
            let server = serve(Script::turns([fault(), Step::say("never")])).await;
            let (pieces, error) = all(&connection(&server.base_url(), wire), prompt("Hi")).await;
            let failure = error.unwrap().failure();
            assert_eq!(failure.code, code, "{name} {wire:?}");
            assert!(
                failure.hint.is_some() && failure.details.is_some(),
                "{name}: {failure:?}"
            );
            assert_eq!((retries(&pieces), server.requests().len()), (0, 1), "{name} {wire:?}");
        }
    }
}

#[tokio::test]
async fn a_page_is_quoted_with_its_first_words() {
    let server = serve(Script::turns([Step::html()])).await;
    let (_, error) = all(&connection(&server.base_url(), WireApi::Chat), prompt("Hi")).await;
    assert_eq!(
        error.unwrap().failure().details.as_deref(),
        Some("HTTP 200: Sign in Corporate proxy")
    );
}

#[tokio::test]
async fn a_dead_server_costs_few_requests() {
    for wire in BOTH {
        let server = serve(Script::choose(|_| Step::error(500, "server_error", "oops"))).await;
        let (pieces, error) = all(&connection(&server.base_url(), wire), prompt("Hi")).await;
        assert_eq!(error.unwrap().failure().code, Code::ProviderFailed);
        assert_eq!((retries(&pieces), server.requests().len()), (4, 5));
        let server = serve(Script::choose(|request| match request.number % 2 {
            0 => Step::error(500, "server_error", "oops"),
            _ => Step::say("x").cut(),
        }))
        .await;
        all(&connection(&server.base_url(), wire), prompt("Hi")).await;
        assert!(server.requests().len() <= 6, "both kinds share one count");
    }
}

#[tokio::test]
async fn nobody_there_is_told_so() {
    let port = serve(Script::default()).await.port();
    let (pieces, error) = all(
        &connection(&format!("http://127.0.0.1:{port}/v1"), WireApi::Responses),
        prompt("Hi"),
    )
    .await;
    let failure = error.unwrap().failure();
    assert_eq!(failure.code, Code::Unreachable);
    assert_eq!(retries(&pieces), 4);
    for bad in ["not a url", "ftp://host/v1", ""] {
        let (_, error) = all(&connection(bad, WireApi::Responses), prompt("Hi")).await;
        assert_eq!(error.unwrap().failure().code, Code::InvalidRequest, "{bad:?}");
    }
}

#[tokio::test]
async fn the_count_that_is_configured_is_kept() {
    let server = serve(Script::choose(|_| Step::say("x").cut())).await;
    let mut connection = connection(&server.base_url(), WireApi::Responses);
    connection.stream_max_retries = 2;
    let (pieces, error) = all(&connection, prompt("Hi")).await;
    assert_eq!(error.unwrap().failure().code, Code::ProviderFailed);
    let told: Vec<(u32, u32)> = pieces
        .iter()
        .filter_map(|it| match it {
            Piece::Retrying { attempt, max, .. } => Some((*attempt, *max)),
            Piece::Text(_)
            | Piece::Reasoning(_)
            | Piece::ReasoningBreak
            | Piece::Entry(_)
            | Piece::Usage(_)
            | Piece::Done { .. } => None,
        })
        .collect();
    assert_eq!(told, [(1, 2), (2, 2)]);
}

#[tokio::test]
async fn a_wait_that_is_asked_for_is_kept_and_one_too_long_is_not() {
    let server = serve(Script::turns([Step::rate_limited("0.05"), Step::say("ok")])).await;
    let (pieces, _) = all(&connection(&server.base_url(), WireApi::Responses), prompt("Hi")).await;
    assert!(
        matches!(pieces[0], Piece::Retrying { wait_ms: 50.., .. }),
        "{:?}",
        pieces[0]
    );
    let server = serve(Script::turns([Step::rate_limited("3600"), Step::say("never")])).await;
    let (_, error) = all(&connection(&server.base_url(), WireApi::Responses), prompt("Hi")).await;
    assert_eq!(error.unwrap().failure().code, Code::RateLimited);
}

#[tokio::test]
async fn a_stalled_stream_is_given_up() {
    for wire in BOTH {
        let server = serve(Script::turns([Step::say("half").stall(), Step::say("whole")])).await;
        let mut connection = connection(&server.base_url(), wire);
        connection.stream_idle_timeout = Duration::from_millis(100);
        let (pieces, error) = all(&connection, prompt("Hi")).await;
        assert_eq!(error, None);
        assert_eq!((retries(&pieces), shown(&pieces).as_str()), (1, "whole"));
    }
}

#[tokio::test]
async fn a_malformed_event_is_passed_over() {
    for wire in BOTH {
        let server = serve(Script::turns([Step::say("one ").malformed().text("two")])).await;
        let (pieces, error) = all(&connection(&server.base_url(), wire), prompt("Hi")).await;
        assert_eq!(error, None);
        assert_eq!((retries(&pieces), shown(&pieces).as_str()), (0, "one two"));
    }
}

#[tokio::test]
async fn calls_that_were_handed_out_are_not_asked_for_again() {
    let step = Step::think("Look.")
        .and_call("exec_command", json!({ "cmd": "ls" }))
        .text("and th")
        .cut();
    let server = serve(Script::turns([step, Step::say("never")])).await;
    let (pieces, error) = all(&connection(&server.base_url(), WireApi::Responses), prompt("Hi")).await;
    assert_eq!(error, None);
    assert_eq!((calls(&pieces).len(), retries(&pieces), done(&pieces)), (1, 0, true));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_retry_goes_on_after_what_was_handed_out() {
    // The second message begins, so the first one stays; then the stream is cut.
    let step = Step::say("First.").and_call("", json!({})).text("Sec").cut();
    let server = serve(Script::turns([step, Step::say("Second.")])).await;
    let (pieces, error) = all(&connection(&server.base_url(), WireApi::Responses), prompt("Hi")).await;
    assert_eq!((error, retries(&pieces)), (None, 1));
    let requests = server.requests();
    assert_eq!(requests[1].entries().len(), requests[0].entries().len() + 1);
    assert_eq!(requests[1].entries()[2]["content"][0]["text"], "First.");
}

#[tokio::test]
async fn text_arrives_while_the_answer_is_still_being_written() {
    for wire in BOTH {
        let gate = Gate::new();
        let server = serve(Script::turns([Step::say("first half")
            .hold(&gate)
            .text(", second half")]))
        .await;
        let provider = connect(Http::new("0.0.0"), connection(&server.base_url(), wire));
        let mut stream = provider.stream(prompt("Hi"));
        let mut text = String::new();
        while text != "first half" {
            if let Some(Ok(Piece::Text(more))) = stream.next().await {
                text.push_str(&more);
            }
        }
        gate.reached().await;
        gate.open();
        while let Some(piece) = stream.next().await {
            if let Piece::Text(more) = piece.unwrap() {
                text.push_str(&more);
            }
        }
        assert_eq!(text, "first half, second half");
    }
}

#[tokio::test]
async fn connections_are_used_again() {
    for wire in BOTH {
        let server = serve(Script::choose(|request| match request.number {
            3 => Step::error(500, "server_error", "oops"),
            _ => Step::say("ok"),
        }))
        .await;
        let http = Http::new("0.0.0");
        for _ in 0..10 {
            let (pieces, error) = all_over(&http, &connection(&server.base_url(), wire), prompt("Hi")).await;
            assert_eq!((error, done(&pieces)), (None, true));
        }
        assert_eq!((server.requests().len(), server.connections()), (11, 1), "{wire:?}");
    }
}

#[tokio::test]
async fn dropping_the_stream_ends_the_request() {
    let gate = Gate::new();
    let server = serve(Script::turns([Step::say("first").hold(&gate).text("never")])).await;
    let mut stream = connect(Http::new("0.0.0"), connection(&server.base_url(), WireApi::Chat)).stream(prompt("Hi"));
    assert!(matches!(stream.next().await, Some(Ok(Piece::Text(_)))));
    drop(stream);
    server.closed(1).await;
}

#[tokio::test]
async fn the_key_never_leaks() {
    let echo = || {
        Step::error(
            401,
            "invalid_api_key",
            &format!("Incorrect API key provided: {KEY}. Team blue-secret."),
        )
    };
    let page = || Step::status(200, format!("<html>{KEY}</html>")).header("content-type", "text/html");
    for step in [echo(), page(), Step::say("x").failed("invalid_prompt", KEY)] {
        for wire in BOTH {
            let server = serve(Script::turns([step.clone()])).await;
            let mut connection = connection(&server.base_url(), wire);
            connection.headers = vec![("x-team".to_owned(), "blue-secret".to_owned())];
            let (_, error) = all(&connection, prompt("Hi")).await;
            let error = error.unwrap();
            let told = format!("{error} {error:?} {:?} {connection:?}", error.failure());
            assert!(!told.contains(KEY) && !told.contains("blue-secret"), "{told}");
        }
    }
    let mut broken: Connection = connection("http://127.0.0.1:1/v1", WireApi::Chat);
    broken.key = Some(format!("{KEY}\nx"));
    let (_, error) = all(&broken, prompt("Hi")).await;
    let error = error.unwrap();
    assert_eq!(error.failure().code, Code::Unauthorized);
    assert!(!format!("{error:?}").contains(KEY));
}
