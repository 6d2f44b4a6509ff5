//! Contents are kept once by their hash; outputs are read by windows while they grow.

use agent::blob::{Blobs, Writer, output_path, read};
use agent::home::Home;

#[test]
fn the_same_content_is_kept_once() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::new(&Home::new(folder.path()));
    let hash = blobs.put(b"abc").unwrap();
    assert_eq!(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    let file = folder.path().join("file");
    std::fs::write(&file, b"abc").unwrap();
    assert_eq!(blobs.put_file(&file).unwrap(), hash);
    assert_eq!(std::fs::read(blobs.path(&hash).unwrap()).unwrap(), b"abc");
    assert!(blobs.put_file(&folder.path().join("gone")).is_err());
    for name in ["", "../../etc/passwd", &hash.to_uppercase(), &hash[1..]] {
        assert_eq!(blobs.path(name), None, "{name}");
    }
    assert_eq!(output_path(folder.path(), "../x"), None);
}

#[test]
fn an_output_is_read_by_windows_while_it_grows() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::create(folder.path(), "item-1").unwrap();
    let path = output_path(folder.path(), "item-1").unwrap();
    let check = |line, limit, query: Option<&str>, expect: (u64, &[&str], u64, bool)| {
        let window = read(&path, line, limit, query).unwrap();
        let lines: Vec<&str> = window.lines.iter().map(String::as_str).collect();
        assert_eq!((window.line, &lines[..], window.total, window.exhausted), expect);
    };
    check(0, 10, None, (0, &[], 0, false));
    writer.append(b"one\r\ntw").unwrap();
    check(0, 10, None, (0, &["one", "tw"], 2, false));
    assert_eq!((writer.bytes(), writer.lines()), (7, 2));
    writer.append(b"o\n\n\xff\x1b[31mred\n").unwrap();
    check(1, 2, None, (1, &["two", ""], 4, false));
    check(3, 9, None, (3, &["\u{fffd}\u{1b}[31mred"], 4, false));
    check(9, 9, None, (9, &[], 4, false));
    check(0, 1, Some("red"), (3, &["\u{fffd}\u{1b}[31mred"], 4, false));
    check(2, 5, Some("o"), (2, &[], 4, true));
    check(1, 1, Some("o"), (1, &["two"], 4, false));
    let output = writer.finish();
    assert_eq!((output.blob.as_str(), output.bytes, output.lines), ("item-1", 20, 4));
}

#[test]
fn any_window_of_a_million_lines_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::create(folder.path(), "big").unwrap();
    let mut piece = String::new();
    for line in 0..1_000_000 {
        piece.push_str(&format!("line {line}\n"));
        if line % 777 == 0 {
            writer.append(piece.as_bytes()).unwrap();
            piece.clear();
        }
    }
    writer.append(piece.as_bytes()).unwrap();
    let path = output_path(folder.path(), "big").unwrap();
    let marks = path.with_extension("lines");
    let check = |line: u64| {
        let window = read(&path, line, 2, None).unwrap();
        assert_eq!(window.lines, [format!("line {line}"), format!("line {}", line + 1)]);
        assert_eq!(window.total, 1_000_000);
    };
    let places = [0, 1, 1_022, 1_023, 1_024, 500_000, 999_998];
    places.iter().copied().for_each(check);
    // The first reader of a long output without an index left one; a foreign one is not believed.
    assert!(marks.exists());
    std::fs::write(&marks, [7; 100]).unwrap();
    places.iter().copied().for_each(check);
    let found = read(&path, 3, 1, Some("line 765432")).unwrap();
    assert_eq!((found.line, found.lines), (765_432, vec!["line 765432".to_owned()]));
    assert!(read(&path, 999_999, 1, Some("line 1\n")).unwrap().exhausted);
    drop(writer.finish());
    places.iter().copied().for_each(check);
}

#[test]
fn one_endless_line_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::create(folder.path(), "long").unwrap();
    writer.append(&vec![b'x'; 3_000_000]).unwrap();
    writer.append(b"needle\nend").unwrap();
    let path = output_path(folder.path(), "long").unwrap();
    let window = read(&path, 0, 5, None).unwrap();
    assert_eq!(window.lines.iter().map(String::len).collect::<Vec<_>>(), [4096, 3]);
    assert_eq!(read(&path, 0, 1, Some("needle")).unwrap().line, 0);
    assert_eq!(read(&path, 0, 1, Some("end")).unwrap().line, 1);
}
