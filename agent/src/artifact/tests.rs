//! Artifacts over versions.

use protocol::artifact::ArtifactEntry;
use protocol::change::{ChangeKind, FileChange};
use protocol::failure::Code;

use super::{found, read, save};
use crate::blob::Blobs;
use crate::home::Home;

fn change(path: &std::path::Path, kind: ChangeKind) -> FileChange {
    FileChange {
        path: path.to_string_lossy().into_owned(),
        kind,
        moved_from: None,
        added: 0,
        removed: 0,
        diff: String::new(),
        binary: false,
        truncated: false,
    }
}

#[tokio::test]
async fn files_people_open_are_kept_in_every_version() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::new(&Home::new(folder.path().join("home")));
    let report = folder.path().join("Report.MD");
    let code = folder.path().join("code.rs");
    std::fs::write(&report, "one \u{e4}").unwrap();
    std::fs::write(&code, "fn main() {}").unwrap();
    let changes = [
        change(&report, ChangeKind::Add),
        change(&code, ChangeKind::Add),
        change(&folder.path().join("gone.pdf"), ChangeKind::Delete),
    ];
    let first = found(&changes, &[], &blobs).await;
    assert_eq!(first.len(), 1);
    let first = first[0].clone();
    assert_eq!(
        (
            first.name.as_str(),
            first.media_type.as_str(),
            first.size,
            first.version
        ),
        ("Report.MD", "text/markdown", 6, 1)
    );
    let known = [ArtifactEntry {
        artifact: first.clone(),
        versions: Vec::new(),
    }];
    assert_eq!(
        found(&changes, &known, &blobs).await,
        [],
        "the same content is no new version"
    );
    std::fs::write(&report, "two").unwrap();
    let second = found(&changes, &known, &blobs).await;
    assert_eq!((&second[0].id, second[0].version), (&first.id, 2));
    std::fs::remove_file(&report).unwrap();

    let text = read(&blobs, &first, 100).await.unwrap();
    assert_eq!(
        (text.text.as_str(), text.truncated, text.binary),
        ("one \u{e4}", false, false)
    );
    let text = read(&blobs, &first, 5).await.unwrap();
    assert_eq!(
        (text.text.as_str(), text.truncated),
        ("one ", true),
        "no character is cut"
    );
    let copy = folder.path().join("copy.md");
    std::fs::write(&copy, "what was there before").unwrap();
    save(&blobs, &second[0], &copy).await.unwrap();
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), "two");
    let nowhere = save(&blobs, &first, &folder.path().join("no/such/folder"))
        .await
        .unwrap_err();
    assert_eq!(nowhere.code, Code::FolderUnusable);
    std::fs::remove_file(blobs.path(&first.hash).unwrap()).unwrap();
    assert_eq!(read(&blobs, &first, 5).await.unwrap_err().code, Code::NotFound);
}
