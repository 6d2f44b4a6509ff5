//! Who is there, as told by a server that may tell anything.

use super::*;

fn said(client: u64, clock: u32, state: &str) -> Bytes {
    put_awareness(std::iter::once(Awareness { client, clock, state }))
}

fn nobody() -> Bytes {
    put_awareness(std::iter::empty())
}

fn shown(presence: &Presence) -> Vec<(u64, String)> {
    presence.people().iter().map(|(id, it)| (*id, it.to_string())).collect()
}

#[test]
fn others_come_move_and_go() {
    let mut presence = Presence::new(7);
    for (client, clock, state, changed) in [
        (1, 1, "{\"a\":1}", true),
        (1, 1, "{\"a\":2}", false),
        (1, 2, "{\"a\":2}", true),
        (1, 3, "{\"a\":2}", false),
        (2, 0, "null", false),
        (2, 1, "not json", false),
        (1, 3, "null", true),
        (1, 3, "{\"late\":1}", false),
    ] {
        let heard = presence.hear(&said(client, clock, state)).unwrap();
        assert_eq!((heard.changed, heard.say), (changed, None), "{client} {clock} {state}");
    }
    assert_eq!(shown(&presence), []);
}

#[test]
fn who_is_silent_for_long_is_gone_and_one_renews_oneself() {
    let mut presence = Presence::new(7);
    presence.hear(&said(1, 1, "{}")).unwrap();
    assert!(presence.set(Some("{\"me\":1}".into())).is_some());
    for beat in 1..=BEATS {
        let heard = presence.hear(&nobody()).unwrap();
        assert_eq!(heard.changed, beat == BEATS);
        let own = heard.say.unwrap();
        let own = awareness(&own, 1).unwrap();
        assert_eq!(
            (own[0].client, u64::from(own[0].clock), own[0].state),
            (7, beat + 1, "{\"me\":1}")
        );
    }
    assert_eq!(shown(&presence), []);
    assert!(presence.set(None).is_some());
    assert_eq!(presence.set(None), None);
    assert_eq!(presence.hear(&nobody()).unwrap(), Heard::default());
}

#[test]
fn what_others_still_believe_of_oneself_is_put_right() {
    let mut presence = Presence::new(7);
    presence.set(Some("{\"now\":1}".into()));
    let heard = presence.hear(&said(7, 40, "{\"before\":1}")).unwrap();
    let say = heard.say.unwrap();
    assert_eq!(awareness(&say, 1).unwrap()[0].clock, 41);
    assert_eq!(shown(&presence), []);
    // A number that cannot grow is not said for ever.
    presence.hear(&said(7, u32::MAX, "{}")).unwrap();
    assert!(presence.disconnect() || presence.people().is_empty());
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut presence = Presence::new(7);
    let long = format!("\"{}\"", "x".repeat(STATE_BYTES));
    assert!(!presence.hear(&said(1, 1, &long)).unwrap().changed);
    for client in 0..2 * CLIENTS as u64 {
        presence.hear(&said(100 + client, 1, "{}")).unwrap();
    }
    assert_eq!(presence.people().len(), CLIENTS);
    assert!(presence.disconnect());
    assert!(!presence.disconnect() && presence.people().is_empty());
}
