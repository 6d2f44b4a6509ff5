use clap::{CommandFactory, Parser};

use super::*;

fn exec(args: &[&str]) -> Exec {
    let cli = Cli::try_parse_from([&["zspark", "exec"], args].concat()).unwrap();
    match cli.command {
        Command::Exec(exec) => *exec,
        Command::Threads(_) | Command::Doctor(_) | Command::Completions { .. } => panic!("not exec"),
    }
}

#[test]
fn the_definition_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn the_line_that_the_sdk_writes_is_understood() {
    let line = [
        "--experimental-json",
        "--config",
        "openai_base_url=\"http://127.0.0.1:1\"",
        "--model",
        "m",
        "--thread-source",
        "sdk",
        "--sandbox",
        "workspace-write",
        "--cd",
        "/w",
        "--add-dir",
        "/a",
        "--add-dir",
        "/b",
        "--skip-git-repo-check",
        "--output-schema",
        "/s.json",
        "--cyber-access-program",
        "standard",
        "--config",
        "model_reasoning_effort=\"high\"",
        "resume",
        "0198",
        "--image",
        "/1.png",
        "--image",
        "/2.png",
    ];
    let exec = exec(&line);
    let Some(ExecCommand::Resume(resume)) = exec.command else {
        panic!("no resume in {exec:?}");
    };
    assert_eq!(
        (resume.thread.as_deref(), resume.prompt.as_deref()),
        (Some("0198"), None)
    );
    let common = resume.common.over(exec.common);
    assert!(common.json && common.skip_git_repo_check);
    assert_eq!(common.model.as_deref(), Some("m"));
    assert_eq!(common.sandbox_mode(), Some(SandboxMode::WorkspaceWrite));
    assert_eq!(common.cd, Some(PathBuf::from("/w")));
    assert_eq!(common.add_dir, [PathBuf::from("/a"), PathBuf::from("/b")]);
    assert_eq!(common.image, [PathBuf::from("/1.png"), PathBuf::from("/2.png")]);
    assert_eq!(common.output_schema, Some(PathBuf::from("/s.json")));
    assert_eq!(
        common.config,
        [
            "openai_base_url=\"http://127.0.0.1:1\"",
            "model_reasoning_effort=\"high\""
        ]
    );
}

#[test]
fn options_after_resume_win_over_those_before_it() {
    let exec = exec(&[
        "-m", "a", "-c", "x=1", "resume", "--last", "go on", "-m", "b", "-c", "x=2",
    ]);
    let Some(ExecCommand::Resume(resume)) = exec.command else {
        panic!("no resume");
    };
    assert!(resume.last);
    assert_eq!(resume.thread.as_deref(), Some("go on"));
    let common = resume.common.over(exec.common);
    assert_eq!(common.model.as_deref(), Some("b"));
    assert_eq!(common.config, ["x=1", "x=2"]);
}

#[test]
fn the_sandbox_follows_the_flags() {
    let check = |args: &[&str], expect| assert_eq!(exec(args).common.sandbox_mode(), expect, "{args:?}");
    check(&["hi"], None);
    check(&["-s", "read-only", "hi"], Some(SandboxMode::ReadOnly));
    check(&["--full-auto", "hi"], Some(SandboxMode::WorkspaceWrite));
    check(
        &["--dangerously-bypass-approvals-and-sandbox", "hi"],
        Some(SandboxMode::DangerFullAccess),
    );
    assert!(Cli::try_parse_from(["zspark", "exec", "--yolo", "-s", "read-only", "hi"]).is_err());
}
