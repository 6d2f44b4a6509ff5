use super::{is_program, web_address};

#[test]
fn only_web_and_mail_addresses_are_opened() {
    let check = |text: &str, expect: bool| assert_eq!(web_address(text).is_ok(), expect, "{text}");
    check("https://example.org/a?b=c", true);
    check("mailto:someone@example.org", true);
    check("file:///etc/passwd", false);
    check("javascript:alert(1)", false);
    check("vscode://file/x", false);
    check("not an address", false);
}

#[test]
fn programs_are_not_opened() {
    let check = |name: &str, expect: bool| assert_eq!(is_program(name), expect, "{name}");
    check("report.pdf", false);
    check("page.html", false);
    check("README", false);
    check("setup.EXE", true);
    check("run.command", true);
    check("x.pdf.desktop", true);
}
