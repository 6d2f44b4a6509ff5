use std::time::{Duration, Instant};

use super::{Deaths, may_load};

#[test]
fn only_the_page_and_previews_may_load() {
    let check = |url: &str, expect: bool| assert_eq!(may_load(&url.parse().unwrap()), expect, "{url}");
    check("tauri://localhost/index.html", true);
    check("http://tauri.localhost/", true);
    check("preview://localhost/0123/report.html", true);
    check("http://preview.localhost/0123/report.html", true);
    check("about:srcdoc", true);
    check("https://example.org/", false);
    check("http://localhost:1420/", false);
    check("file:///etc/passwd", false);
    check("tauri://elsewhere/", false);
}

#[test]
fn a_page_that_dies_at_once_is_not_loaded_for_ever() {
    let mut deaths = Deaths::default();
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let verdicts: Vec<bool> = [0, 1, 2, 3, 30].map(|it| deaths.may_reload(at(it))).into();
    assert_eq!(verdicts, [true, true, true, false, true]);
}
