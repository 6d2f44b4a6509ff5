//! Names.

use super::*;

#[test]
fn names_that_people_use_stay_as_they_are() {
    for name in [
        "a.txt",
        "Bericht März.pdf",
        "季度报告.xlsx",
        ".gitignore",
        "console.log",
        "a b (1).tar.gz",
    ] {
        assert_eq!(checked(name).as_deref(), Ok(name));
    }
    assert_eq!(checked("Ma\u{308}rz").as_deref(), Ok("März"));
}

#[test]
fn names_that_lead_elsewhere_or_deceive_are_refused() {
    let long = "x".repeat(256);
    for name in [
        "",
        ".",
        "..",
        "../a",
        "a/b",
        "a\\b",
        "c:a",
        "a\0b",
        "a\nb",
        "NUL",
        "con.txt",
        "Com1.log",
        "a.",
        "a ",
        " a",
        "gpj.\u{202e}exe",
        "a\u{200b}b",
        &long,
    ] {
        assert!(checked(name).is_err(), "{name:?}");
    }
}

#[test]
fn a_name_in_a_header_cannot_leave_it() {
    assert_eq!(
        disposition("a\"; x=\r\n季.txt"),
        "attachment; filename*=UTF-8''a%22%3B%20x%3D%0D%0A%E5%AD%A3.txt"
    );
}
