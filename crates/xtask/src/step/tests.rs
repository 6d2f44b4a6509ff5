use super::*;

#[test]
fn closing_lines_of_all_runners_are_read() {
    let check = |line: &str, passed: u64, failed: u64| {
        assert_eq!(read_counts(line), Counts { passed, failed }, "{line}");
    };
    check(
        "test result: ok. 22 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        22,
        0,
    );
    check(
        "test result: FAILED. 18 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out",
        18,
        1,
    );
    check("      Tests  2 failed | 10 passed (12)", 10, 2);
    check(
        "\u{1b}[2m      Tests \u{1b}[22m \u{1b}[1m\u{1b}[32m7 passed\u{1b}[39m\u{1b}[22m\u{1b}[90m (7)\u{1b}[39m",
        7,
        0,
    );
    check("ℹ pass 9", 9, 0);
    check("# fail 3", 0, 3);
    check("31 passed, 2 failed", 31, 2);
    check("test a_thing_that_passed ... ok", 0, 0);
    check("it said that 3 passed and 1 failed", 0, 0);
}

#[cfg(unix)]
#[test]
fn a_step_that_hangs_is_ended_with_all_it_started_and_has_failed() {
    // The grandchild keeps the pipe open: unless it ends too, reading never does.
    let mut command = Command::new("sh");
    command.args(["-c", "(sleep 1000; true) & sleep 1000; true"]);
    let outcome = counted(&mut command, Duration::from_millis(300)).unwrap();
    assert_eq!(outcome.counts, Counts { passed: 0, failed: 1 });
    assert!(!outcome.ok);
}
