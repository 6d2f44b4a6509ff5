//! `zspark doctor`: findings as people read them.

use std::fmt::Write as _;

use protocol::request::{Finding, FindingState};

use crate::exec::plain;

/// One line a finding, with its hint below.
pub(crate) fn report(findings: &[Finding]) -> String {
    let width = findings.iter().map(|it| it.name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for finding in findings {
        let mark = match finding.state {
            FindingState::Ok => "ok",
            FindingState::Warning => "!!",
            FindingState::Broken => "XX",
        };
        let _ = writeln!(text, "{mark}  {:width$}  {}", finding.name, plain(&finding.message));
        if let Some(hint) = &finding.hint {
            let _ = writeln!(text, "    {:width$}  -> {}", "", plain(hint));
        }
    }
    text
}

/// Whether something does not work at all.
pub(crate) fn broken(findings: &[Finding]) -> bool {
    findings.iter().any(|it| it.state == FindingState::Broken)
}

#[cfg(test)]
mod tests;
