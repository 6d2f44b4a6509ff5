//! Nobody speaks for others.

use serde_json::json;

use super::*;

fn user(name: &str) -> UserId {
    UserId(format!("id-{name}"))
}

fn say(presence: &mut Presence, socket: u64, name: &str, states: &[(u64, u32, &str)]) -> Vec<(u64, u32, Value)> {
    let user = user(name);
    let who = Speaker {
        socket,
        user: &user,
        name,
    };
    let states: Vec<_> = states
        .iter()
        .map(|(client, clock, state)| Awareness {
            client: *client,
            clock: *clock,
            state,
        })
        .collect();
    let payload = frame::put_awareness(states.into_iter());
    let clients = presence.say(who, &payload).unwrap();
    heard(super::payload(presence.states(&clients)))
}

fn left(presence: &mut Presence, socket: u64) -> Vec<(u64, u32, Value)> {
    let clients = presence.leave(socket);
    heard(super::payload(presence.states(&clients)))
}

fn elsewhere(presence: &mut Presence, said: &[u8], now_ms: u64) -> Vec<(u64, u32, Value)> {
    let clients = presence.elsewhere(said, now_ms);
    heard(super::payload(presence.states(&clients)))
}

fn heard(payload: Option<Bytes>) -> Vec<(u64, u32, Value)> {
    payload.map_or_else(Vec::new, |it| {
        frame::awareness(&it, 100)
            .unwrap()
            .into_iter()
            .map(|it| (it.client, it.clock, serde_json::from_str(it.state).unwrap()))
            .collect()
    })
}

#[test]
fn the_server_says_who_somebody_is() {
    let mut presence = Presence::default();
    let state = r#"{"user":{"name":"Root","id":"id-root","color":"red"},"cursor":4}"#;
    let expected = json!({"user": {"name": "ada", "id": "id-ada", "color": "red"}, "cursor": 4});
    assert_eq!(say(&mut presence, 1, "ada", &[(7, 1, state)]), [(7, 1, expected)]);
    let bare = json!({"state": 5, "user": {"name": "ada", "id": "id-ada"}});
    assert_eq!(say(&mut presence, 1, "ada", &[(7, 2, "5")]), [(7, 2, bare)]);
}

#[test]
fn checklist_11_a_socket_speaks_only_for_the_clients_it_brought() {
    let mut presence = Presence::default();
    say(&mut presence, 1, "ada", &[(7, 1, "{}")]);
    assert_eq!(say(&mut presence, 2, "bob", &[(7, 9, "{}")]), []);
    assert_eq!(say(&mut presence, 2, "bob", &[(7, 9, "null")]), []);
    // An echo of somebody who has gone does not bring them back.
    assert_eq!(left(&mut presence, 1), [(7, 1, Value::Null)]);
    assert_eq!(say(&mut presence, 2, "bob", &[(7, 1, "{}")]), []);
    assert_eq!(heard(presence.everybody(0)), []);
    // Nor does another node.
    say(&mut presence, 1, "ada", &[(7, 2, "{}")]);
    let forged = frame::put_awareness(std::iter::once(Awareness {
        client: 7,
        clock: 50,
        state: "null",
    }));
    assert_eq!(elsewhere(&mut presence, &forged, 0), []);
}

#[test]
fn checklist_11_a_socket_has_four_clients_at_most() {
    let mut presence = Presence::default();
    let many: Vec<_> = (1..=9).map(|it| (it, 1, "{}")).collect();
    let clients: Vec<u64> = say(&mut presence, 1, "ada", &many).into_iter().map(|it| it.0).collect();
    assert_eq!(clients, [1, 2, 3, 4]);
    assert_eq!(say(&mut presence, 2, "bob", &[(9, 1, "{}")]).len(), 1);
}

#[test]
fn checklist_11_a_state_is_16_kib_at_most() {
    let mut presence = Presence::default();
    let who = user("ada");
    let speaker = Speaker {
        socket: 1,
        user: &who,
        name: "ada",
    };
    for (length, expected) in [(STATE_BYTES - 2, true), (STATE_BYTES, false)] {
        let state = format!("\"{}\"", "x".repeat(length));
        let payload = frame::put_awareness(std::iter::once(Awareness {
            client: length as u64,
            clock: 1,
            state: &state,
        }));
        assert_eq!(presence.say(speaker, &payload).is_ok(), expected, "{length}");
    }
    assert_eq!(presence.say(speaker, b"\x01\x01"), Err(PresenceError::Invalid));
}

#[test]
fn somebody_comes_back_on_a_new_socket() {
    let mut presence = Presence::default();
    say(&mut presence, 1, "ada", &[(7, 1, "{}")]);
    assert_eq!(say(&mut presence, 2, "ada", &[(7, 2, "{}")]).len(), 1);
    assert_eq!(left(&mut presence, 1), [], "the old socket no longer has the client");
    assert_eq!(heard(presence.everybody(0)).len(), 1);
}

#[test]
fn who_is_at_another_node_is_shown_until_that_is_silent() {
    let mut presence = Presence::default();
    let said = frame::put_awareness(std::iter::once(Awareness {
        client: 7,
        clock: 1,
        state: "{}",
    }));
    assert_eq!(elsewhere(&mut presence, &said, 1_000).len(), 1);
    assert_eq!(elsewhere(&mut presence, &said, 1_000), [], "nothing new");
    assert_eq!(heard(presence.everybody(1_000 + ELSEWHERE_MS)).len(), 1);
    assert_eq!(heard(presence.everybody(1_001 + ELSEWHERE_MS)), []);
}
