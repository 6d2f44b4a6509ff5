use super::*;

#[test]
fn figures_are_read_from_what_the_kernel_writes() {
    let stat = "42 (a) b) S 1 42 42 0 -1 4194560 1 2 3 4 250 50 7 8 20 0 4 0 1 2 3";
    assert_eq!(ticks(stat), Some(300));
    assert_eq!(ticks("42"), None);
    let status = "Name:\tx\nVmHWM:\t   20 kB\nVmRSS:\t    12 kB\n";
    assert_eq!(
        (kilobytes(status, "VmHWM:"), kilobytes(status, "VmRSS:")),
        (Some(20_480), Some(12_288))
    );
    assert_eq!(kilobytes(status, "Pss:"), None);
}
