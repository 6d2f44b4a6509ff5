//! Bad input of every kind: a clear message, a next step, and nothing lost.

use std::path::{Path, PathBuf};
use std::process::Command;

use agent::home::Home;
use protocol::approval::{RuleDraft, RuleEffect, RuleSubject};
use protocol::attachment::Delivery;
use protocol::request::{
    DoctorRun, FindingState, FolderCheck, OutputRead, ProviderDelete, RuleSave, SettingRead, ThreadList, ThreadSearch,
};
use protocol::thread::Input;
use protocol::{Code, ItemKind, ItemStatus, Live};
use serde_json::json;
use testkit::{Gate, Script, Step};

use crate::world::World;

/// A file system of its own below a folder; gone when dropped.
struct Mounted(PathBuf);

impl Mounted {
    /// `None` where the tests may not mount.
    fn new(at: &Path, options: &str) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(at)
            .status();
        mounted.is_ok_and(|it| it.success()).then(|| Self(at.to_owned()))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_up_in_mid_turn_loses_nothing_of_it() {
    let gate = Gate::new();
    let rest = "x".repeat(20_000);
    let steps = [Step::say("Half").hold(&gate).text(&rest), Step::say("Better.")];
    let world = World::new(Script::turns(steps)).await;
    let threads = Home::new(world.home.path()).threads();
    std::fs::create_dir_all(&threads).unwrap();
    let Some(_mounted) = Mounted::new(&threads, "size=256k") else {
        // Only root may mount; elsewhere the rule is kept by the same code.
        return;
    };
    let mut talk = world.thread().await;
    talk.say("Begin").await;
    gate.reached().await;
    let filler = threads.join("filler");
    assert!(std::fs::write(&filler, vec![0; 512 * 1024]).is_err());
    gate.open();
    let full = |it: &Live| match it {
        Live::Retrying { failure, .. } => Some(failure.clone()),
        _ => None,
    };
    let failure = talk.live(full).await;
    assert_eq!(failure.code, Code::DiskFull, "{failure:?}");
    assert!(failure.hint.is_some());
    // A prompt that cannot be kept stays with the person.
    assert_eq!(talk.try_say("More").await.unwrap_err().code, Code::DiskFull);

    std::fs::remove_file(filler).unwrap();
    let failure = talk.failed().await;
    assert_eq!(failure.code, Code::DiskFull, "{failure:?}");
    let said = talk.last_word();
    assert!(said.starts_with("Half") && said.len() > 8_000, "{}", said.len());
    assert_eq!(talk.items()[1].status, ItemStatus::Interrupted);
    talk.say("Again").await;
    talk.completed().await;
    assert_eq!(talk.last_word(), "Better.");
    assert_eq!(talk.page().await.turns.len(), 2);
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn in_a_folder_that_is_read_only_the_agent_can_look_and_is_told_that_it_cannot_write() {
    let patch = "*** Begin Patch\n*** Add File: new.txt\n+text\n*** End Patch";
    let steps = [
        Step::custom("apply_patch", patch),
        Step::call("exec_command", json!({ "cmd": "ls -d .", "login": false })),
        Step::say("I can only look."),
    ];
    let world = World::new(Script::turns(steps)).await;
    let Some(_mounted) = Mounted::new(&world.home.work(), "ro") else {
        // Root may write anywhere else, and only root may mount.
        return;
    };
    let cwd = world.home.work().display().to_string();
    let state = world.engine.ask(FolderCheck { cwd }).await.unwrap().0;
    assert!(state.usable && !state.writable, "{state:?}");
    let mut talk = world.thread().await;
    talk.say("Write").await;
    talk.completed().await;
    let items = talk.items();
    let ItemKind::FileChange { error: Some(why), .. } = &items[1].kind else {
        panic!("{items:?}")
    };
    assert!(why.to_lowercase().contains("read-only"), "{why}");
    assert_eq!(items[1].status, ItemStatus::Failed);
    assert_eq!(items[2].status, ItemStatus::Completed, "{:?}", items[2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attachment_of_two_gigabytes_is_named_and_not_read() {
    let world = World::new(Script::turns([Step::say("Large.")])).await;
    let path = world.home.file("disk.img", "").unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(2 << 30).unwrap();
    let mut talk = world.thread().await;
    let input = Input {
        text: "What is this?".to_owned(),
        attachments: vec![path.display().to_string()],
    };
    talk.give(input).await.unwrap();
    talk.completed().await;
    let items = talk.items();
    let ItemKind::UserMessage { attachments, .. } = &items[0].kind else {
        panic!("{items:?}")
    };
    assert_eq!(
        (attachments[0].size, attachments[0].delivery),
        (2 << 30, Delivery::Path)
    );
    let body = world.server.requests()[0].body.to_string();
    assert!(body.contains("disk.img") && body.len() < 100_000, "{}", body.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attachment_that_is_gone_is_said_and_the_prompt_stays_with_the_person() {
    let world = World::new(Script::turns([])).await;
    let talk = world.thread().await;
    let input = Input {
        text: "Read it".to_owned(),
        attachments: vec![world.home.work().join("nothing.txt").display().to_string()],
    };
    let failure = talk.give(input).await.unwrap_err();
    assert_eq!(failure.code, Code::NotFound, "{failure:?}");
    assert!(failure.message.contains("nothing.txt"), "{failure:?}");
    assert_eq!(talk.page().await.turns, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn binary_and_invalid_output_reaches_people_and_model_as_text() {
    let cmd = r"printf 'begin \377\376\000\001 end\n'";
    let steps = [
        Step::call("exec_command", json!({ "cmd": cmd, "login": false })),
        Step::say("Odd."),
    ];
    let world = World::new(Script::turns(steps)).await;
    let mut talk = world.thread().await;
    talk.say("Run it").await;
    talk.completed().await;
    let items = talk.items();
    let ItemKind::Command { tail, output, .. } = &items[1].kind else {
        panic!("{items:?}")
    };
    assert!(tail.contains("begin \u{fffd}") && tail.contains("end"), "{tail:?}");
    assert_eq!(output.as_ref().map(|it| it.bytes), Some(15));
    let told = world.server.requests()[1].tool_outputs().join("");
    assert!(told.contains("begin \u{fffd}") && told.contains("end"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_output_of_a_million_lines_is_kept_whole_and_told_in_part() {
    let steps = [
        Step::call("exec_command", json!({ "cmd": "seq 1000000", "login": false })),
        Step::say("Many."),
    ];
    let world = World::new(Script::turns(steps)).await;
    let mut talk = world.thread().await;
    talk.say("Count").await;
    talk.completed().await;
    let items = talk.items();
    let ItemKind::Command {
        output: Some(output), ..
    } = &items[1].kind
    else {
        panic!("{items:?}")
    };
    assert_eq!((output.lines, output.bytes), (1_000_000, 6_888_896));
    let read = OutputRead {
        thread_id: talk.id.clone(),
        blob: output.blob.clone(),
        line: 999_998,
        limit: 2,
        query: None,
    };
    let window = world.engine.ask(read).await.unwrap().0;
    let text = format!("{window:?}");
    assert!(text.contains("999999") && text.contains("1000000"), "{text}");
    let told = world.server.requests()[1].tool_outputs().join("");
    assert!(told.len() < 100_000, "{}", told.len());
    assert!(told.contains("\n1000000"), "the end is worth the most");
    let page = serde_json::to_string(&talk.page().await).unwrap();
    assert!(page.len() < 100_000, "{}", page.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_config_is_said_with_its_line_and_nothing_runs_until_it_is_mended() {
    let call = json!({ "cmd": "touch made", "sandbox_permissions": "require_escalated" });
    let steps = [Step::call("exec_command", call), Step::say("Here again.")];
    let world = World::new(Script::turns(steps)).await;
    let whole = std::fs::read_to_string(world.home.path().join("config.toml")).unwrap();
    let mut talk = world.thread().await;
    talk.say("Go").await;
    talk.question().await;
    let id = talk.id.clone();
    drop(talk);
    world.home.configure(&format!("{whole}\nmodel = = 3\n")).unwrap();
    let world = world.restart().await;
    let broken = world.engine.ask(SettingRead {}).await.unwrap().0.broken.unwrap();
    assert_eq!(broken.code, Code::ConfigBroken);
    assert!(
        broken.hint.is_some() && broken.to_string().contains("line"),
        "{broken:?}"
    );
    // The turn that waited cannot go on, and says why.
    let mut talk = world.talk(id.clone()).await;
    talk.page().await;
    assert_eq!(talk.failed().await.code, Code::ConfigBroken);
    let turns = talk.page().await.turns.len();
    assert_eq!(talk.try_say("Hi").await.unwrap_err().code, Code::ConfigBroken);
    assert_eq!(talk.page().await.turns.len(), turns);
    drop(talk);
    assert_eq!(
        std::fs::read_to_string(world.home.path().join("config.toml")).unwrap(),
        format!("{whole}\nmodel = = 3\n")
    );

    world.home.configure(&whole).unwrap();
    let world = world.restart().await;
    let mut talk = world.talk(id).await;
    talk.turn_end().await;
    talk.say("Hi").await;
    talk.completed().await;
    assert_eq!(talk.last_word(), "Here again.");
    assert!(!world.home.work().join("made").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_databases_are_kept_aside_and_the_person_is_told_where() {
    let call = json!({ "cmd": "true", "login": false });
    let steps = [
        Step::say("A needle in the hay."),
        Step::call("exec_command", call),
        Step::say("Done."),
    ];
    let world = World::new(Script::turns(steps)).await;
    let subject = RuleSubject::CommandPrefix {
        prefix: vec!["touch".to_owned()],
        escalated: false,
    };
    let draft = RuleDraft {
        subject,
        effect: RuleEffect::Deny,
        folder: None,
        expires_ms: None,
    };
    world.engine.ask(RuleSave { id: None, draft }).await.unwrap();
    let mut talk = world.thread().await;
    talk.say("Search").await;
    talk.completed().await;
    let id = talk.id.clone();
    drop(talk);
    let places = Home::new(world.home.path());
    world.engine.stop().await;
    for path in [places.index(), places.state()] {
        for end in ["-wal", "-shm"] {
            let mut beside = path.clone().into_os_string();
            beside.push(end);
            let _ = std::fs::remove_file(beside);
        }
        std::fs::write(path, "not a database".repeat(1_000)).unwrap();
    }
    let world = world.restart().await;
    let listed = world.engine.ask(ThreadList { archived: false }).await.unwrap().0;
    assert_eq!(listed.len(), 1);
    let query = "needle".to_owned();
    assert_eq!(world.engine.ask(ThreadSearch { query }).await.unwrap().0.len(), 1);
    let findings = world.engine.ask(DoctorRun {}).await.unwrap().0;
    let damage: Vec<_> = findings.iter().filter(|it| it.name == "damage").collect();
    assert_eq!(damage.len(), 2, "{findings:?}");
    assert!(
        damage
            .iter()
            .all(|it| it.state == FindingState::Warning && it.hint.is_some())
    );

    // Who never asks the doctor is told in the next turn, once.
    let mut talk = world.talk(id).await;
    talk.turn_end().await;
    talk.say("Go").await;
    talk.completed().await;
    let told: Vec<_> = talk
        .items()
        .into_iter()
        .filter_map(|it| match &it.kind {
            ItemKind::Error { failure } => Some(failure.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(told.len(), 2, "{told:?}");
    for failure in told {
        assert_eq!(failure.code, Code::StoreDamaged);
        let hint = failure.hint.unwrap();
        let kept = hint.rsplit_once(": ").unwrap().1;
        assert!(Path::new(kept).is_file(), "{hint}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_cannot_be_read_stop_the_command_and_the_person_sees_why() {
    let steps = [
        Step::call("exec_command", json!({ "cmd": "touch made", "login": false })),
        Step::say("I could not."),
    ];
    let world = World::new(Script::turns(steps)).await;
    let rules = world.home.path().join("rules");
    std::fs::create_dir_all(&rules).unwrap();
    std::fs::write(rules.join("own.rules"), "prefix_rule(pattern = [").unwrap();
    let mut talk = world.thread().await;
    talk.say("Go").await;
    talk.completed().await;
    let items = talk.items();
    let ItemKind::Command { tail, .. } = &items[1].kind else {
        panic!("{items:?}")
    };
    assert!(tail.contains("own.rules") && tail.contains("line"), "{tail}");
    assert_eq!(items[1].status, ItemStatus::Declined);
    assert!(!world.home.work().join("made").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_was_deleted_leaves_its_threads_readable_and_the_prompt_with_the_person() {
    let world = World::new(Script::turns([Step::say("Hello.")])).await;
    let mut talk = world.thread().await;
    talk.say("Hi").await;
    talk.completed().await;
    let id = talk.page().await.thread.settings.provider;
    world.engine.ask(ProviderDelete { id }).await.unwrap();
    let failure = talk.try_say("Again").await.unwrap_err();
    assert_eq!(failure.code, Code::NoProvider, "{failure:?}");
    assert!(failure.hint.is_some());
    assert_eq!(talk.page().await.turns.len(), 1);
}

#[tokio::test]
async fn a_home_that_is_a_file_is_said_in_plain_words() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("zspark");
    std::fs::write(&file, "mine").unwrap();
    let error = Home::new(&file).prepare().unwrap_err();
    let said = error.to_string();
    assert!(said.contains("is a file, and a folder is needed there"), "{said}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
}
