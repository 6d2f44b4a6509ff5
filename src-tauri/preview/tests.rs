use std::path::PathBuf;

use tauri::http::{HeaderMap, HeaderValue, StatusCode, header};

use super::{Previews, Span, answer, policy, served_as, span};
use crate::artifact::Found;

fn found(media_type: &str, kept: PathBuf) -> Found {
    Found {
        name: "report".to_owned(),
        media_type: media_type.to_owned(),
        hash: "0".repeat(64),
        kept,
        living: None,
    }
}

#[test]
fn a_range_is_cut_from_the_file() {
    let check = |range: Option<&str>, expect: Span| assert_eq!(span(range, 100), expect, "{range:?}");
    check(None, Span::Whole);
    check(Some("bytes=0-9"), Span::Part(0..10));
    check(Some("bytes=90-"), Span::Part(90..100));
    check(Some("bytes=-30"), Span::Part(70..100));
    check(Some("bytes=-300"), Span::Part(0..100));
    check(Some("bytes=50-5000"), Span::Part(50..100));
    check(Some("bytes=100-"), Span::Outside);
    check(Some("bytes=9-0"), Span::Whole);
    check(Some("bytes=-0"), Span::Whole);
    check(Some("bytes=0-1,5-6"), Span::Whole);
    check(Some("lines=0-1"), Span::Whole);
    assert_eq!(span(Some("bytes=0-"), 0), Span::Outside);
    assert_eq!(span(Some("bytes=1-"), 1 << 40), Span::Part(1..1 + (64 << 20)));
}

#[test]
fn nothing_becomes_a_page_on_its_way() {
    let check = |media_type: &str, expect: &str| assert_eq!(served_as(media_type), expect, "{media_type}");
    check("text/html", "text/html; charset=utf-8");
    check("text/html; charset=gbk", "text/html; charset=utf-8");
    check("application/xhtml+xml", "text/plain; charset=utf-8");
    check("text/markdown", "text/plain; charset=utf-8");
    check("image/svg+xml", "image/svg+xml");
    check("application/zip", "application/octet-stream");
    check("", "application/octet-stream");
}

#[test]
fn only_pages_run_scripts_and_nothing_has_a_network() {
    for media_type in ["text/html; charset=utf-8", "image/svg+xml", "application/pdf"] {
        let policy = policy(media_type);
        assert!(policy.starts_with("sandbox"), "{policy}");
        assert!(policy.contains("default-src 'none'"), "{policy}");
        assert!(!policy.contains("allow-same-origin"), "{policy}");
        let (loads, framed_by) = policy.split_once("frame-ancestors").unwrap();
        assert!(!loads.contains("http") && !loads.contains("connect-src"), "{policy}");
        assert_eq!(framed_by, " tauri://localhost http://tauri.localhost");
        assert_eq!(
            policy.contains("allow-scripts"),
            media_type.starts_with("text/html"),
            "{policy}"
        );
    }
}

#[test]
fn an_address_cannot_be_guessed_and_stays_the_same() {
    let previews = Previews::default();
    let one = previews.grant(found("text/html", PathBuf::from("/a")));
    let two = previews.grant(found("text/html", PathBuf::from("/b")));
    assert_ne!(one, two);
    assert_eq!(one, previews.grant(found("text/html", PathBuf::from("/a"))));
    let token = one.rsplit('/').next().unwrap();
    assert_eq!(token.len(), 32);
    assert_eq!(previews.find(&format!("/{token}")).unwrap().kept, PathBuf::from("/a"));
    assert_eq!(previews.find("/"), None);
    assert_eq!(previews.find("/../../etc/passwd"), None);
}

#[tokio::test]
async fn bytes_come_with_their_type_and_policy() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept");
    std::fs::write(&kept, "0123456789").unwrap();
    let found = found("application/pdf", kept);
    let mut headers = HeaderMap::new();
    headers.insert(header::RANGE, HeaderValue::from_static("bytes=2-4"));
    headers.insert(header::ORIGIN, HeaderValue::from_static("tauri://localhost"));
    let part = answer(&found, &headers).await;
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.body(), b"234");
    assert_eq!(part.headers()[header::CONTENT_RANGE], "bytes 2-4/10");
    assert_eq!(part.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert_eq!(part.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "tauri://localhost");
    headers.remove(header::RANGE);
    headers.insert(header::ORIGIN, HeaderValue::from_static("null"));
    let whole = answer(&found, &headers).await;
    assert_eq!(whole.status(), StatusCode::OK);
    assert_eq!(whole.body(), b"0123456789");
    assert!(!whole.headers().contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
}
