//! Buckets empty and fill.

use super::*;

#[test]
fn a_bucket_empties_says_when_to_come_back_and_fills() {
    let buckets = Buckets::new(Rate::per_second(10));
    for number in 0..20 {
        assert_eq!(buckets.take("ada", 1, 1_000), Ok(()), "{number}");
    }
    assert_eq!(buckets.take("ada", 1, 1_000), Err(100));
    assert_eq!(buckets.take("ada", 20, 1_000), Err(2_000));
    assert_eq!(buckets.take("bob", 1, 1_000), Ok(()));
    assert_eq!(buckets.take("ada", 1, 1_100), Ok(()));
    assert_eq!(buckets.take("ada", 1, 1_100), Err(100));
    // A clock that goes back gives nothing.
    assert_eq!(buckets.take("ada", 1, 0), Err(100));
}

#[test]
fn a_bucket_holds_a_whole_batch_however_slowly_it_fills() {
    let buckets = Buckets::new(Rate::per_second(1).with_batches_of(256));
    assert_eq!(buckets.take("ada", 256, 0), Ok(()));
    assert_eq!(buckets.take("ada", 256, 0), Err(256_000));
    assert_eq!(buckets.take("ada", 256, 256_000), Ok(()));
}

#[test]
fn buckets_are_bounded_and_empty_ones_are_kept() {
    let buckets = Buckets::new(Rate::per_minute(2));
    buckets.take(0, 2, 0).unwrap();
    let others = u32::try_from(BUCKETS).unwrap();
    for key in 1..others {
        buckets.take(key, 0, 0).unwrap();
    }
    buckets.take(others, 1, 0).unwrap();
    assert!(buckets.buckets.lock().unwrap().len() < 10);
    assert!(
        buckets.take(0, 1, 0).is_err(),
        "who has used up his share is not forgotten"
    );
}

#[test]
fn an_ipv6_network_counts_as_one() {
    let check = |address: &str, expect: &str| {
        assert_eq!(network(address.parse().unwrap()), expect.parse::<IpAddr>().unwrap());
    };
    check("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::");
    check("::ffff:192.0.2.1", "192.0.2.1");
    check("192.0.2.1", "192.0.2.1");
}
