use super::*;

#[test]
fn the_script_speaks_and_the_table_says_it() {
    let printed = r#"something the harness said
{"idle":0.25,"opening":{"small":{"ms":100,"mebibytes":400},"large":{"ms":110,"mebibytes":410}},"typing":{"quiet":{"median":9,"worstOfTwenty":16,"waited":1},"streaming":{"median":12,"worstOfTwenty":30,"waited":2},"deltas":199.6}}
"#;
    let head = format!("{:44}    zspark   target\n", "");
    let rows = "\
the .deb, MB                                     12.50     25.0
idle, % of a core, WebKit included                0.25      1.0
opening 10,000 items to 100, time                 1.10      1.5   110 ms to 100 ms
opening 10,000 items to 100, peak memory          1.02      1.5   410 MiB to 400 MiB
key to frame at 200 deltas a second, ms          12.00     33.3   1 of 20 above 30 ms; 9 ms without a stream; 200 deltas a second seen
";
    assert_eq!(table(&figures(12_500_000, printed).unwrap()), head + rows);
    assert!(figures(1, "").unwrap_err().to_string().contains("no figures"));
}
