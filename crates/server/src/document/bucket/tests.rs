//! Waiting, then an end.

use super::*;

#[test]
fn a_burst_goes_through_and_then_the_rate_holds() {
    let start = Instant::now();
    let mut bucket = Bucket::new(10, start);
    for _ in 0..20 {
        assert_eq!(bucket.take(1, start), Pace::Go);
    }
    assert_eq!(bucket.take(1, start), Pace::Wait(Duration::from_millis(100)));
    assert_eq!(bucket.take(1, start + Duration::from_millis(200)), Pace::Go);
    assert_eq!(bucket.take(0, start + Duration::from_secs(10)), Pace::Go);
    assert_eq!(bucket.take(20, start + Duration::from_secs(10)), Pace::Go);
}

#[test]
fn who_never_pauses_is_stopped() {
    let start = Instant::now();
    let mut bucket = Bucket::new(10, start);
    let mut now = start;
    let mut sent = 0;
    while now < start + Duration::from_secs(300) {
        match bucket.take(1, now) {
            Pace::Go => {}
            Pace::Wait(wait) => now += wait,
            Pace::Stop => {
                assert!(now > start + PATIENCE, "stopped after {:?}", now - start);
                assert!(sent <= 20 + 62 * 10, "{sent} went through");
                return;
            }
        }
        sent += 1;
    }
    panic!("nobody stopped it");
}

#[test]
fn who_pauses_goes_on_for_ever() {
    let start = Instant::now();
    let mut bucket = Bucket::new(10, start);
    for second in 0..600 {
        let now = start + Duration::from_secs(second);
        for _ in 0..10 {
            assert_ne!(bucket.take(1, now), Pace::Stop, "in second {second}");
        }
    }
}
