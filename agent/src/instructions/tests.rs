//! Which instructions are found, in which order, and how they are cut.

use super::*;

struct Scene(tempfile::TempDir);

impl Scene {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        std::fs::create_dir_all(folder.path().join("repo/a/b")).unwrap();
        Self(folder)
    }

    fn found(&self, cwd: &str, cap: usize) -> Vec<(String, String)> {
        let root = self.0.path().canonicalize().unwrap();
        let show = |it: Instruction| (it.path.strip_prefix(&root).unwrap().display().to_string(), it.text);
        discover(
            &Home::new(root.join("home")),
            &root.join(cwd),
            cap,
            &["NOTES.md".to_owned(), "../AGENTS.md".to_owned()],
        )
        .into_iter()
        .map(show)
        .collect()
    }
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[test]
fn the_persons_come_first_then_from_the_root_down() {
    let scene = Scene::new(&[
        ("AGENTS.md", b"outside"),
        ("home/AGENTS.md", b"mine"),
        ("repo/.git/HEAD", b""),
        ("repo/AGENTS.md", b"root"),
        ("repo/a/AGENTS.md", b"not read"),
        ("repo/a/AGENTS.override.md", b"instead"),
        ("repo/a/b/AGENTS.md", b"here"),
        ("repo/a/b/c/AGENTS.md", b"deeper"),
    ]);
    let want = [
        ("home/AGENTS.md", "mine"),
        ("repo/AGENTS.md", "root"),
        ("repo/a/AGENTS.override.md", "instead"),
        ("repo/a/b/AGENTS.md", "here"),
    ];
    assert_eq!(scene.found("repo/a/b", 1000), pairs(&want));
    let root = scene.0.path().join("repo");
    let nested: Vec<String> = below(&root, &root.join("a/b/c/x.rs"), 1000, &[])
        .into_iter()
        .map(|it| it.text)
        .collect();
    assert_eq!(nested, ["instead", "here", "deeper"]);
    assert_eq!(below(&root, &root.join("x.rs"), 1000, &[]), []);
}

#[test]
fn outside_of_a_project_only_the_folder_itself_speaks() {
    let scene = Scene::new(&[
        ("AGENTS.md", b"outside"),
        ("repo/AGENTS.md", b"above"),
        ("repo/a/AGENTS.md", b"here"),
    ]);
    assert_eq!(scene.found("repo/a", 1000), pairs(&[("repo/a/AGENTS.md", "here")]));
    assert_eq!(scene.found("repo/a/b", 1000), []);
}

#[test]
fn the_cap_cuts_between_characters() {
    let scene = Scene::new(&[
        ("home/AGENTS.md", "费用报告".as_bytes()),
        ("repo/.git/HEAD", b""),
        ("repo/AGENTS.md", b"0123456789"),
    ]);
    let texts = |cap| scene.found("repo", cap).into_iter().map(|it| it.1).collect::<Vec<_>>();
    assert_eq!(texts(22), ["费用报告", "0123456789"]);
    assert_eq!(texts(15), ["费用报告", "012"]);
    assert_eq!(texts(12), ["费用报告"]);
    assert_eq!(texts(7), ["费用", "0"]);
    assert_eq!(texts(0), Vec::<String>::new());
}

#[test]
fn empty_and_odd_files_do_no_harm() {
    let scene = Scene::new(&[
        ("repo/.git/HEAD", b""),
        ("repo/AGENTS.md", b" \n"),
        ("repo/a/AGENTS.md", b"a\xffb"),
    ]);
    assert_eq!(
        scene.found("repo/a", 1000),
        pairs(&[("repo/a/AGENTS.md", "a\u{fffd}b")])
    );
}

#[test]
fn another_file_does_where_a_folder_has_no_agents_md() {
    let scene = Scene::new(&[
        ("repo/.git/HEAD", b""),
        ("repo/AGENTS.md", b"root"),
        ("repo/NOTES.md", b"not read"),
        ("repo/a/NOTES.md", b"a"),
    ]);
    // In `b` there is neither, and no name leads out of a folder.
    let found = pairs(&[("repo/AGENTS.md", "root"), ("repo/a/NOTES.md", "a")]);
    assert_eq!(scene.found("repo/a/b", 1000), found);
}
