use super::*;

fn state(position: u64, chunks: &[(u64, u64)]) -> State {
    let mut state = State {
        position: 0,
        head: 0,
        ring: VecDeque::new(),
        ears: Vec::new(),
        private_to: None,
    };
    for (first, last) in chunks {
        state.push(chunk(*first, *last, 10));
    }
    state.position = position;
    state
}

fn chunk(first: u64, last: u64, bytes: usize) -> Chunk {
    Chunk {
        first,
        last,
        frame: "x".repeat(bytes).into(),
        private_to: None,
    }
}

fn check(state: &State, after: u64, expected: &str) {
    let next = match state.next(after) {
        Next::Nothing => "nothing".to_owned(),
        Next::Chunk(it) => format!("{} to {}", it.first, it.last),
        Next::Page(most) => format!("page of {most}"),
    };
    assert_eq!(next, expected, "after {after}");
}

#[test]
fn a_reader_gets_chunks_from_the_ring_and_pages_up_to_it() {
    let state = state(30, &[(11, 20), (21, 30)]);
    check(&state, 30, "nothing");
    check(&state, 31, "nothing");
    check(&state, 20, "21 to 30");
    check(&state, 10, "11 to 20");
    check(&state, 15, "page of 5");
    check(&state, 29, "page of 1");
    check(&state, 0, "page of 10");
    let empty = self::state(1000, &[]);
    check(&empty, 0, "page of 256");
    check(&empty, 990, "page of 10");
}

#[test]
fn the_ring_is_bounded_by_events_and_by_bytes() {
    let mut state = state(0, &[]);
    for number in 0..10 {
        state.push(chunk(number * 100 + 1, (number + 1) * 100, 10));
    }
    assert_eq!(
        (state.ring.len(), state.ring.front().map(|it| it.first)),
        (5, Some(501))
    );
    state.push(chunk(1001, 1001, 2 * 1024 * 1024));
    assert_eq!(
        state.ring.len(),
        1,
        "a chunk that is larger than the ring is its only one"
    );
    check(&state, 1000, "1001 to 1001");
    check(&state, 500, "page of 256");
}
