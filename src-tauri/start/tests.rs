use std::path::{Path, PathBuf};

use super::{Leave, folder_argument};

fn check(arguments: &[&str], expect: Result<Option<&str>, &str>) {
    let got = folder_argument(arguments.iter().map(Into::into), Path::new("/work"));
    match (got, expect) {
        (Ok(got), Ok(expect)) => assert_eq!(got, expect.map(PathBuf::from), "{arguments:?}"),
        (Err(Leave::Said(got) | Leave::Refused(got)), Err(expect)) => {
            assert!(got.contains(expect), "{arguments:?} gave {got}");
        }
        (got, expect) => panic!("{arguments:?} gave {got:?}, not {expect:?}"),
    }
}

#[cfg(unix)]
#[test]
fn one_folder_may_be_given() {
    check(&[], Ok(None));
    check(&["here"], Ok(Some("/work/here")));
    check(&["."], Ok(Some("/work")));
    check(&["/there"], Ok(Some("/there")));
    check(&["--", "-odd"], Ok(Some("/work/-odd")));
    check(&["-psn_0_12345"], Ok(None));
    check(&["--help"], Err("Usage:"));
    check(&["-V"], Err(env!("CARGO_PKG_VERSION")));
    check(&["a", "b"], Err("only one folder"));
    check(&["--port=1"], Err("unknown option --port=1"));
}
