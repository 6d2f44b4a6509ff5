//! Processes: what they write reaches everybody, and none of them is left behind.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::{Duration, Instant};

use agent::tool::{Access, Grant, Output};
use agent::tools::exec_command::ExecCommand;
use protocol::setting::SandboxMode::{DangerFullAccess, WorkspaceWrite};
use protocol::{ItemKind, ItemStatus, Live};
use serde_json::json;

use crate::stage::{Stage, Told, read, text};

/// How long the machine may take to do what does not happen at once.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn the_model_reads_how_a_command_ended_and_what_it_wrote() {
    let stage = Stage::new(WorkspaceWrite);
    let end = stage
        .exec(
            json!({"cmd": "echo out; echo err >&2; echo $ZSPARK_SANDBOX; exit 3"}),
            Grant::Sandboxed,
        )
        .await;
    let said = text(&end);
    let lines: Vec<&str> = said.lines().collect();
    assert!(
        lines[0].starts_with("Chunk ID: ") && lines[0].len() == "Chunk ID: 3a64a4".len(),
        "{said}"
    );
    assert!(
        lines[1].starts_with("Wall time: ") && lines[1].ends_with(" seconds"),
        "{said}"
    );
    let expect = [
        "Process exited with code 3",
        "Original token count: 6",
        "Output:",
        "out",
        "err",
        "workspace-write",
    ];
    assert_eq!(lines[2..], expect);
    assert_eq!(end.status, ItemStatus::Failed);
    let Some(ItemKind::Command {
        tail,
        output,
        exit_code,
        escalated,
        process,
        sandbox_denied,
        ..
    }) = end.item
    else {
        panic!("no command");
    };
    assert_eq!((tail.as_str(), exit_code), ("out\nerr\nworkspace-write\n", Some(3)));
    assert_eq!((escalated, process, sandbox_denied), (false, None, false));
    let output = output.unwrap();
    assert_eq!((output.bytes, output.lines), (24, 3));
    assert_eq!(read(&stage.output_file(&output.blob)), tail);
}

#[tokio::test]
async fn a_signal_is_an_exit_code() {
    for mode in [WorkspaceWrite, DangerFullAccess] {
        for (command, code) in [
            ("kill -9 $$", 137),
            ("kill -TERM $$", 143),
            ("sleep 1000 & kill -TERM $!; wait $!", 143),
        ] {
            assert_eq!(Stage::new(mode).run(command).await.0, code, "{mode:?} {command}");
        }
    }
}

#[tokio::test]
async fn a_program_or_folder_that_is_not_there_is_an_answer() {
    let stage = Stage::new(WorkspaceWrite);
    let end = stage
        .exec(json!({"cmd": "true", "workdir": "nowhere"}), Grant::Sandboxed)
        .await;
    assert!(
        matches!(end.output, Output::Failed(ref it) if it.contains("is not a folder")),
        "{end:?}"
    );
    let end = stage
        .exec(json!({"cmd": "true", "shell": "/no/such/shell"}), Grant::Sandboxed)
        .await;
    assert!(text(&end).contains("No such file"), "{end:?}");
    assert_eq!(end.status, ItemStatus::Failed);
    let end = stage.exec(json!({"cmd": " "}), Grant::Sandboxed).await;
    assert!(matches!(end.output, Output::Failed(_)));
}

#[tokio::test]
async fn a_command_that_takes_long_goes_to_the_background_and_reports_its_end() {
    let stage = Stage::new(WorkspaceWrite);
    std::process::Command::new("mkfifo")
        .arg(stage.cwd.join("go"))
        .status()
        .unwrap();
    let end = stage
        .exec(
            json!({"cmd": "echo before; read line < go; echo after $line", "yield_time_ms": 300}),
            Grant::Sandboxed,
        )
        .await;
    assert_eq!((end.status, &end.item), (ItemStatus::InProgress, &None));
    assert!(
        text(&end).contains("Process running with session ID 1\n"),
        "{}",
        text(&end)
    );
    assert!(text(&end).ends_with("Output:\nbefore\n"));
    assert!(matches!(
        stage.recorder.all().as_slice(),
        [.., Told::Update(ItemKind::Command { process: Some(1), .. })]
    ));
    let go = stage.cwd.join("go");
    std::fs::write(&go, "now\n").unwrap();
    let (kind, status) = tokio::time::timeout(PATIENCE, stage.recorder.later()).await.unwrap();
    assert_eq!(status, ItemStatus::Completed);
    assert!(
        matches!(kind, ItemKind::Command { exit_code: Some(0), process: None, ref tail, .. } if tail == "before\nafter now\n")
    );
    let rest = stage.write_stdin(json!({"session_id": 1})).await;
    assert!(text(&rest).contains("Process exited with code 0\n"), "{}", text(&rest));
    assert!(
        text(&rest).ends_with("Output:\nafter now\n"),
        "only what is new: {}",
        text(&rest)
    );
    let unknown = stage.write_stdin(json!({"session_id": 1})).await;
    assert!(
        matches!(unknown.output, Output::Failed(ref it) if it.contains("unknown process id 1")),
        "{unknown:?}"
    );
}

#[tokio::test]
async fn a_terminal_can_be_typed_into() {
    let stage = Stage::new(WorkspaceWrite);
    let end = stage
        .exec(json!({"cmd": "test -t 0 && test -t 1 && echo terminal; read name; echo hello $name; sleep 1000", "tty": true, "yield_time_ms": 500, "login": false}), Grant::Sandboxed)
        .await;
    assert!(text(&end).contains("terminal"), "{}", text(&end));
    let said = text(
        &stage
            .write_stdin(json!({"session_id": 1, "chars": "zspark\n", "yield_time_ms": 1000}))
            .await,
    );
    assert!(said.contains("hello zspark"), "{said}");
    let said = text(
        &stage
            .write_stdin(json!({"session_id": 1, "chars": "\u{3}", "yield_time_ms": 20000}))
            .await,
    );
    assert!(said.contains("Process exited with code 130"), "{said}");
}

#[tokio::test]
async fn pipes_take_no_input() {
    let stage = Stage::new(WorkspaceWrite);
    stage
        .exec(json!({"cmd": "sleep 1000", "yield_time_ms": 250}), Grant::Sandboxed)
        .await;
    let end = stage.write_stdin(json!({"session_id": 1, "chars": "x"})).await;
    assert!(
        matches!(end.output, Output::Failed(ref it) if it.contains("tty=true")),
        "{end:?}"
    );
}

#[tokio::test]
async fn a_million_lines_stay_on_the_disk() {
    let stage = Stage::new(WorkspaceWrite);
    let end = stage
        .exec(
            json!({"cmd": "seq 1 1000000", "max_output_tokens": 100, "yield_time_ms": 30000}),
            Grant::Sandboxed,
        )
        .await;
    let said = text(&end);
    assert!(said.contains("Original token count: 1722224\nOutput:\nWarning: truncated output (original token count: 1722224)\n\n1\n2\n"), "{said}");
    assert!(said.contains(" bytes omitted ...\n"), "{said}");
    assert!(said.ends_with("999999\n1000000\n"), "{said}");
    assert!(said.len() < 800, "{}", said.len());
    let Some(ItemKind::Command {
        output: Some(output),
        tail,
        ..
    }) = end.item
    else {
        panic!("no output")
    };
    assert_eq!((output.bytes, output.lines), (6_888_896, 1_000_000));
    assert!(tail.len() <= 4096);
    let live: usize = stage
        .recorder
        .all()
        .iter()
        .map(|it| match it {
            Told::Live(Live::Output { text, .. }) => text.len(),
            _ => 0,
        })
        .sum();
    assert!(live < 2_000_000, "live output is thinned out: {live}");
}

#[tokio::test]
async fn output_that_is_no_text_is_noted_and_harmless() {
    let stage = Stage::new(WorkspaceWrite);
    let said = stage.run("printf 'a\\xff\\xfeb'").await.1;
    assert!(said.ends_with("a\u{fffd}\u{fffd}b"), "{said}");
    let said = stage.run("head -c 5000 /dev/urandom; head -c 100 /dev/zero").await.1;
    assert!(said.contains("Note: this is binary data"), "{said}");
}

#[tokio::test]
async fn a_refusal_by_the_sandbox_is_told_with_the_way_out() {
    let stage = Stage::new(WorkspaceWrite);
    let end = stage
        .exec(json!({"cmd": "echo x > ../outside/new"}), Grant::Sandboxed)
        .await;
    assert!(
        matches!(
            end.item,
            Some(ItemKind::Command {
                sandbox_denied: true,
                ..
            })
        ),
        "{end:?}"
    );
    assert!(text(&end).contains("require_escalated"), "{end:?}");
    let end = stage
        .exec(json!({"cmd": "echo 'permission denied'"}), Grant::Sandboxed)
        .await;
    assert!(
        matches!(
            end.item,
            Some(ItemKind::Command {
                sandbox_denied: false,
                ..
            })
        ),
        "it worked: {end:?}"
    );
}

#[tokio::test]
async fn an_interrupted_command_leaves_nothing_behind() {
    for (mode, tty) in [
        (WorkspaceWrite, false),
        (WorkspaceWrite, true),
        (DangerFullAccess, false),
        (DangerFullAccess, true),
    ] {
        let stage = Stage::new(mode);
        let name = hide_and_seek(&stage);
        let command = format!("{name} & setsid {name} & (setsid bash -c '{name} & sleep 1000' &) ; echo ready; {name}");
        let stop = stage.stop.clone();
        let running = stage.exec(
            json!({"cmd": command, "tty": tty, "yield_time_ms": 30000, "login": false}),
            Grant::Sandboxed,
        );
        let recorder = std::sync::Arc::clone(&stage.recorder);
        let began = Instant::now();
        let (end, ()) = tokio::join!(running, async {
            until(|| {
                recorder
                    .all()
                    .iter()
                    .any(|it| matches!(it, Told::Live(Live::Output { text, .. }) if text.contains("ready")))
            })
            .await;
            until(|| count(&name) >= 4).await;
            stop.cancel();
        });
        assert_eq!(end.status, ItemStatus::Interrupted, "{mode:?} {tty}");
        assert!(text(&end).contains("aborted by user"));
        assert!(began.elapsed() < PATIENCE);
        until(|| count(&name) == 0).await;
    }
}

#[tokio::test]
async fn a_closed_thread_leaves_nothing_behind() {
    for mode in [WorkspaceWrite, DangerFullAccess] {
        let mut stage = Stage::new(mode);
        let name = hide_and_seek(&stage);
        let command = format!("(setsid {name} &); {name}");
        stage
            .exec(
                json!({"cmd": command, "yield_time_ms": 250, "login": false}),
                Grant::Sandboxed,
            )
            .await;
        until(|| count(&name) == 2).await;
        drop(stage.processes.take());
        until(|| count(&name) == 0).await;
        until(|| !stage.cwd.join(".git").exists()).await;
    }
}

#[tokio::test]
async fn stopping_waits_until_all_are_gone() {
    let stage = Stage::new(WorkspaceWrite);
    let name = hide_and_seek(&stage);
    stage
        .exec(
            json!({"cmd": name, "yield_time_ms": 250, "login": false}),
            Grant::Sandboxed,
        )
        .await;
    stage.processes().stop().await;
    assert_eq!(count(&name), 0);
    let (_, status) = tokio::time::timeout(PATIENCE, stage.recorder.later()).await.unwrap();
    assert_eq!(status, ItemStatus::Interrupted);
}

#[tokio::test]
async fn what_a_confined_command_leaves_in_the_background_ends_with_it() {
    let stage = Stage::new(WorkspaceWrite);
    let name = hide_and_seek(&stage);
    let began = Instant::now();
    assert_eq!(stage.run(&format!("{name} & setsid {name} & disown -a")).await.0, 0);
    assert!(began.elapsed() < PATIENCE, "its pipes are not waited for");
    until(|| count(&name) == 0).await;
}

#[tokio::test]
async fn commands_get_the_environment_they_are_given_and_nothing_else() {
    let mut stage = Stage::new(WorkspaceWrite);
    stage.env.insert("GIVEN".to_owned(), "yes".to_owned());
    let said = stage.run("env").await.1;
    assert!(said.contains("GIVEN=yes\n") && said.contains("PAGER=cat\n"), "{said}");
    assert!(!said.contains("CARGO_"), "{said}");
}

#[tokio::test]
async fn a_patch_given_to_the_shell_is_a_patch() {
    let stage = Stage::new(WorkspaceWrite);
    let cmd = "apply_patch <<'EOF'\n*** Begin Patch\n*** Add File: new.txt\n+hello\n*** End Patch\nEOF";
    let sandbox = std::sync::Arc::from(agent::sandbox::system(crate::stage::launcher()));
    let tool = ExecCommand::new(stage.processes(), sandbox, stage.env.clone());
    let Access::Write(changes) = stage.access(&tool, json!({ "cmd": cmd })) else {
        panic!("not a patch")
    };
    assert_eq!(changes.len(), 1);
    let end = stage.exec(json!({ "cmd": cmd }), Grant::Sandboxed).await;
    assert!(
        text(&end).ends_with("Success. Updated the following files:\nA new.txt\n"),
        "{end:?}"
    );
    assert_eq!(read(&stage.cwd.join("new.txt")), "hello\n");
}

/// A program of a name that nobody else has, so that it can be counted. It sleeps.
fn hide_and_seek(stage: &Stage) -> String {
    let name = stage.cwd.join(format!("sleeper{}", &uuid()[..6]));
    std::fs::copy("/bin/sleep", &name).unwrap();
    format!("{} 1000", name.display())
}

fn uuid() -> String {
    protocol::ItemId::new().0.chars().rev().collect()
}

/// How many run.
fn count(command: &str) -> usize {
    let wanted = command.replace(' ', "\0");
    std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(|it| std::fs::read(it.path().join("cmdline")).is_ok_and(|it| it.starts_with(wanted.as_bytes())))
        .count()
}

/// Waits for something in the process table, which tells nobody when it changes.
async fn until(check: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !check() {
        assert!(Instant::now() < deadline, "it did not come");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
