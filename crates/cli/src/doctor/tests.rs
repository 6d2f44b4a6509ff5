use super::*;

fn finding(name: &str, state: FindingState, hint: Option<&str>) -> Finding {
    Finding {
        name: name.into(),
        state,
        message: format!("{name} was looked at."),
        hint: hint.map(Into::into),
    }
}

#[test]
fn findings_are_aligned_and_have_their_hints() {
    let findings = [
        finding("sandbox", FindingState::Ok, None),
        finding("git", FindingState::Warning, Some("Install git.")),
    ];
    assert_eq!(
        report(&findings),
        "ok  sandbox  sandbox was looked at.\n!!  git      git was looked at.\n             -> Install git.\n"
    );
    assert!(!broken(&findings));
    assert!(broken(&[finding("home", FindingState::Broken, None)]));
}
