//! What a search finds, and which folders can be worked in.

use super::*;

fn tree(paths: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for path in paths {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "x").unwrap();
    }
    folder
}

async fn paths(folder: &Path, query: &str) -> Vec<String> {
    Files::default()
        .search(folder, query)
        .await
        .unwrap()
        .into_iter()
        .map(|it| it.path)
        .collect()
}

#[tokio::test]
async fn names_are_found_by_their_letters() {
    let folder = tree(&[
        "src/main.rs",
        "src/turn.rs",
        "docs/费用报告.md",
        "README.md",
        "a/b/c/deep.txt",
    ]);
    assert_eq!(paths(folder.path(), "turn").await, ["src/turn.rs"]);
    assert_eq!(paths(folder.path(), "smain").await, ["src/main.rs"]);
    assert_eq!(paths(folder.path(), "报告").await, ["docs/费用报告.md"]);
    assert_eq!(
        paths(folder.path(), "readme").await,
        ["README.md"],
        "small letters match large ones"
    );
    assert_eq!(
        paths(folder.path(), "ReadMe").await,
        Vec::<String>::new(),
        "large letters mean themselves"
    );
    assert_eq!(paths(folder.path(), "deep a").await, ["a/b/c/deep.txt"]);
    assert_eq!(paths(folder.path(), "nothing such").await, Vec::<String>::new());
    assert_eq!(
        paths(folder.path(), "").await[..4],
        ["a", "src", "docs", "README.md"],
        "the uppermost first"
    );
    let hit = Files::default().search(folder.path(), "用告").await.unwrap().remove(0);
    assert_eq!((hit.path.as_str(), hit.matched), ("docs/费用报告.md", vec![6, 8]));
    let folders = Files::default().search(folder.path(), "docs").await.unwrap();
    assert!(folders[0].folder && folders[0].path == "docs", "{folders:?}");
}

#[tokio::test]
async fn what_is_ignored_stays_out() {
    let folder = tree(&[
        "keep.rs",
        "target/x.rs",
        "node_modules/y.rs",
        ".hidden/z.rs",
        ".gitignore",
    ]);
    std::fs::write(folder.path().join(".gitignore"), "target\n").unwrap();
    assert_eq!(paths(folder.path(), "rs").await, ["keep.rs"]);
    // In a repository hidden files matter, but for git's own.
    std::fs::create_dir(folder.path().join(".git")).unwrap();
    std::fs::write(folder.path().join(".git/w.rs"), "").unwrap();
    assert_eq!(paths(folder.path(), "rs").await, ["keep.rs", ".hidden/z.rs"]);
}

#[tokio::test]
async fn typing_walks_once() {
    let folder = tree(&["one.txt"]);
    let files = Files::default();
    assert_eq!(files.search(folder.path(), "txt").await.unwrap().len(), 1);
    std::fs::write(folder.path().join("two.txt"), "").unwrap();
    assert_eq!(
        files.search(folder.path(), "tx").await.unwrap().len(),
        1,
        "the walk is still fresh"
    );
    files.0.lock().unwrap().as_mut().unwrap().at = Instant::now().checked_sub(FRESH).unwrap();
    assert_eq!(files.search(folder.path(), "tx").await.unwrap().len(), 2);
    assert_eq!(
        files.search(&folder.path().join("none"), "x").await.unwrap_err().code,
        Code::FolderUnusable
    );
}

#[tokio::test]
async fn many_files_give_the_best_fifty() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..300 {
        std::fs::write(folder.path().join(format!("report-{number}.txt")), "").unwrap();
    }
    let found = paths(folder.path(), "report-7").await;
    assert_eq!(found.len(), SHOWN);
    assert_eq!(found[0], "report-7.txt");
}

#[test]
fn folders_are_told_apart() {
    let folder = tree(&["plain/x", "repo/.git/HEAD", "repo/sub/y"]);
    let at = |name: &str| check_folder(&folder.path().join(name));
    assert_eq!(
        at("plain"),
        FolderState {
            usable: true,
            writable: true,
            git: false,
            failure: None
        }
    );
    assert!(at("repo/sub").git);
    for (name, words) in [
        ("gone", "is not there"),
        ("plain/x", "is not a folder"),
        ("plain/x/y", "cannot be reached"),
    ] {
        let state = at(name);
        assert!(!state.usable);
        let failure = state.failure.unwrap();
        assert_eq!(failure.code, Code::FolderUnusable);
        assert!(
            failure.message.ends_with(words) && failure.hint.is_some(),
            "{name}: {}",
            failure.message
        );
    }
    assert!(!check_folder(Path::new("relative")).usable);
}
