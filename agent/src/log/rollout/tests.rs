//! Lines and offsets.

use std::io::Write;

use super::*;

/// A file of lines of very different lengths, some of them damaged: `(seq, damaged)`.
fn file(lines: &[(u64, bool)]) -> (File, u64, Vec<u64>) {
    let mut file = tempfile::tempfile().unwrap();
    let mut offsets = Vec::new();
    let mut at = 0;
    for &(seq, damaged) in lines {
        offsets.push(at);
        let filler = "x".repeat(if seq % 7 == 0 { 100_000 } else { (seq % 13) as usize * 9 });
        let line = if damaged {
            format!("{filler}\n")
        } else {
            format!("{{\"seq\":{seq},\"atMs\":1,\"type\":\"t\",\"x\":\"{filler}\"}}\n")
        };
        file.write_all(line.as_bytes()).unwrap();
        at += line.len() as u64;
    }
    (file, at, offsets)
}

#[test]
fn any_event_is_located() {
    let lines: Vec<_> = (1..=200).map(|it| (it, false)).collect();
    let (file, len, offsets) = file(&lines);
    for after in 0..=200 {
        let expect = offsets.get(after as usize).copied().unwrap_or(len);
        assert_eq!(locate(&file, after, len).unwrap(), expect, "after {after}");
    }
    assert_eq!(locate(&file, 1_000, len).unwrap(), len);
}

#[test]
fn an_event_is_located_among_damaged_lines() {
    let lines: Vec<_> = (1..=100).map(|it| (it, it % 3 == 0 || it > 95)).collect();
    let (file, len, offsets) = file(&lines);
    for after in 1..95_u64 {
        let found = locate(&file, after, len).unwrap();
        let next = lines
            .iter()
            .position(|&(seq, damaged)| seq > after && !damaged)
            .unwrap();
        // Damaged lines before the event may be read along; nothing that was seen already may.
        assert!(found <= offsets[next], "after {after}");
        assert!(found > offsets[lines.iter().rposition(|&(seq, bad)| seq <= after && !bad).unwrap_or(0)] || after == 0);
    }
}

#[test]
fn backwards_is_forwards_reversed() {
    let lines: Vec<_> = (1..=50).map(|it| (it, it % 5 == 0)).collect();
    let (file, len, _) = file(&lines);
    let mut there = Vec::new();
    forwards(&file, 0, len, |offset, line| {
        there.push((offset, line.to_vec()));
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(there.len(), 50);
    let mut back = Vec::new();
    backwards(&file, len, |offset, line| {
        back.push((offset, line.to_vec()));
        ControlFlow::Continue(())
    })
    .unwrap();
    back.reverse();
    assert!(back == there);
}

#[test]
fn a_thread_has_one_place_and_other_names_have_none() {
    let id = ThreadId::from("019aa3b1-7c00-7000-8000-000000000001");
    let expect = Path::new("/t/2025/11/019aa3b1-7c00-7000-8000-000000000001.jsonl");
    assert_eq!(path(Path::new("/t"), &id).as_deref(), Some(expect));
    for name in [
        "",
        "..",
        "../../etc/passwd",
        "019AA3B1-7C00-7000-8000-000000000001",
        "019aa3b17c0070008000000000000001",
        "7c8e4a52-9f0d-4c55-8ec2-5f2c3d1a0b9e",
    ] {
        assert_eq!(path(Path::new("/t"), &ThreadId::from(name)), None, "{name}");
    }
}
