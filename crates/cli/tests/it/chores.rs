//! The other commands.

use serde_json::Value;
use testkit::{Step, TempHome};

use crate::run::*;

#[tokio::test]
async fn threads_are_listed() {
    let place = Place::new([Step::say("a walrus"), Step::say("a penguin")]).await;
    let first = place.run(&["exec", "--json", "first prompt"]).await;
    let second = place.run(&["exec", "--json", "second prompt"]).await;

    let table = place.run(&["threads"]).await;
    let rows: Vec<&str> = table.stdout.lines().collect();
    assert_eq!(rows.len(), 3, "{table:?}");
    assert!(rows[0].starts_with("THREAD"), "{table:?}");
    assert!(
        rows[1].starts_with(&second.thread()) && rows[1].ends_with("second prompt"),
        "{table:?}"
    );
    assert!(
        rows[2].starts_with(&first.thread()) && rows[2].contains("just now"),
        "{table:?}"
    );

    let ids = |run: &Run| -> Vec<String> {
        let threads: Vec<Value> = serde_json::from_str(&run.stdout).unwrap();
        threads.iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect()
    };
    let all = place.run(&["threads", "--json"]).await;
    assert_eq!(ids(&all), [second.thread(), first.thread()]);
    let archived = place.run(&["threads", "--json", "--archived"]).await;
    assert_eq!(ids(&archived), Vec::<String>::new());
}

#[tokio::test]
async fn the_doctor_looks_at_the_machine() {
    let place = Place::new([]).await;
    let run = place.run(&["doctor", "--json"]).await;
    let findings: Vec<Value> = serde_json::from_str(&run.stdout).unwrap();
    assert!(!findings.is_empty(), "{run:?}");
    let broken = findings.iter().any(|it| it["state"] == "broken");
    assert_eq!(run.code, Some(i32::from(broken)), "{run:?}");
    let text = place.run(&["doctor"]).await;
    assert_eq!(text.code, run.code);
    for finding in &findings {
        assert!(
            text.stdout.contains(finding["name"].as_str().unwrap()),
            "{finding} in {text:?}"
        );
    }
}

#[tokio::test]
async fn version_help_and_completions() {
    let home = TempHome::new().unwrap();
    let version = run(&home, &["--version"], "").await;
    assert_eq!(version.stdout, format!("zspark {}\n", env!("CARGO_PKG_VERSION")));
    let nothing = run(&home, &[], "").await;
    assert!(nothing.stderr.contains("Usage: zspark <COMMAND>"), "{nothing:?}");
    for (shell, part) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef zspark"),
        ("fish", "complete -c zspark"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        for name in ["completions", "completion"] {
            let script = run(&home, &[name, shell], "").await;
            assert!(script.stdout.contains(part), "{shell}: {script:?}");
            assert!(script.stdout.contains("skip-git-repo-check"), "{shell}");
        }
    }
    assert_eq!(
        std::fs::read_dir(home.path()).unwrap().count(),
        0,
        "nothing was written"
    );
}
