//! Profiles.

use std::collections::BTreeMap;
use std::path::Path;

use super::{environment, parse};

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[test]
fn what_a_profile_prints_is_no_variable_and_its_secrets_stay_out() {
    let output = b"welcome=home\n--zspark-environment--\0A=1\0B=x=y\nz\0PWD=/\0MY_API_KEY=s\0GIVEN_TOKEN=t\0";
    let env = map(&[("GIVEN_TOKEN", "t")]);
    let expect = map(&[("A", "1"), ("B", "x=y\nz"), ("GIVEN_TOKEN", "t")]);
    assert_eq!(parse(output, &env), Some(expect));
    assert_eq!(parse(b"A=1\0", &env), None);
}

#[tokio::test]
#[cfg(unix)]
async fn a_profile_is_read() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join(".profile"), "echo hello; export FROM_PROFILE=yes\n").unwrap();
    let env = map(&[("HOME", home.path().to_str().unwrap()), ("PATH", "/usr/bin:/bin")]);
    let read = environment(Path::new("/bin/sh"), &env).await.unwrap();
    assert_eq!(read.get("FROM_PROFILE").map(String::as_str), Some("yes"));
    let read = environment(Path::new("/no/such/shell"), &env).await;
    assert_eq!(read, None);
}
