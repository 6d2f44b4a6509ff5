//! The security checklist: each of its numbers and sections has a test whose name says so.

use std::fs;
use std::path::Path;

/// What the names of tests begin with, after `checklist_`, and what it is about.
const ITEMS: &[(&str, &str)] = &[
    (
        "01",
        "every object is loaded through its workspace; foreign ids give 404",
    ),
    ("02", "ids in the path and in the body agree"),
    ("03", "nested lists are checked at each level"),
    ("04", "cursors are bound to object and person"),
    ("05", "a socket is checked for each thing it asks for"),
    (
        "06",
        "the role matrix; the last owner; nobody raises himself; invitations",
    ),
    ("07", "who is removed or lowered is out within a second"),
    ("08", "private threads are invisible everywhere"),
    ("09", "only the device with the lease appends; an old epoch is refused"),
    (
        "10",
        "approvals: wrong person, wrong thread, twice, too late, another payload",
    ),
    ("11", "awareness: own clients only, names by the server, bounded"),
    ("12", "unknown and server-owned fields are refused"),
    ("13", "ids are no secrets"),
    ("14", "logs and counters carry no content"),
    ("artifacts", "shared files"),
    ("ssrf", "where the server itself goes"),
    ("cors", "pages and names"),
    ("resources", "everything is bounded"),
    ("database", "queries, files, hints"),
    ("audit", "what is written down"),
    ("transport", "addresses, headers, errors"),
];

fn texts(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_line_of_the_security_checklist_has_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    texts(&root.join("src"), &mut found);
    texts(&root.join("tests"), &mut found);
    let missing: Vec<_> = ITEMS
        .iter()
        .filter(|(item, _)| {
            let name = format!("fn checklist_{item}_");
            !found.iter().any(|text| {
                text.lines()
                    .any(|line| line.contains(&name) && !line.contains("format!"))
            })
        })
        .collect();
    assert!(missing.is_empty(), "without a test: {missing:?}");
}
