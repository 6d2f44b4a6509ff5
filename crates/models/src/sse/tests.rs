//! However a stream is cut into chunks, the same events come out.

use super::Sse;

fn events(chunks: &[&[u8]]) -> Vec<(String, String)> {
    let mut seen = Vec::new();
    let mut sse = Sse::default();
    let mut each = |name: &[u8], data: &[u8]| {
        seen.push((
            String::from_utf8_lossy(name).into_owned(),
            String::from_utf8_lossy(data).into_owned(),
        ));
        Ok::<(), ()>(())
    };
    for chunk in chunks {
        sse.push(chunk, &mut each).unwrap();
    }
    sse.finish(&mut each).unwrap();
    seen
}

fn check(text: &str, expected: &[(&str, &str)]) {
    let expected: Vec<_> = expected
        .iter()
        .map(|(name, data)| ((*name).to_owned(), (*data).to_owned()))
        .collect();
    for size in 1..=text.len().max(1) {
        let chunks: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
        assert_eq!(events(&chunks), expected, "in chunks of {size}");
    }
}

#[test]
fn events_come_out_whatever_the_chunks() {
    check("event: a\ndata: 1\n\ndata: 2\n\n", &[("a", "1"), ("", "2")]);
    check("event:a\r\ndata:1\r\n\r\n", &[("a", "1")]);
    check("data: 你好\n\n", &[("", "你好")]);
}

#[test]
fn data_lines_are_joined() {
    check("data: 1\ndata:\ndata: 2\n\n", &[("", "1\n\n2")]);
}

#[test]
fn comments_and_unknown_fields_are_nothing() {
    check(": ping\n\nid: 3\nretry: 5\n\ndata: x\n\n", &[("", "x")]);
}

#[test]
fn the_end_completes_the_last_event() {
    check("data: 1\n\ndata: [DONE]", &[("", "1"), ("", "[DONE]")]);
}
