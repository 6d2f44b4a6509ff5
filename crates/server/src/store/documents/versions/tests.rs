//! What stays of many versions.

use super::*;

const HOUR_MS: u64 = 3_600_000;

/// Keeps one an hour for so many hours, thinning out each time, and answers how many hours ago each was that is left.
fn left_after(hours: u64) -> Vec<u64> {
    let begin = 20_000 * DAY_MS;
    let mut times: Vec<u64> = Vec::new();
    for hour in 0..hours {
        times.insert(0, begin + hour * HOUR_MS);
        for place in surplus(&times).into_iter().rev() {
            times.remove(place);
        }
    }
    let now = begin + (hours - 1) * HOUR_MS;
    times.iter().map(|it| (now - it) / HOUR_MS).collect()
}

#[test]
fn the_newest_stay_whatever_their_day() {
    assert_eq!(left_after(1), [0]);
    assert_eq!(left_after(24), (0..24).collect::<Vec<_>>());
}

#[test]
fn of_older_ones_the_last_of_each_day_stays() {
    // Two whole days and one hour: the last hour of the first day is 25 hours ago.
    let mut expected: Vec<u64> = (0..24).collect();
    expected.push(25);
    assert_eq!(left_after(49), expected);
}

#[test]
fn of_a_year_thirty_days_are_left() {
    let left = left_after(365 * 24);
    assert_eq!(left.len(), HOURLY + DAILY - 1, "the newest is one of both");
    assert_eq!(left.last(), Some(&(29 * 24)));
}

#[test]
fn pauses_cost_nothing() {
    // One a month for three years.
    let times: Vec<u64> = (0..36).rev().map(|it| it * 30 * DAY_MS).collect();
    assert_eq!(surplus(&times), [30, 31, 32, 33, 34, 35]);
}
