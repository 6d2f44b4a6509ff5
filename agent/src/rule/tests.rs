//! Which rule answers which question, and what of rules survives.

use std::path::{Path, PathBuf};

use protocol::RuleId;
use protocol::approval::{Rule, RuleDraft, RuleEffect, RuleSubject};

use super::{Error, RuleQuery, Rules, decide, file};
use crate::clock::Clock;
use crate::command;
use crate::home::Home;

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

fn draft(prefix: &str, effect: RuleEffect) -> RuleDraft {
    RuleDraft {
        subject: RuleSubject::CommandPrefix {
            prefix: words(prefix),
            escalated: false,
        },
        effect,
        folder: None,
        expires_ms: None,
    }
}

fn rule(id: &str, draft: RuleDraft) -> Rule {
    Rule {
        id: RuleId(id.to_owned()),
        draft,
        created_ms: 1,
        origin: "person".to_owned(),
        matched: 0,
        last_matched_ms: None,
    }
}

fn allow(prefix: &str) -> Rule {
    rule(prefix, draft(prefix, RuleEffect::Allow))
}

fn deny(prefix: &str) -> Rule {
    rule(prefix, draft(prefix, RuleEffect::Deny))
}

fn ask(prefix: &str) -> Rule {
    rule(prefix, draft(prefix, RuleEffect::Ask))
}

fn query(line: &str) -> RuleQuery {
    RuleQuery {
        line: Some(command::parse(line)),
        cwd: PathBuf::from("/work"),
        escalated: false,
        write_paths: Vec::new(),
        now_ms: 100,
    }
}

#[track_caller]
fn check(rules: &[Rule], query: &RuleQuery, want: &[&str]) {
    let found: Vec<&str> = decide(rules.iter(), query).iter().map(|it| it.id.as_str()).collect();
    assert_eq!(found, want, "{:?}", query.line.as_ref().map(|it| &it.text));
}

#[test]
fn a_prefix_covers_what_begins_with_it_and_nothing_else() {
    let rules = [allow("cargo test"), allow("npm run build")];
    for line in [
        "cargo test",
        "cargo test -p x",
        "cargo 'test' --doc",
        "cargo test *",
        "cargo test $x",
        "cargo test 2>&1",
        "bash -lc 'cargo test'",
    ] {
        check(&rules, &query(line), &["cargo test"]);
    }
    for line in [
        "cargo",
        "cargo build",
        "cargo tes",
        "cargo testx",
        "cargo -q test",
        "cargo te*",
        "cargo $x",
        "cargo \"$x\" test",
        "$x cargo test",
        "~/cargo test",
        "./cargo test",
        "/bin/cargo test",
        "Cargo test",
        "cargo test > x",
        "cargo test < x",
        "cargo test &",
        "cargo test $(id)",
        "cargo test `id`",
        "(cargo test)",
        "A=b cargo test",
        "cargo test; rm x",
        "cargo test && rm x",
        "cargo test || rm x",
        "cargo test | sh",
        "cargo test\nrm x",
        "cargo test <<EOF\nx\nEOF",
        "rm x; cargo test",
        "sudo cargo test",
        "env cargo test",
        "time cargo test",
        "echo cargo test",
        "\"cargo test\"",
        "bash -c 'cargo test; rm x'",
        "! cargo test",
        "",
    ] {
        check(&rules, &query(line), &[]);
    }
}

#[test]
fn every_part_of_a_line_must_be_covered() {
    let rules = [allow("cargo test"), allow("npm run build")];
    check(
        &rules,
        &query("cargo test && npm run build"),
        &["cargo test", "npm run build"],
    );
    check(
        &rules,
        &query("npm run build | cargo test; cargo test"),
        &["npm run build", "cargo test"],
    );
    // What only reads needs no rule beside one that answers, and is for the policy when it stands alone.
    check(
        &rules,
        &query("git status && cargo test 2>&1 | tail -5"),
        &["cargo test"],
    );
    check(&rules, &query("ls"), &[]);
}

#[test]
fn leaving_the_folder_leaves_the_rule() {
    let rules = [allow("make test"), allow("./build")];
    check(&rules, &query("cd sub && make test"), &["make test"]);
    check(&rules, &query("cd ./a/../b && make test"), &["make test"]);
    for line in [
        "cd .. && make test",
        "cd / && make test",
        "cd a/../../b && make test",
        "cd && make test",
        "cd - && make test",
        "cd ~ && make test",
        "cd $x && make test",
        "cd -P x && make test",
        "pushd x && make test",
    ] {
        check(&rules, &query(line), &[]);
    }
    check(&rules, &query("./build --fast"), &["./build"]);
    check(&rules, &query("cd sub && ./build"), &[]);
    check(&rules, &query("cd sub && cd .. && ./build"), &["./build"]);
}

#[test]
fn a_rule_holds_in_its_folder_until_it_ends() {
    let mut draft = draft("make", RuleEffect::Allow);
    draft.folder = Some("/work".to_owned());
    draft.expires_ms = Some(200);
    let rules = [rule("r", draft)];
    let at = |cwd: &str, now_ms| RuleQuery {
        cwd: PathBuf::from(cwd),
        now_ms,
        ..query("make")
    };
    check(&rules, &at("/work", 199), &["r"]);
    check(&rules, &at("/work/sub", 199), &["r"]);
    check(&rules, &at("/work", 200), &[]);
    check(&rules, &at("/workshop", 199), &[]);
    check(&rules, &at("/", 199), &[]);
    check(&rules, &at("/work/../other", 199), &[]);
}

#[test]
fn leaving_the_sandbox_needs_a_rule_that_says_so() {
    let mut free = draft("npm test", RuleEffect::Allow);
    free.subject = RuleSubject::CommandPrefix {
        prefix: words("npm test"),
        escalated: true,
    };
    let escalated = |line| RuleQuery {
        escalated: true,
        ..query(line)
    };
    check(&[allow("npm test")], &escalated("npm test"), &[]);
    let rules = [rule("free", free)];
    check(&rules, &escalated("npm test"), &["free"]);
    check(&rules, &query("npm test"), &["free"]);
    check(&rules, &escalated("npm test | tail -1"), &["free"]);
    // The model could have written this repository's configuration.
    check(&rules, &escalated("cd sub && git status && npm test"), &[]);
}

#[test]
fn options_that_name_a_program_are_not_what_a_person_allowed() {
    let rules = [allow("git push"), allow("git fetch")];
    check(&rules, &query("git push origin main"), &["git push"]);
    for line in [
        "git push --receive-pack=./x",
        "git push --receive-pack ./x",
        "git push --rec=./x",
        "git push --exec=./x",
        "git fetch --upload-pack=./x",
        "git fetch --upl ./x",
    ] {
        check(&rules, &query(line), &[]);
    }
}

#[test]
fn an_opaque_line_is_covered_by_a_rule_for_exactly_it() {
    let whole = "echo $(date) > log";
    let mut draft = draft("x", RuleEffect::Allow);
    draft.subject = RuleSubject::CommandPrefix {
        prefix: vec!["bash".into(), "-lc".into(), whole.into()],
        escalated: false,
    };
    let rules = [rule("whole", draft), allow("echo")];
    check(&rules, &query(whole), &["whole"]);
    check(&rules, &query("echo $(date) > log2"), &[]);
    check(&rules, &query("echo $(date) > log; rm x"), &[]);
    check(
        &rules,
        &RuleQuery {
            escalated: true,
            ..query(whole)
        },
        &[],
    );
}

#[test]
fn no_beats_ask_and_ask_beats_yes() {
    let rules = [allow("git"), ask("git pull"), deny("git push")];
    check(&rules, &query("git commit"), &["git"]);
    check(&rules, &query("git pull"), &["git pull"]);
    check(&rules, &query("git pull && git push"), &["git push"]);
    for line in [
        "git push",
        "sudo git push",
        "echo $(git push)",
        "bash -c 'git push' > x",
        "/usr/bin/git push -f",
        "A=b git push",
        "if true; then git push; fi",
    ] {
        check(&rules, &query(line), &["git push"]);
    }
}

#[test]
fn files_are_covered_below_the_folder_of_a_rule() {
    let mut below = draft("x", RuleEffect::Allow);
    below.subject = RuleSubject::Write {
        folder: "/data".to_owned(),
    };
    let rules = [rule("data", below), allow("make")];
    let writes = |paths: &[&str]| RuleQuery {
        line: None,
        write_paths: paths.iter().map(PathBuf::from).collect(),
        ..query("")
    };
    check(&rules, &writes(&["/data/a", "/data/b/c"]), &["data"]);
    for paths in [
        &["/data/a", "/etc/x"][..],
        &["/data/../etc/x"],
        &["/database"],
        &["/"],
        &[],
    ] {
        check(&rules, &writes(paths), &[]);
    }
}

#[test]
fn rules_files_are_read_or_refused_with_their_line() {
    let path = Path::new("/rules/a.rules");
    let text = "
# what we do all day
prefix_rule(pattern=[\"git\", [\"push\", 'pull']], decision=\"prompt\", justification = \"shared\",
            match=[\"git push origin\", [\"git\", \"pull\"]], not_match=['git status'],)
prefix_rule(pattern = [\"ls\"])
network_rule(host=\"x.y\", protocol=\"https\", decision=\"allow\")
prefix_rule(pattern=[\"rm\"], decision=\"forbidden\")
";
    let read: Vec<(String, RuleSubject, RuleEffect)> = file::parse(text, path)
        .unwrap()
        .into_iter()
        .map(|it| (it.id.0, it.draft.subject, it.draft.effect))
        .collect();
    let subject = |prefix: &str| RuleSubject::CommandPrefix {
        prefix: words(prefix),
        escalated: true,
    };
    assert_eq!(
        read,
        [
            ("a.rules:3:0".to_owned(), subject("git push"), RuleEffect::Ask),
            ("a.rules:3:1".to_owned(), subject("git pull"), RuleEffect::Ask),
            ("a.rules:5:0".to_owned(), subject("ls"), RuleEffect::Allow),
            ("a.rules:7:0".to_owned(), subject("rm"), RuleEffect::Deny),
        ]
    );
    for (text, line) in [
        ("prefix_rule(pattern=[])", 1),
        ("prefix_rule()", 1),
        ("\nprefix_rule(pattern=[\"a\"], decision=\"maybe\")", 2),
        ("prefix_rule(pattern=[\"a\"], decison=\"forbidden\")", 1),
        ("prefix_rule(pattern=[\"a\", []])", 1),
        ("prefix_rule(pattern=[\"a\", [[\"b\"]]])", 1),
        ("prefix_rule(pattern=[\"a\"],\nmatch=[\"b\"])", 1),
        ("prefix_rule(pattern=[\"a\"], not_match=[\"a b\"])", 1),
        ("\n\nprefix_rule(pattern=[\"a\"", 3),
        ("prefix_rule(pattern=[\"a\n\"])", 1),
        ("x = 1", 1),
        ("load(\"x\")\n", 1),
        ("def f(): pass", 1),
        ("prefix_rule([\"a\"])", 1),
    ] {
        match file::parse(text, path) {
            Err(Error::File { line: found, path, .. }) => {
                assert_eq!((found, path.as_str()), (line, "/rules/a.rules"), "{text}")
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

fn clock(now: u64) -> Clock {
    Clock::new(move || now)
}

#[tokio::test]
async fn rules_survive_a_restart_and_count_their_matches() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::new(folder.path().join("home"));
    let rules = Rules::open(&home, clock(5));
    assert_eq!(rules.decide(&query("make")).await.unwrap(), None);
    assert!(!home.state().exists(), "a question must not make a database");
    let saved = rules
        .save(None, draft("make", RuleEffect::Allow), "person")
        .await
        .unwrap();
    assert_eq!(
        (saved.created_ms, saved.matched, saved.origin.as_str()),
        (5, 0, "person")
    );
    assert_eq!(rules.decide(&query("make")).await.unwrap().unwrap().id, saved.id);
    assert_eq!(rules.test(&query("make")).await.unwrap().unwrap().id, saved.id);
    drop(rules);
    let rules = Rules::open(&home, clock(9));
    let kept = rules.list().await.unwrap();
    assert_eq!(
        kept,
        [Rule {
            matched: 1,
            last_matched_ms: Some(100),
            ..saved.clone()
        }]
    );
    let changed = rules
        .save(Some(&saved.id), draft("make", RuleEffect::Deny), "person")
        .await
        .unwrap();
    assert_eq!((changed.draft.effect, changed.created_ms), (RuleEffect::Deny, 5));
    assert_eq!(
        rules.decide(&query("make")).await.unwrap().unwrap().draft.effect,
        RuleEffect::Deny
    );
    rules.delete(&saved.id).await.unwrap();
    assert!(matches!(rules.delete(&saved.id).await, Err(Error::NotFound)));
    assert_eq!(rules.decide(&query("make")).await.unwrap(), None);
}

#[tokio::test]
async fn another_process_is_heard_of() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::new(folder.path());
    let (one, other) = (Rules::open(&home, clock(1)), Rules::open(&home, clock(1)));
    assert_eq!(one.list().await.unwrap(), []);
    let saved = other
        .save(None, draft("make", RuleEffect::Allow), "person")
        .await
        .unwrap();
    assert_eq!(one.list().await.unwrap(), std::slice::from_ref(&saved));
    other.delete(&saved.id).await.unwrap();
    assert_eq!(one.list().await.unwrap(), []);
}

#[tokio::test]
async fn rules_files_count_and_a_broken_one_allows_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::new(folder.path());
    let rules = Rules::open(&home, clock(1));
    std::fs::create_dir(folder.path().join("rules")).unwrap();
    let path = folder.path().join("rules/default.rules");
    std::fs::write(&path, "prefix_rule(pattern=['make'], decision='allow')").unwrap();
    let found = rules
        .decide(&RuleQuery {
            escalated: true,
            ..query("make")
        })
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.origin, path.display().to_string());
    assert!(matches!(rules.delete(&found.id).await, Err(Error::InFile(_))));
    std::fs::write(
        &path,
        "prefix_rule(pattern=['make'], decision='allow')\nforbid everything",
    )
    .unwrap();
    assert!(matches!(
        rules.decide(&query("make")).await,
        Err(Error::File { line: 2, .. })
    ));
    std::fs::remove_file(&path).unwrap();
    assert_eq!(rules.decide(&query("make")).await.unwrap(), None);
}

#[tokio::test]
async fn a_damaged_database_is_kept_aside() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::new(folder.path());
    std::fs::write(
        home.state(),
        "this is no database, and it is longer than a header of one hundred bytes, so that it is read".repeat(9),
    )
    .unwrap();
    let rules = Rules::open(&home, clock(1));
    assert_eq!(rules.list().await.unwrap(), []);
    assert!(folder.path().join("state.sqlite.damaged-1").exists());
    rules
        .save(None, draft("make", RuleEffect::Allow), "person")
        .await
        .unwrap();
    assert_eq!(rules.list().await.unwrap().len(), 1);
}

#[tokio::test]
async fn rules_that_make_no_sense_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let rules = Rules::open(&Home::new(folder.path()), clock(1));
    let senseless = [
        RuleDraft {
            subject: RuleSubject::CommandPrefix {
                prefix: vec![],
                escalated: false,
            },
            ..draft("a", RuleEffect::Allow)
        },
        RuleDraft {
            subject: RuleSubject::CommandPrefix {
                prefix: vec![" ".into()],
                escalated: false,
            },
            ..draft("a", RuleEffect::Allow)
        },
        RuleDraft {
            subject: RuleSubject::Write { folder: "data".into() },
            ..draft("a", RuleEffect::Allow)
        },
        RuleDraft {
            folder: Some("x".into()),
            ..draft("a", RuleEffect::Allow)
        },
    ];
    for draft in senseless {
        assert!(matches!(
            rules.save(None, draft, "person").await,
            Err(Error::Senseless(_))
        ));
    }
}
