//! What cannot work: a clear message, a next step, exit code 1, and JSON where JSON was asked for.

use testkit::{Step, TempHome};

use crate::run::*;

/// The text that a failed run must have on stderr.
fn check(run: &Run, parts: &[&str]) {
    assert_eq!(run.code, Some(1), "{run:?}");
    for part in parts {
        assert!(run.stderr.contains(part), "{part:?} in {}", run.stderr);
    }
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
}

#[tokio::test]
async fn a_folder_without_git() {
    let place = Place::new([Step::say("hello")]).await;
    std::fs::remove_dir(place.home.work().join(".git")).unwrap();
    check(
        &place.run(&["exec", "hi"]).await,
        &["no git repository", "hint: Pass --skip-git-repo-check"],
    );
    let json = place.run(&["exec", "--json", "hi"]).await;
    assert_eq!(place.lines(&json)[0]["type"], "error", "{json:?}");
    assert!(place.server.requests().is_empty());
    let run = place.run(&["exec", "--skip-git-repo-check", "hi"]).await;
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), "hello\n"), "{run:?}");
}

#[tokio::test]
async fn no_prompt() {
    let place = Place::new([]).await;
    check(
        &place.run(&["exec"]).await,
        &["stdin is empty", "hint: Give the prompt"],
    );
}

#[tokio::test]
async fn a_folder_that_is_gone_and_files_that_are_missing() {
    let place = Place::new([]).await;
    place.home.file("bad.json", "{").unwrap();
    check(
        &place.run(&["exec", "-C", "gone", "hi"]).await,
        &["gone cannot be used", "hint:"],
    );
    check(
        &place.run(&["exec", "-C", "bad.json", "hi"]).await,
        &["is not a folder"],
    );
    check(
        &place.run(&["exec", "-i", "gone.png", "--", "hi"]).await,
        &["gone.png cannot be attached"],
    );
    check(
        &place.run(&["exec", "--output-schema", "bad.json", "hi"]).await,
        &["not valid JSON"],
    );
    check(
        &place.run(&["exec", "--output-schema", "gone", "hi"]).await,
        &["gone cannot be read"],
    );
    check(&place.run(&["exec", "-c", "nonsense", "hi"]).await, &["key=value"]);
    check(
        &place.run(&["exec", "resume", "lost", "hi"]).await,
        &["there is no thread \"lost\"", "zspark threads"],
    );
    check(
        &place.run(&["exec", "resume", "--last", "hi"]).await,
        &["there is no thread in"],
    );
    assert!(place.server.requests().is_empty());
}

#[tokio::test]
async fn no_provider_and_a_broken_configuration() {
    let home = TempHome::new().unwrap();
    let exec = ["exec", "--skip-git-repo-check", "hi"];
    check(&run(&home, &exec, "").await, &["error:", "hint:", "provider"]);
    home.configure("model = \"m\"\nmodel_provider = [\n").unwrap();
    check(&run(&home, &exec, "").await, &["config.toml", "line"]);
    let doctor = run(&home, &["doctor"], "").await;
    assert_eq!(doctor.code, Some(1), "{doctor:?}");
    assert!(doctor.stdout.contains("config.toml"), "{doctor:?}");
}

#[tokio::test]
async fn a_key_that_is_missing_or_wrong() {
    let place = Place::new([Step::unauthorized()]).await;
    let run = place
        .run(&["exec", "-c", "model_providers.scripted.env_key=NO_SUCH_KEY", "hi"])
        .await;
    check(&run, &["NO_SUCH_KEY", "hint:"]);
    assert!(place.server.requests().is_empty(), "{run:?}");
    let run = place.run(&["exec", "--json", "hi"]).await;
    let lines = place.lines(&run);
    let failed = lines.last().unwrap();
    assert_eq!((run.code, &failed["type"]), (Some(1), &"turn.failed".into()), "{run:?}");
    let why = failed["error"]["message"].as_str().unwrap();
    assert!(
        why.contains("key") && why.contains("Incorrect API key provided."),
        "{why}"
    );
    assert_eq!(lines[lines.len() - 2]["message"].as_str(), Some(why));
}

#[tokio::test]
async fn a_url_where_nobody_is_and_one_where_a_web_page_is() {
    let place = Place::new([Step::html(), Step::html(), Step::html()]).await;
    check(&place.run(&["exec", "hi"]).await, &["error:", "hint:"]);
    let unreachable = place
        .run(&[
            "exec",
            "-c",
            "model_providers.scripted.base_url=\"http://127.0.0.1:1/v1\"",
            "-c",
            "model_providers.scripted.request_max_retries=0",
            "-c",
            "model_providers.scripted.stream_max_retries=0",
            "hi",
        ])
        .await;
    check(&unreachable, &["error:", "127.0.0.1:1", "hint:"]);
}

#[tokio::test]
async fn a_wrong_option_is_exit_code_2() {
    let place = Place::new([]).await;
    let run = place.run(&["exec", "--no-such-option", "hi"]).await;
    assert_eq!(run.code, Some(2), "{run:?}");
}
