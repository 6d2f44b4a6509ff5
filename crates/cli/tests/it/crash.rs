//! Ends before the end: an interrupt keeps what was done, a kill loses nothing durable.
#![cfg(unix)]

use serde_json::json;
use testkit::{Gate, Step};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::Child;

use crate::run::*;

/// Reads lines until one has `part`; gives all of them.
async fn until(child: &mut Child, part: &str) -> (String, BufReader<tokio::process::ChildStdout>) {
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    while !text.lines().last().is_some_and(|it| it.contains(part)) {
        assert_ne!(
            stdout.read_line(&mut text).await.unwrap(),
            0,
            "the end came before {part}: {text}"
        );
    }
    (text, stdout)
}

fn signal(child: &Child, signal: rustix::process::Signal) {
    let pid = i32::try_from(child.id().unwrap()).unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), signal).unwrap();
}

#[tokio::test]
async fn an_interrupt_stops_the_command_and_keeps_the_turn() {
    for (sent, code) in [
        (rustix::process::Signal::INT, 130),
        (rustix::process::Signal::TERM, 143),
    ] {
        let cmd = "echo begun; sleep 600";
        let steps = [Step::call("exec_command", json!({ "cmd": cmd })), Step::say("went on")];
        let place = Place::new(steps).await;
        let mut child = command(&place.home).args(["exec", "--json", "go"]).spawn().unwrap();
        drop(child.stdin.take());
        let (mut text, mut stdout) = until(&mut child, "item.started").await;
        signal(&child, sent);
        stdout.read_to_string(&mut text).await.unwrap();
        assert_eq!(child.wait().await.unwrap().code(), Some(code), "{text}");
        let lines = lines(&place.home, &text);
        assert_eq!(
            lines[..3],
            [thread_started(), turn_started(), command_started(0, cmd)],
            "{text}"
        );
        assert_eq!(lines[3]["item"]["status"], "failed", "{text}");
        assert_eq!(lines[4..], [turn_failed("turn interrupted")], "{text}");

        let on = place.run(&["exec", "resume", "--last", "and now?"]).await;
        assert_eq!((on.code, on.stdout.as_str()), (Some(0), "went on\n"), "{on:?}");
        let context = place.server.requests()[1].body.to_string();
        assert!(
            context.contains("sleep 600") && context.contains("aborted by user"),
            "{context}"
        );
    }
}

#[tokio::test]
async fn a_killed_run_goes_on_where_it_was() {
    let gate = Gate::new();
    let steps = [
        Step::call("exec_command", json!({ "cmd": "echo durable" })),
        Step::say("half of a mess").hold(&gate).text("age"),
        Step::say("went on"),
    ];
    let place = Place::new(steps).await;
    let mut child = command(&place.home).args(["exec", "--json", "go"]).spawn().unwrap();
    drop(child.stdin.take());
    let (text, _stdout) = until(&mut child, "item.completed").await;
    gate.reached().await;
    signal(&child, rustix::process::Signal::KILL);
    assert_eq!(child.wait().await.unwrap().code(), None);
    let thread = Run {
        code: None,
        stdout: text,
        stderr: String::new(),
    }
    .thread();

    let on = place.run(&["exec", "--json", "resume", &thread, "go on"]).await;
    assert_eq!(
        place.lines(&on),
        [
            thread_started(),
            turn_started(),
            message(0, "went on"),
            turn_completed(1)
        ],
        "{on:?}"
    );
    let context = place.server.requests()[2].body.to_string();
    for part in ["durable", "go on"] {
        assert!(context.contains(part), "{part}: {context}");
    }
}
