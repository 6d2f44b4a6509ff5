//! When awareness is passed on.

use tokio::time::advance;

use super::*;

fn due_in(gathered: &Gathered) -> Option<Duration> {
    gathered.due.map(|it| it.duration_since(Instant::now()))
}

#[tokio::test(start_paused = true)]
async fn after_a_rest_it_goes_with_the_next_update_and_then_in_a_rhythm() {
    let mut gathered = Gathered::default();
    assert!(!gathered.is_ripe(), "there is nothing");
    gathered.add(vec![7], true);
    assert!(gathered.is_ripe());
    assert_eq!(due_in(&gathered), Some(ALONG));
    assert_eq!(gathered.take(), BTreeMap::from([(7, true)]));
    assert_eq!(due_in(&gathered), None);

    gathered.add(vec![7], true);
    gathered.add(vec![8], false);
    assert!(!gathered.is_ripe(), "an update that comes now does not take it along");
    assert_eq!(due_in(&gathered), Some(RHYTHM + ALONG_IN_RHYTHM));
    advance(RHYTHM).await;
    assert!(gathered.is_ripe());
    assert_eq!(gathered.take(), BTreeMap::from([(7, true), (8, false)]));

    advance(RHYTHM + ALONG_IN_RHYTHM).await;
    gathered.add(vec![8], false);
    gathered.add(vec![8], true);
    assert!(gathered.is_ripe());
    assert_eq!(due_in(&gathered), Some(ALONG), "it rested");
    assert_eq!(
        gathered.take(),
        BTreeMap::from([(8, true)]),
        "what other nodes have to hear stays so"
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_new_is_nothing_to_pass_on() {
    let mut gathered = Gathered::default();
    gathered.add(Vec::new(), true);
    assert_eq!(due_in(&gathered), None);
    assert!(gathered.take().is_empty());
}
