//! A crash at any byte, and what else can happen to a file.

use super::*;

fn records(path: &Path) -> Result<(Journal, Vec<Vec<u8>>), JournalError> {
    let mut found = Vec::new();
    let journal = Journal::open(path, |_, it| found.push(it))?;
    Ok((journal, found))
}

fn some() -> Vec<Vec<u8>> {
    vec![b"one".to_vec(), vec![0; 9], "drei €".into(), vec![7; 300]]
}

#[test]
fn what_was_kept_is_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/queue");
    let (mut journal, found) = records(&path).unwrap();
    assert!(found.is_empty());
    let mut places = journal.append(&some()[..2]).unwrap();
    places.extend(journal.append(&some()[2..]).unwrap());
    for (at, record) in places.iter().zip(some()) {
        assert_eq!(journal.read(*at).unwrap(), record);
    }
    assert!(matches!(records(&path), Err(JournalError::Taken(_))));
    drop(journal);
    assert_eq!(records(&path).unwrap().1, some());
}

#[test]
fn a_crash_at_any_byte_loses_only_what_was_being_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("whole");
    let (mut journal, _) = records(&path).unwrap();
    let ends: Vec<u64> = some()
        .iter()
        .map(|it| {
            journal.append(std::slice::from_ref(it)).unwrap();
            journal.length()
        })
        .collect();
    let whole = std::fs::read(&path).unwrap();
    for cut in 0..=whole.len() {
        // The file ends there, or it grew to its length and the bytes never came.
        for zeros in [0, whole.len() - cut] {
            let path = folder.path().join(format!("cut-{cut}-{zeros}"));
            let mut bytes = whole[..cut].to_vec();
            bytes.resize(cut + zeros, 0);
            std::fs::write(&path, &bytes).unwrap();
            let kept = ends.iter().filter(|it| **it <= cut as u64).count();
            let (mut journal, found) = records(&path).unwrap();
            assert_eq!(found.len(), kept.max(found.len().min(kept + 1)), "cut at {cut}");
            assert_eq!(found, some()[..found.len()], "cut at {cut}, {zeros} zeros");
            if zeros == 0 {
                assert_eq!(found.len(), kept, "cut at {cut}");
            }
            let aside = std::fs::read(beside(&path, "cut")).unwrap_or_default();
            assert_eq!([whole_of(&found), aside].concat(), bytes, "a byte is gone after {cut}");
            journal.append(&[b"next"]).unwrap();
            drop(journal);
            let (_journal, again) = records(&path).unwrap();
            assert_eq!(again.len(), found.len() + 1);
            assert_eq!(again.last().unwrap(), b"next");
        }
    }
}

fn whole_of(records: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for record in records {
        write(&mut bytes, record).unwrap();
    }
    bytes
}

#[test]
fn damage_in_the_middle_is_said_and_nothing_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue");
    let (mut journal, _) = records(&path).unwrap();
    let places = journal.append(&some()).unwrap();
    drop(journal);
    let mut bytes = std::fs::read(&path).unwrap();
    let at = usize::try_from(places[1]).unwrap();
    bytes[at + HEAD + 1] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    match records(&path) {
        Err(JournalError::Damaged { at, .. }) => assert_eq!(at, places[1]),
        other => panic!("{other:?}"),
    }
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

#[test]
fn other_records_take_the_place_of_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue");
    let (mut journal, _) = records(&path).unwrap();
    journal.append(&some()).unwrap();
    let places = journal.replace(&[b"left", b"over"]).unwrap();
    assert_eq!(journal.read(places[1]).unwrap(), b"over");
    journal.append(&[b"more"]).unwrap();
    drop(journal);
    // A crash before the rename leaves a file that nobody reads.
    std::fs::write(beside(&path, "new"), b"half").unwrap();
    let (mut journal, found) = records(&path).unwrap();
    assert_eq!(found, [b"left".to_vec(), b"over".to_vec(), b"more".to_vec()]);
    journal.replace::<Vec<u8>>(&[]).unwrap();
    drop(journal);
    assert!(records(&path).unwrap().1.is_empty());
}

#[test]
fn an_empty_record_and_an_endless_one_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = records(&folder.path().join("queue")).unwrap();
    assert!(matches!(
        journal.append(&[b"good", b"".as_slice()]),
        Err(JournalError::Length(0))
    ));
    assert_eq!(journal.length(), 0);
}
