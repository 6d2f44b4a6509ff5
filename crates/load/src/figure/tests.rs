use super::*;

#[test]
fn a_line_says_whether_its_target_is_met() {
    let figure = |target, ours, other| Figure {
        name: "x",
        ours,
        other,
        target,
        from: "2 rounds".to_owned(),
    };
    let met = |target, ours, other| figure(target, ours, other).is_met();
    assert!(met(Target::Ratio(0.5), 1.0, 2.0) && !met(Target::Ratio(0.5), 1.1, 2.0));
    assert!(met(Target::AtLeast(0.5), 1.0, 2.0) && !met(Target::AtLeast(0.5), 0.9, 2.0));
    assert!(met(Target::Most(16.0), 16.0, 0.0) && !met(Target::Most(16.0), 17.0, 345.0));
    assert!(!met(Target::Ratio(2.0), f64::NAN, 1.0));
    let table = table(&[
        figure(Target::Ratio(0.5), 1.0, 2.0),
        figure(Target::Most(0.0), 1.0, 2.0),
    ]);
    let lines: Vec<&str> = table.lines().map(str::trim).collect();
    assert!(
        lines[1].ends_with("1.00      2.00    0.50x  <= 0.50x  pass  2 rounds"),
        "{table}"
    );
    assert!(
        lines[2].ends_with("1.00      2.00        -      <= 0  FAIL  2 rounds"),
        "{table}"
    );
    assert_eq!(lines[3], "1 of 2 targets met");
}

#[test]
fn quantiles_are_values_that_were_there() {
    let values: Vec<f64> = (1..=101).map(f64::from).collect();
    assert_eq!((median(&values), quantile(&values, 0.99)), (51.0, 100.0));
    assert!(median(&[]).is_nan());
}
