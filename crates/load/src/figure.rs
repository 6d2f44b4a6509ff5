//! What comes out: one line a measure, with what it is compared with, the ratio, its target and whether that is met.

/// What a figure should be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Target {
    /// At most so many parts of the other's.
    Ratio(f64),
    /// At least so many parts of the other's.
    AtLeast(f64),
    /// At most this, whatever the other's is.
    Most(f64),
}

/// One line.
#[derive(Debug)]
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) ours: f64,
    pub(crate) other: f64,
    pub(crate) target: Target,
    /// What it was made from.
    pub(crate) from: String,
}

impl Figure {
    fn ratio(&self) -> f64 {
        self.ours / self.other
    }

    /// Whether the target is met. What could not be measured is not.
    fn is_met(&self) -> bool {
        match self.target {
            Target::Ratio(most) => self.ratio() <= most,
            Target::AtLeast(least) => self.ratio() >= least,
            Target::Most(most) => self.ours <= most,
        }
    }

    fn line(&self) -> String {
        let target = match self.target {
            Target::Ratio(most) => format!("<= {most:.2}x"),
            Target::AtLeast(least) => format!(">= {least:.2}x"),
            Target::Most(most) => format!("<= {most:.0}"),
        };
        let ratio = match self.target {
            Target::Most(_) => "-".to_owned(),
            Target::Ratio(_) | Target::AtLeast(_) => format!("{:.2}x", self.ratio()),
        };
        let word = if self.is_met() { "pass" } else { "FAIL" };
        let line = format!(
            "{:<52}{:>10}{:>10}{ratio:>9}{target:>10}  {word}  {}",
            self.name,
            short(self.ours),
            short(self.other),
            self.from
        );
        line.trim_end().to_owned()
    }
}

/// As a person reads it.
pub(crate) fn table(figures: &[Figure]) -> String {
    let mut text = format!(
        "{:<52}{:>10}{:>10}{:>9}{:>10}\n",
        "", "zspark", "other", "ratio", "target"
    );
    for figure in figures {
        text += &figure.line();
        text.push('\n');
    }
    let met = figures.iter().filter(|it| it.is_met()).count();
    text + &format!("{met} of {} targets met\n", figures.len())
}

/// Three digits that count.
fn short(value: f64) -> String {
    let digits = match value.abs() {
        it if it >= 100.0 || it == 0.0 => 0,
        it if it >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.digits$}")
}

/// The one in the middle.
pub(crate) fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// The value that this part of them is not above.
pub(crate) fn quantile(values: &[f64], part: f64) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    values
        .get((last as f64 * part).round() as usize)
        .copied()
        .unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests;
