//! Ranges.

use proptest::prelude::*;

use super::*;

#[test]
fn a_range_is_what_the_standard_says() {
    for (header, expected) in [
        ("bytes=0-0", Asked::Part(0..1)),
        ("bytes=2-", Asked::Part(2..10)),
        ("bytes=-3", Asked::Part(7..10)),
        ("bytes=-30", Asked::Part(0..10)),
        ("bytes=5-500", Asked::Part(5..10)),
        ("bytes=0-18446744073709551615", Asked::Part(0..10)),
        ("lines=1-2", Asked::Whole),
        ("bytes=10-", Asked::Nothing),
        ("bytes=-0", Asked::Nothing),
        ("bytes=3-2", Asked::Nothing),
        ("bytes=0-1,0-1,0-1", Asked::Nothing),
        ("bytes=+1-2", Asked::Nothing),
        ("bytes=0-18446744073709551616", Asked::Nothing),
        ("bytes=", Asked::Nothing),
        ("bytes=-", Asked::Nothing),
    ] {
        assert_eq!(asked(Some(header), 10), expected, "{header}");
    }
    assert_eq!(asked(None, 10), Asked::Whole);
    assert_eq!(asked(Some("bytes=0-"), 0), Asked::Nothing);
}

proptest! {
    #[test]
    fn whatever_is_asked_the_part_is_within_the_file(header in "(bytes=)?[0-9,+ -]{0,44}", size in 0u64..) {
        if let Asked::Part(part) = asked(Some(&header), size) {
            prop_assert!(part.start < part.end && part.end <= size);
        }
    }
}
