//! The rules of the house that a compiler does not know: who may use whom, how modules are ordered, how files look.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What each package may depend on within the workspace. `testkit` is everybody's, for tests only.
const ARROWS: &[(&str, &[&str])] = &[
    ("protocol", &[]),
    ("models", &["protocol"]),
    ("agent", &["models", "protocol"]),
    ("sync", &["protocol"]),
    ("server", &["protocol", "sync"]),
    ("cli", &["agent", "models", "protocol"]),
    ("zspark-desktop", &["agent", "models", "protocol"]),
    ("testkit", &["protocol"]),
    ("load", &["protocol", "testkit"]),
    ("xtask", &[]),
];

/// Crates whose `lib.rs` lists modules in dependency order.
const ORDERED: &[&str] = &[
    "agent/src",
    "crates/models/src",
    "crates/server/src",
    "crates/sync/src",
    "crates/testkit/src",
];

/// Words that say nothing about what a file owns.
const EMPTY_WORDS: &[&str] = &[
    "session",
    "conversation",
    "manager",
    "service",
    "helper",
    "helpers",
    "util",
    "utils",
    "common",
    "core",
];

const LONGEST_FILE: usize = 500;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
        .to_owned()
}

/// All files below a folder that git would keep, sorted.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if !matches!(name.as_str(), "target" | "node_modules" | "gen" | "dist") && !name.starts_with('.') {
                    folders.push(path);
                }
            } else if name.ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn rust_files() -> Vec<PathBuf> {
    files(&root(), ".rs")
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

fn is_test(path: &Path) -> bool {
    let shown = shown(path);
    shown.ends_with("/tests.rs") || shown.contains("/tests/")
}

fn manifests() -> BTreeMap<String, toml::Table> {
    let manifests = files(&root(), "Cargo.toml").into_iter().map(|path| {
        let table: toml::Table = fs::read_to_string(&path).unwrap().parse().unwrap();
        let name = table["package"]["name"].as_str().unwrap().to_owned();
        (name, table)
    });
    manifests.collect()
}

#[test]
fn arrows_point_one_way() {
    let manifests = manifests();
    let known: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    let there: BTreeSet<&str> = manifests.keys().map(String::as_str).collect();
    assert_eq!(there, known, "every package has its line in ARROWS");
    let mut wrong = Vec::new();
    for (name, allowed) in ARROWS {
        let manifest = &manifests[*name];
        for (section, extra) in [
            ("dependencies", None),
            ("build-dependencies", None),
            ("dev-dependencies", Some("testkit")),
        ] {
            for dependency in keys(manifest, section) {
                let inside = known.contains(dependency.as_str());
                if inside && !allowed.contains(&dependency.as_str()) && extra != Some(dependency.as_str()) {
                    wrong.push(format!("{name} must not use {dependency} ({section})"));
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// The dependencies of a section, those for single platforms included.
fn keys(manifest: &toml::Table, section: &str) -> Vec<String> {
    let own = manifest.get(section).and_then(toml::Value::as_table);
    let platforms = manifest.get("target").and_then(toml::Value::as_table);
    let of_platforms = platforms
        .into_iter()
        .flat_map(|it| it.values())
        .filter_map(|it| it.get(section)?.as_table());
    own.into_iter()
        .chain(of_platforms)
        .flat_map(|it| it.keys().cloned())
        .collect()
}

#[test]
fn every_package_says_its_licence() {
    let wrong: Vec<String> = manifests()
        .into_iter()
        .filter(|(_, it)| {
            let package = &it["package"];
            let own = package.get("license").and_then(toml::Value::as_str) == Some("Apache-2.0");
            let inherited = package.get("license").is_some_and(|it| it.get("workspace").is_some());
            !own && !inherited
        })
        .map(|(name, _)| name)
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
    let workspace: toml::Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    assert_eq!(
        workspace["workspace"]["package"]["license"].as_str(),
        Some("Apache-2.0")
    );
}

#[test]
fn every_package_keeps_the_lints() {
    let wrong: Vec<String> = manifests()
        .into_iter()
        .filter(|(_, it)| it.get("lints").and_then(|it| it.get("workspace")?.as_bool()) != Some(true))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn modules_use_only_those_below_them() {
    let mut wrong = Vec::new();
    for folder in ORDERED {
        let folder = root().join(folder);
        let modules = modules(&fs::read_to_string(folder.join("lib.rs")).unwrap());
        for (at, module) in modules.iter().enumerate() {
            let above: BTreeSet<&str> = modules[..at].iter().map(String::as_str).collect();
            let mut sources = files(&folder.join(module), ".rs");
            sources.push(folder.join(format!("{module}.rs")));
            for source in sources.iter().filter(|it| !is_test(it)) {
                let Ok(text) = fs::read_to_string(source) else {
                    wrong.push(format!("{} is missing", shown(source)));
                    continue;
                };
                for used in used_modules(&text) {
                    if above.contains(used.as_str()) {
                        wrong.push(format!("{} uses {used}, which stands above it", shown(source)));
                    }
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// The modules of a `lib.rs`, top down.
fn modules(text: &str) -> Vec<String> {
    let names = text.lines().filter_map(|line| {
        let line = line.trim_start_matches("pub(crate) ").trim_start_matches("pub ");
        Some(line.strip_prefix("mod ")?.strip_suffix(';')?.to_owned())
    });
    names.collect()
}

/// What follows `crate::` in code, `crate::{a, b::c}` included.
fn used_modules(text: &str) -> BTreeSet<String> {
    let code: Vec<&str> = text.lines().filter(|it| !it.trim_start().starts_with("//")).collect();
    let code = code.join("\n");
    let word = |text: &str| -> String {
        text.chars()
            .take_while(|it| it.is_alphanumeric() || *it == '_')
            .collect()
    };
    let mut used = BTreeSet::new();
    for tail in code.split("crate::").skip(1) {
        let Some(group) = tail.strip_prefix('{') else {
            used.insert(word(tail));
            continue;
        };
        let mut depth = 0;
        let mut begins = true;
        for (at, letter) in group.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => begins = true,
                _ if begins && !letter.is_whitespace() => {
                    used.insert(word(&group[at..]));
                    begins = false;
                }
                _ => {}
            }
        }
    }
    used
}

#[test]
fn uses_are_found_in_every_form() {
    let code = "use crate::a::B;\nuse crate::{c, d::{e, f}, g};\n// crate::h\nlet x = crate::i();";
    let used: Vec<String> = used_modules(code).into_iter().collect();
    assert_eq!(used, ["a", "c", "d", "g", "i"]);
}

#[test]
fn every_file_says_what_it_owns() {
    let wrong: Vec<String> = rust_files()
        .iter()
        // What unit tests own is said by the file beside them.
        .filter(|it| !it.ends_with("tests.rs"))
        .filter(|it| !fs::read_to_string(it).unwrap().starts_with("//! "))
        .map(|it| shown(it))
        .collect();
    assert_eq!(wrong, Vec::<String>::new(), "the first line is `//! …`");
}

#[test]
fn no_file_is_long() {
    let wrong: Vec<String> = rust_files()
        .iter()
        .filter(|it| !is_test(it))
        .filter_map(|it| {
            let lines = fs::read_to_string(it).unwrap().lines().count();
            (lines > LONGEST_FILE).then(|| format!("{}: {lines} lines", shown(it)))
        })
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn files_have_names_that_say_something() {
    let wrong: Vec<String> = rust_files()
        .iter()
        .filter(|it| {
            let stem = it.file_stem().unwrap().to_string_lossy().into_owned();
            stem == "mod" || EMPTY_WORDS.contains(&stem.as_str())
        })
        .map(|it| shown(it))
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_crate_has_one_test_program() {
    let mut wrong = Vec::new();
    for manifest in files(&root(), "Cargo.toml") {
        let Ok(entries) = fs::read_dir(manifest.with_file_name("tests")) else {
            continue;
        };
        let programs = entries
            .map(|it| it.unwrap().path())
            .filter(|it| it.extension().is_some_and(|it| it == "rs") || it.join("main.rs").exists())
            .count();
        if programs > 1 {
            wrong.push(format!("{}: {programs}", shown(&manifest)));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn exceptions_are_expected_with_a_reason() {
    // Written in two parts, so that this file does not find itself.
    let allow = ["#[al", "low("].concat();
    let wrong: Vec<String> = rust_files()
        .iter()
        .filter(|it| fs::read_to_string(it).unwrap().replace("#!", "#").contains(&allow))
        .map(|it| shown(it))
        .collect();
    assert_eq!(wrong, Vec::<String>::new(), "`#[expect(lint, reason = …)]` instead");
}
