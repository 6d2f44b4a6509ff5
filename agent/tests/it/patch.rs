//! Patches as the model sends them, on real files.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use agent::tool::{Access, Grant, Output};
use agent::tools::apply_patch::ApplyPatch;
use agent::tools::view_image::ViewImage;
use protocol::change::ChangeKind;
use protocol::setting::SandboxMode::{ReadOnly, WorkspaceWrite};
use protocol::{ItemKind, ItemStatus};
use serde_json::json;

use crate::stage::{Stage, read, text};

/// Files of a folder with their contents.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.file_name().unwrap().to_string_lossy().into_owned(), read(&path)));
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn a_patch_adds_changes_moves_and_deletes() {
    let stage = Stage::new(WorkspaceWrite);
    std::fs::write(stage.cwd.join("change"), "one\ntwo\nthree\n").unwrap();
    std::fs::write(stage.cwd.join("move"), "a\nb\n").unwrap();
    std::fs::write(stage.cwd.join("doomed"), "x\n").unwrap();
    let patch = "*** Begin Patch\n*** Add File: deep/new\n+hello\n*** Update File: change\n@@\n one\n-two\n+TWO\n \
                 three\n*** Update File: move\n*** Move to: deep/moved\n@@\n-a\n+A\n*** Delete File: doomed\n*** End Patch";
    let end = stage.patch(patch, Grant::Sandboxed).await;
    let said = text(&end);
    assert!(said.starts_with("Exit code: 0\nWall time: "), "{said}");
    assert!(
        said.ends_with(
            "Output:\nSuccess. Updated the following files:\nA deep/new\nM change\nM deep/moved\nD doomed\n"
        ),
        "{said}"
    );
    let Some(ItemKind::FileChange { changes, error: None }) = end.item else {
        panic!("no change")
    };
    let kinds: Vec<_> = changes
        .iter()
        .map(|it| {
            (
                it.path.rsplit('/').next().unwrap(),
                it.kind,
                it.moved_from.is_some(),
                it.added,
                it.removed,
            )
        })
        .collect();
    assert_eq!(
        kinds,
        [
            ("change", ChangeKind::Update, false, 1, 1),
            ("moved", ChangeKind::Update, true, 1, 1),
            ("new", ChangeKind::Add, false, 1, 0),
            ("doomed", ChangeKind::Delete, false, 0, 1),
        ]
    );
    let change = changes.iter().find(|it| it.path.ends_with("change")).unwrap();
    assert_eq!(change.diff, "@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n");
    let expect = [("change", "one\nTWO\nthree\n"), ("moved", "A\nb\n"), ("new", "hello\n")];
    assert_eq!(files(&stage.cwd), expect.map(|(a, b)| (a.to_owned(), b.to_owned())));
}

#[tokio::test]
async fn a_patch_that_does_not_fit_changes_nothing_and_names_the_hunk() {
    let stage = Stage::new(WorkspaceWrite);
    std::fs::write(stage.cwd.join("a"), "one\ntwo\n").unwrap();
    let patch = "*** Begin Patch\n*** Add File: b\n+b\n*** Update File: a\n@@\n-one\n+1\n@@\n-three\n+3\n*** End Patch";
    let end = stage.patch(patch, Grant::Sandboxed).await;
    let a = stage.cwd.join("a");
    let expect = format!(
        "apply_patch verification failed: Failed to find expected lines in {} (hunk 2):\nthree",
        a.display()
    );
    assert_eq!((text(&end), end.status), (expect, ItemStatus::Failed));
    assert_eq!(files(&stage.cwd), [("a".to_owned(), "one\ntwo\n".to_owned())]);
}

#[tokio::test]
async fn a_write_that_fails_half_way_is_taken_back() {
    let stage = Stage::new(WorkspaceWrite);
    std::fs::write(stage.cwd.join("a"), "one\n").unwrap();
    // No folder can be made below a file, which is only seen when the patch is written.
    std::fs::write(stage.cwd.join("file"), "").unwrap();
    let patch = "*** Begin Patch\n*** Update File: a\n@@\n-one\n+two\n*** Add File: b/c/d\n+x\n*** Add File: file/sub/new\n+x\n*** End Patch";
    let end = stage.patch(patch, Grant::Sandboxed).await;
    assert!(matches!(end.output, Output::Failed(_)), "{end:?}");
    assert_eq!(read(&stage.cwd.join("a")), "one\n");
    assert!(!stage.cwd.join("b").exists(), "folders made on the way are removed");
}

#[tokio::test]
async fn a_patch_obeys_the_policy_whatever_the_path_looks_like() {
    for (mode, path) in [
        (ReadOnly, "inside"),
        (WorkspaceWrite, "../outside/new"),
        (WorkspaceWrite, "way-out/new"),
        (WorkspaceWrite, ".git/config"),
        (WorkspaceWrite, "a/../.git/config"),
    ] {
        let stage = Stage::new(mode);
        std::os::unix::fs::symlink(&stage.outside, stage.cwd.join("way-out")).unwrap();
        let patch = format!("*** Begin Patch\n*** Add File: {path}\n+x\n*** End Patch");
        let end = stage.patch(&patch, Grant::Sandboxed).await;
        assert!(
            text(&end).contains("not allowed by the sandbox policy"),
            "{path}: {end:?}"
        );
        assert_eq!(files(&stage.outside), []);
        let end = stage.patch(&patch, Grant::Unsandboxed).await;
        assert_eq!(
            end.status,
            ItemStatus::Completed,
            "{path}: allowed by the person: {end:?}"
        );
    }
}

#[tokio::test]
async fn the_approval_sees_where_a_link_leads() {
    let stage = Stage::new(WorkspaceWrite);
    std::os::unix::fs::symlink(&stage.outside, stage.cwd.join("way-out")).unwrap();
    let call = agent::tool::Call {
        call_id: "call".to_owned(),
        name: "apply_patch".to_owned(),
        arguments: "*** Begin Patch\n*** Add File: way-out/new\n+x\n*** End Patch".to_owned(),
        freeform: true,
    };
    let access = agent::tool::AnyTool::begin(&ApplyPatch, &call, &stage.cx())
        .unwrap()
        .access;
    let Access::Write(changes) = access else {
        panic!("no write")
    };
    assert_eq!(changes[0].path, stage.outside.join("new").to_string_lossy());
}

#[tokio::test]
async fn rights_and_line_ends_survive_a_patch() {
    use std::os::unix::fs::PermissionsExt;
    let stage = Stage::new(WorkspaceWrite);
    let script = stage.cwd.join("script");
    std::fs::write(&script, "#!/bin/sh\r\necho a\r\n").unwrap();
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o750)).unwrap();
    let end = stage
        .patch(
            "*** Begin Patch\n*** Update File: script\n@@\n-echo a\n+echo b\n+echo c\n*** End Patch",
            Grant::Sandboxed,
        )
        .await;
    assert_eq!(end.status, ItemStatus::Completed, "{end:?}");
    assert_eq!(read(&script), "#!/bin/sh\r\necho b\r\necho c\r\n");
    assert_eq!(script.metadata().unwrap().permissions().mode() & 0o777, 0o750);
}

#[tokio::test]
async fn an_image_is_looked_at_and_other_files_are_not() {
    let stage = Stage::new(WorkspaceWrite);
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89";
    std::fs::write(stage.cwd.join("picture"), png).unwrap();
    std::fs::write(stage.cwd.join("text.png"), "no picture").unwrap();
    let end = stage
        .call(&ViewImage, json!({"path": "picture"}), Grant::Sandboxed)
        .await;
    let Output::Ok(content) = &end.output else {
        panic!("{end:?}")
    };
    let [protocol::context::Content::Image { path, media_type }] = content.as_slice() else {
        panic!("{end:?}")
    };
    assert_eq!(
        (media_type.as_str(), std::fs::read(path).unwrap().as_slice()),
        ("image/png", png.as_slice())
    );
    for (path, why) in [
        ("text.png", "is not a PNG"),
        ("nothing", "cannot read"),
        (".", "is not a file"),
    ] {
        let end = stage.call(&ViewImage, json!({ "path": path }), Grant::Sandboxed).await;
        assert!(text(&end).contains(why), "{path}: {end:?}");
    }
}
