//! What a crash at any byte leaves, and what is written anew.

use yrs::{GetString as _, Text as _, WriteTxn as _};

use super::super::Document;
use super::*;

fn push(document: &mut Document, text: &str) {
    document.edit(|tx| tx.get_or_insert_text("t").push(tx, text)).unwrap();
}

fn text(kept: &Kept) -> String {
    let mut document = Document::new(9, kept.clone()).unwrap();
    document.edit(|tx| tx.get_or_insert_text("t").get_string(tx)).unwrap()
}

#[test]
fn a_crash_at_any_byte_of_a_write_loses_only_that_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan");
    let mut document = Document::new(7, Kept::default()).unwrap();
    let (mut keeper, _) = Keeper::open(&path).unwrap();
    keeper.note(vec![Fact::Epoch(3)]);
    push(&mut document, "first ");
    assert!(keeper.note(document.facts()));
    keeper.write().unwrap();
    let before = std::fs::read(&path).unwrap().len();
    push(&mut document, "second 最后");
    assert!(keeper.note(document.facts()));
    keeper.write().unwrap();
    drop(keeper);
    let full = std::fs::read(&path).unwrap();
    assert!(full.len() > before);

    for cut in 0..=full.len() {
        std::fs::write(&path, &full[..cut]).unwrap();
        let (mut keeper, kept) = Keeper::open(&path).unwrap();
        let expected = match cut {
            it if it == full.len() => ("first second 最后", 2),
            it if it >= before => ("first ", 1),
            // The first write was cut, too.
            _ => ("", 0),
        };
        assert_eq!((text(&kept).as_str(), kept.pending.len()), expected, "cut at {cut}");
        // What comes next is kept as if nothing had happened.
        let mut next = Document::new(8, kept.clone()).unwrap();
        push(&mut next, "next");
        keeper.note(next.facts());
        keeper.write().unwrap();
        drop(keeper);
        let (_, kept) = Keeper::open(&path).unwrap();
        assert_eq!(text(&kept).matches("next").count(), 1, "cut at {cut}");
        assert_eq!(text(&kept).len(), expected.0.len() + "next".len(), "cut at {cut}");
    }
}

#[test]
fn what_can_be_had_again_waits_for_company() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan");
    let (mut keeper, _) = Keeper::open(&path).unwrap();
    assert!(!keeper.note(vec![Fact::Stored(0), Fact::Heard(Bytes::from_static(&[0, 0]))]));
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 0);
    assert!(keeper.note(vec![Fact::Heard(vec![0; WAITING_BYTES + 1].into())]));
    keeper.write().unwrap();
    drop(keeper);
    let (_, kept) = Keeper::open(&path).unwrap();
    assert_eq!(kept.updates.len(), 2);
}

#[test]
fn a_long_file_is_written_anew_with_what_pends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan");
    let (mut keeper, kept) = Keeper::open(&path).unwrap();
    let mut document = Document::new(7, kept).unwrap();
    let mut longest = 0;
    for _ in 0..3_000 {
        document
            .edit(|tx| {
                let root = tx.get_or_insert_text("t");
                root.insert(tx, 0, "x".repeat(100).as_str());
                root.remove_range(tx, 1, 99);
            })
            .unwrap();
        let stored = document.last() - 1;
        document.stored = stored;
        document.pending.retain(|it| it.number > stored);
        let mut facts = document.facts();
        facts.push(Fact::Stored(stored));
        keeper.note(facts);
        // Nothing here is about the disk itself: hundreds of facts go into one write.
        if keeper.waiting.len() > 200 {
            keeper.write().unwrap();
        }
        if keeper.is_long() {
            keeper.replace(&document.kept().unwrap()).unwrap();
        }
        longest = longest.max(keeper.journal.length());
    }
    keeper.write().unwrap();
    assert!(longest < 4 * SLACK_BYTES, "{longest}");
    drop(keeper);
    let (_, kept) = Keeper::open(&path).unwrap();
    assert_eq!((text(&kept).len(), kept.stored), (3_000, 2_999));
    assert_eq!(kept.pending.iter().map(|it| it.number).collect::<Vec<_>>(), [3_000]);
}

#[test]
fn an_earlier_life_is_put_aside_and_can_be_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan");
    let (mut keeper, kept) = Keeper::open(&path).unwrap();
    let mut document = Document::new(7, kept).unwrap();
    push(&mut document, "earlier");
    keeper.note(vec![Fact::Epoch(4)]);
    keeper.note(document.facts());
    keeper.start_over(4).unwrap();
    drop(keeper);
    let (_, kept) = Keeper::open(&path).unwrap();
    assert_eq!(kept, Kept::default());
    let (_, kept) = Keeper::open(&folder.path().join("plan.epoch-4")).unwrap();
    assert_eq!(
        (text(&kept).as_str(), kept.epoch, kept.pending.len()),
        ("earlier", Some(4), 1)
    );
}

#[test]
fn what_a_newer_program_wrote_is_not_taken_for_something_else() {
    let folder = tempfile::tempdir().unwrap();
    for record in [&[1_u8, 2][..], &[99, 1], &[2, 1, 1]] {
        let path = folder.path().join("plan");
        let _ = std::fs::remove_file(&path);
        Journal::open(&path, |_, _| ()).unwrap().append(&[record]).unwrap();
        assert!(
            matches!(Keeper::open(&path), Err(KeeperError::Record { .. })),
            "{record:?}"
        );
    }
}
