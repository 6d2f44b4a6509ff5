//! The stage understands what it is told.

use std::ffi::OsString;
use std::path::PathBuf;

use super::Plan;

#[test]
fn a_plan_survives_the_command_line() {
    let plan = Plan {
        network: true,
        parent: 7,
        roots: vec![PathBuf::from("/a b"), PathBuf::from("--")],
        protected: vec![PathBuf::from("/a b/.git")],
        program: OsString::from("bash"),
        args: vec![OsString::from("-lc"), OsString::from("echo 'x'\n")],
    };
    let args = plan.to_args().into_iter().skip(1);
    assert_eq!(Plan::from_args(args), Some(plan));
}

#[test]
fn nonsense_is_no_plan() {
    for args in [
        vec![],
        vec!["network"],
        vec!["network", "1", "9", "/a"],
        vec!["maybe", "1", "0", "0", "sh"],
    ] {
        assert_eq!(Plan::from_args(args.iter().map(OsString::from)), None, "{args:?}");
    }
}
