//! Turns that change files, and take it back.

use std::path::{Path, PathBuf};

use protocol::change::ChangeKind;
use protocol::setting::SandboxMode;
use protocol::{ThreadId, TurnId};

use super::{Checkpoints, Error, Finished};
use crate::blob::Blobs;
use crate::home::Home;
use crate::sandbox::Policy;
use crate::tool::Grant;

struct Scene {
    work: PathBuf,
    home: Home,
    checkpoints: Checkpoints,
    thread: ThreadId,
    turns: std::cell::Cell<u32>,
    _folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let work = folder.path().canonicalize().unwrap().join("work");
        std::fs::create_dir(&work).unwrap();
        let home = Home::new(folder.path().join("home"));
        Self {
            checkpoints: Checkpoints::new(&home, Blobs::new(&home)),
            work,
            home,
            thread: ThreadId::from("thread"),
            turns: std::cell::Cell::new(0),
            _folder: folder,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.work.join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// A turn in which a command does `work`.
    async fn command(&self, work: impl FnOnce()) -> (TurnId, Finished) {
        let turn = self.next();
        let policy = Policy {
            mode: SandboxMode::WorkspaceWrite,
            cwd: self.work.clone(),
            writable_roots: Vec::new(),
            network: false,
            temporary: crate::sandbox::Temporary::default(),
        };
        self.checkpoints
            .before_command(&self.thread, &turn, &policy, Grant::Sandboxed)
            .await
            .unwrap();
        work();
        let finished = self.checkpoints.finish(&self.thread, &turn).await.unwrap();
        (turn, finished)
    }

    fn next(&self) -> TurnId {
        self.turns.set(self.turns.get() + 1);
        TurnId(format!("turn-{}", self.turns.get()))
    }

    async fn undo(&self, turn: &TurnId) {
        self.checkpoints
            .undo(&self.thread, turn, None, None, false)
            .await
            .unwrap();
    }

    async fn redo(&self, turn: &TurnId) {
        self.checkpoints.redo(&self.thread, turn, None).await.unwrap();
    }

    /// All there is: folders, links, files with contents and modes.
    fn tree(&self) -> Vec<String> {
        fn walk(folder: &Path, root: &Path, found: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(root).unwrap().display().to_string();
                let metadata = path.symlink_metadata().unwrap();
                if metadata.is_symlink() {
                    found.push(format!("{name} -> {}", path.read_link().unwrap().display()));
                } else if metadata.is_dir() {
                    found.push(format!("{name}/"));
                    walk(&path, root, found);
                } else {
                    let mode = super::state::mode(&metadata) & 0o777;
                    found.push(format!("{name} {mode:o} {:?}", std::fs::read(&path).unwrap()));
                }
            }
        }
        let mut found = Vec::new();
        walk(&self.work, &self.work, &mut found);
        found.sort();
        found
    }
}

fn kinds(finished: &Finished) -> Vec<(&str, ChangeKind)> {
    finished
        .changes
        .iter()
        .map(|it| (it.path.rsplit('/').next().unwrap(), it.kind))
        .collect()
}

#[tokio::test]
#[cfg(unix)]
async fn a_command_is_undone_and_redone_to_the_last_bit() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new();
    scene.write("text", "one\ntwo\n");
    scene.write("binary", [0, 159, 146, 150]);
    scene.write("script", "#!/bin/sh\n");
    scene.write("old/doomed", "doomed\n");
    std::os::unix::fs::symlink("text", scene.path("link")).unwrap();
    std::fs::create_dir(scene.path("empty")).unwrap();
    let before = scene.tree();
    let (turn, finished) = scene
        .command(|| {
            scene.write("text", "one\n2\n");
            scene.write("binary", [1, 0, 2]);
            std::fs::set_permissions(scene.path("script"), PermissionsExt::from_mode(0o755)).unwrap();
            std::fs::remove_dir_all(scene.path("old")).unwrap();
            std::fs::remove_dir(scene.path("empty")).unwrap();
            std::fs::remove_file(scene.path("link")).unwrap();
            std::os::unix::fs::symlink("script", scene.path("link")).unwrap();
            scene.write("new/deep/file", "new\n");
        })
        .await;
    let after = scene.tree();
    assert_eq!(
        kinds(&finished),
        [
            ("binary", ChangeKind::Update),
            ("link", ChangeKind::Update),
            ("file", ChangeKind::Add),
            ("doomed", ChangeKind::Delete),
            ("script", ChangeKind::Update),
            ("text", ChangeKind::Update),
        ]
    );
    assert_eq!(finished.note, None);
    scene.undo(&turn).await;
    assert_eq!(scene.tree(), before);
    assert!(
        scene
            .checkpoints
            .changes(&scene.thread, Some(&turn))
            .await
            .unwrap()
            .iter()
            .all(|it| it.undone)
    );
    scene.redo(&turn).await;
    assert_eq!(scene.tree(), after);
    // What was kept outlives the process.
    let again = Checkpoints::new(&scene.home, Blobs::new(&scene.home));
    again.undo(&scene.thread, &turn, None, None, false).await.unwrap();
    assert_eq!(scene.tree(), before);
}

#[tokio::test]
async fn a_patch_is_undone_even_after_a_crash_in_the_turn() {
    let scene = Scene::new();
    scene.write("a", "old\n");
    let turn = scene.next();
    let paths = [scene.path("a"), scene.path("folder/b")];
    scene
        .checkpoints
        .before_write(&scene.thread, &turn, &paths)
        .await
        .unwrap();
    scene.write("a", "new\n");
    scene.write("folder/b", "b\n");
    let again = Checkpoints::new(&scene.home, Blobs::new(&scene.home));
    let finished = again.finish(&scene.thread, &turn).await.unwrap();
    assert_eq!(kinds(&finished), [("a", ChangeKind::Update), ("b", ChangeKind::Add)]);
    assert_eq!(finished.changes[0].diff, "@@ -1 +1 @@\n-old\n+new\n");
    assert_eq!(
        again.finish(&scene.thread, &turn).await.unwrap(),
        finished,
        "finishing twice is harmless"
    );
    scene.undo(&turn).await;
    assert_eq!(scene.read("a"), "old\n");
    assert!(
        !scene.path("folder").exists(),
        "the folder came with the turn and goes with it"
    );
}

#[tokio::test]
async fn a_patch_after_a_command_goes_back_to_before_both() {
    let scene = Scene::new();
    scene.write("a", "1\n");
    let turn = scene.next();
    let policy = Policy {
        mode: SandboxMode::WorkspaceWrite,
        cwd: scene.work.clone(),
        writable_roots: vec![],
        network: false,
        temporary: crate::sandbox::Temporary::default(),
    };
    scene
        .checkpoints
        .before_command(&scene.thread, &turn, &policy, Grant::Sandboxed)
        .await
        .unwrap();
    scene.write("a", "2\n");
    scene.write("made", "2\n");
    let paths = [scene.path("a"), scene.path("made")];
    scene
        .checkpoints
        .before_write(&scene.thread, &turn, &paths)
        .await
        .unwrap();
    scene.write("a", "3\n");
    scene.write("made", "3\n");
    scene.checkpoints.finish(&scene.thread, &turn).await.unwrap();
    scene.undo(&turn).await;
    assert_eq!(scene.read("a"), "1\n");
    assert!(!scene.path("made").exists());
}

#[tokio::test]
async fn one_file_or_one_hunk_is_taken_back_alone() {
    let scene = Scene::new();
    let lines: Vec<String> = (1..=30).map(|it| format!("{it}\n")).collect();
    scene.write("long", lines.concat());
    scene.write("other", "other\n");
    let (turn, _) = scene
        .command(|| {
            scene.write(
                "long",
                lines
                    .concat()
                    .replace("\n2\n", "\ntwo\n")
                    .replace("29\n", "twenty-nine\n"),
            );
            scene.write("other", "changed\n");
        })
        .await;
    let long = scene.path("long");
    let undo = |hunk| {
        scene
            .checkpoints
            .undo(&scene.thread, &turn, Some(vec![long.clone()]), hunk, false)
    };
    let reverted = undo(Some(1)).await.unwrap();
    assert_eq!(reverted.paths, std::slice::from_ref(&long));
    assert_eq!(scene.read("long"), lines.concat().replace("\n2\n", "\ntwo\n"));
    assert_eq!(scene.read("other"), "changed\n");
    let change = &reverted.changes[0];
    assert_eq!(
        (change.change.added, change.undone, change.modified_since),
        (1, false, false)
    );
    assert!(matches!(undo(Some(1)).await, Err(Error::NoHunk(_))));
    let reverted = undo(Some(0)).await.unwrap();
    assert!(reverted.changes[0].undone, "nothing of it is left");
    assert_eq!(scene.read("long"), lines.concat());
    scene
        .checkpoints
        .redo(&scene.thread, &turn, Some(vec![long.clone()]))
        .await
        .unwrap();
    assert!(scene.read("long").contains("two\n") && scene.read("long").contains("twenty-nine\n"));
    let unknown = scene
        .checkpoints
        .undo(&scene.thread, &turn, Some(vec![scene.path("nothing")]), None, false)
        .await;
    assert!(matches!(unknown, Err(Error::Unknown(_))));
}

#[tokio::test]
async fn edits_of_others_are_not_overwritten_unless_asked_for() {
    let scene = Scene::new();
    scene.write("a", "1\n");
    scene.write("b", "1\n");
    let (turn, _) = scene
        .command(|| {
            scene.write("a", "2\n");
            scene.write("b", "2\n");
        })
        .await;
    scene.write("b", "3\n");
    let changes = scene.checkpoints.changes(&scene.thread, Some(&turn)).await.unwrap();
    assert_eq!(
        changes.iter().map(|it| it.modified_since).collect::<Vec<_>>(),
        [false, true]
    );
    let refused = scene.checkpoints.undo(&scene.thread, &turn, None, None, false).await;
    assert!(
        matches!(refused, Err(Error::Modified(ref it)) if *it == [scene.path("b")]),
        "{refused:?}"
    );
    assert_eq!(
        (scene.read("a"), scene.read("b")),
        ("2\n".to_owned(), "3\n".to_owned()),
        "whole or not at all"
    );
    scene
        .checkpoints
        .undo(&scene.thread, &turn, None, None, true)
        .await
        .unwrap();
    assert_eq!((scene.read("a"), scene.read("b")), ("1\n".to_owned(), "1\n".to_owned()));
}

#[tokio::test]
async fn all_turns_together_are_one_change_a_file() {
    let scene = Scene::new();
    scene.write("a", "1\n");
    let (first, _) = scene.command(|| scene.write("a", "2\n")).await;
    let (_, second) = scene.command(|| scene.write("a", "3\n")).await;
    assert_eq!(second.changes[0].diff, "@@ -1 +1 @@\n-2\n+3\n");
    let all = scene.checkpoints.changes(&scene.thread, None).await.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].change.diff, "@@ -1 +1 @@\n-1\n+3\n");
    // A fork asks with its own id for turns of the thread it came from.
    let fork = ThreadId::from("fork");
    assert_eq!(scene.checkpoints.changes(&fork, Some(&first)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_ignored_is_left_alone_and_stays_so_when_the_rules_change() {
    let scene = Scene::new();
    scene.write(".gitignore", "*.log\n");
    scene.write("a.log", "old\n");
    scene.write("node_modules/x/index.js", "old\n");
    scene.write(".git/HEAD", "old\n");
    let (_, finished) = scene
        .command(|| {
            scene.write("a.log", "new\n");
            scene.write("node_modules/x/index.js", "new\n");
            scene.write(".git/HEAD", "new\n");
        })
        .await;
    assert_eq!(kinds(&finished), []);
    let (_, finished) = scene
        .command(|| {
            scene.write(".gitignore", "");
            scene.write("b", "new\n");
        })
        .await;
    assert_eq!(
        kinds(&finished),
        [(".gitignore", ChangeKind::Update), ("b", ChangeKind::Add)]
    );
}

#[tokio::test]
async fn a_huge_file_is_reported_when_it_changes_and_only_then() {
    let scene = Scene::new();
    let huge = std::fs::File::create(scene.path("huge")).unwrap();
    huge.set_len(65 * 1024 * 1024).unwrap();
    let (_, finished) = scene.command(|| scene.write("a", "new\n")).await;
    assert_eq!(
        (kinds(&finished), &finished.note),
        (vec![("a", ChangeKind::Add)], &None)
    );
    let (_, finished) = scene.command(|| huge.set_len(66 * 1024 * 1024).unwrap()).await;
    let note = finished.note.unwrap();
    assert!(note.message.contains("huge"), "{note:?}");
    assert_eq!(finished.changes, []);
}

#[tokio::test]
async fn nothing_is_kept_where_nothing_can_change() {
    let scene = Scene::new();
    scene.write("a", "1\n");
    let turn = scene.next();
    let policy = Policy {
        mode: SandboxMode::ReadOnly,
        cwd: scene.work.clone(),
        writable_roots: vec![],
        network: false,
        temporary: crate::sandbox::Temporary::default(),
    };
    scene
        .checkpoints
        .before_command(&scene.thread, &turn, &policy, Grant::Sandboxed)
        .await
        .unwrap();
    assert!(!scene.home.checkpoints().exists());
    assert_eq!(
        scene.checkpoints.finish(&scene.thread, &turn).await.unwrap(),
        Finished::default()
    );
}
