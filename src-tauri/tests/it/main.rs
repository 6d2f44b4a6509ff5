//! The desktop program from outside: its configuration, and how it answers on the command line.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod config;

use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_zspark-desktop"))
        .args(arguments)
        .env("ZSPARK_HOME", std::env::temp_dir().join("zspark-never-made"))
        .output()
        .unwrap()
}

#[test]
fn it_tells_its_version_without_opening_a_window() {
    let output = run(&["--version"]);
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said, concat!("zspark-desktop ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn it_refuses_what_it_does_not_understand() {
    let output = run(&["--explode"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("unknown option --explode")
    );
}
