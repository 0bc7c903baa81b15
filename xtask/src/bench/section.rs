//! A section of the page: what was measured, what is claimed of it, and whether the programs did the same.

use crate::bench::agree::Check;
use crate::bench::figures::{Wanted, times};
use crate::bench::rounds::{Series, ratio};
use crate::bench::table::Table;

/// One section.
#[derive(Debug, Default)]
pub struct Section {
    pub title: String,
    /// Paragraphs and tables, as Markdown.
    pub text: String,
    pub claims: Vec<Claim>,
    pub checks: Vec<Check>,
    /// What was to be measured and could not be, and why.
    pub missing: Vec<String>,
}

/// A figure of which something is wanted, mostly a ratio.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    pub what: String,
    pub figure: f64,
    pub shown: String,
    pub wanted: Wanted,
}

impl Section {
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    pub fn paragraph(&mut self, text: &str) {
        self.text += &format!("{}\n\n", text.trim());
    }

    pub fn table(&mut self, table: &Table) {
        self.text += &format!("{}\n", table.text());
    }

    /// Notes a ratio, and gives the cells of a table: the ratio, and what is wanted of it.
    pub fn claim(&mut self, what: impl Into<String>, ratio: Option<f64>, wanted: Option<Wanted>) -> [String; 2] {
        let (Some(ratio), Some(wanted)) = (ratio, wanted) else {
            return [ratio.map_or_else(String::new, times), String::new()];
        };
        self.claims.push(Claim { what: what.into(), figure: ratio, shown: times(ratio), wanted });
        [times(ratio), wanted.shown(ratio)]
    }

    /// Memory, of which ours is not to be the larger; the cells of a table: MB, and how many times as much as ours.
    pub fn memory(&mut self, of: &str, ours: &Series, series: &Series) -> [String; 2] {
        let Some(peak) = series.peak_mb() else { return [String::new(), String::new()] };
        if ours.name == series.name {
            return [peak.shown(0), String::new()];
        }
        let ratio = ratio(ours.peak_mb(), Some(peak));
        let what = format!("{}: peak memory of {of}", series.name);
        let [times, _] = self.claim(what, ratio, Some(Wanted::AtLeast(1.0)));
        [peak.shown(0), times]
    }

    /// Who is missing, and why.
    pub fn note_missing(&mut self, all: &[Series]) {
        let missing = all.iter().filter_map(|series| Some((&series.name, series.missing.as_ref()?)));
        self.missing.extend(missing.map(|(name, why)| format!("{name}: {why}")));
    }

    /// The whole section.
    pub fn markdown(&self) -> String {
        let mut text = format!("## {}\n\n{}", self.title, self.text);
        for why in &self.missing {
            text += &format!("Missing is {}.\n\n", why.trim_end_matches('.'));
        }
        if !self.checks.is_empty() {
            text += "The same work:\n\n";
            for check in &self.checks {
                text += &format!("- {}: {}\n", if check.good { "agreed" } else { "**not agreed**" }, check.what);
            }
            text += "\n";
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::measure::Run;
    use crate::bench::rounds::Sample;
    use serde_json::Value;

    fn series(name: &str, peak_mb: f64, missing: Option<&str>) -> Series {
        let sample = Sample { run: Run { peak_mb, ..Run::default() }, told: Value::Null };
        Series { name: name.to_owned(), samples: vec![sample], missing: missing.map(str::to_owned) }
    }

    #[test]
    fn a_missed_ratio_a_missing_peer_and_other_work_are_seen() {
        let mut section = Section::new("Epoch");
        let cells = section.claim("epoch against Keras", Some(4.0), Some(Wanted::Aim(5.0, 8.0)));
        assert_eq!(cells, ["4.00×", "≥ 5 **no**, goal ≥ 8 **no**"]);
        assert_eq!(section.claim("no wish", Some(1.5), None), ["1.50×", ""]);
        assert_eq!(section.claim("nobody", None, Some(Wanted::AtLeast(2.0))), ["", ""]);
        let all = [series("ours", 300.0, None), series("Keras", 0.0, Some("no network"))];
        section.note_missing(&all);
        section.checks.push(Check::new("their loss is 0.9", false));
        let text = section.markdown();
        assert!(
            text.contains("Missing is Keras: no network.") && text.contains("**not agreed**: their loss"),
            "{text}"
        );
        assert_eq!(section.claims.len(), 1);
    }

    #[test]
    fn memory_is_claimed_not_to_be_larger() {
        let mut section = Section::new("Memory");
        let ours = series("ours", 300.0, None);
        assert_eq!(section.memory("x", &ours, &ours), ["300", ""]);
        assert_eq!(section.memory("x", &ours, &series("theirs", 150.0, None)), ["150", "0.50×"]);
        assert_eq!(section.memory("x", &ours, &series("gone", 0.0, Some("why"))), ["", ""]);
        assert!(section.claims.len() == 1 && !section.claims[0].wanted.is_met(section.claims[0].figure));
    }
}
