//! The section "Pass rates" of `docs/RESULTS.md`: of how many seeds every expectation is met.
//!
//! The experiments take long with many seeds, so the section is kept when the rest of the page is written, and only the
//! rows of the experiments that were run are replaced.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::results::expected::{named, named_within, title};
use crate::results::markdown::{Table, mark};
use crate::results::{Experiment, seeds};

const BEGIN: &str = "<!-- Pass rates: `cargo xtask lessons --seeds 100..119` writes this section. -->";
const END: &str = "<!-- End of the pass rates. -->";

const INTRODUCTION: &str = "\
Of how many seeds that the experiments were not designed with is every expectation met? An experiment that states several \
seeds makes claims over several: it is run in groups of as many seeds, and a claim that a group misses counts for each of \
its seeds.";

/// Of how many seeds every expectation is met.
pub struct PassRate {
    name: String,
    seeds: Vec<i64>,
    /// How many seeds a run has; 1 where each seed counts by itself.
    group: usize,
    /// The figure and what is expected of it, with the seeds that miss it.
    missed: Vec<(String, Vec<i64>)>,
    failing: Vec<i64>,
}

impl PassRate {
    /// The pass rate of an experiment's runs; `group` is how many seeds claims are made over.
    pub fn of(experiment: &Experiment, group: usize) -> PassRate {
        let seeds: Vec<i64> = experiment.runs.iter().flat_map(|run| run.seeds.iter().copied()).collect();
        let mut missed: Vec<(String, Vec<i64>)> = Vec::new();
        let mut miss = |what: String, seed: i64| {
            let place = missed.iter().position(|(known, _)| *known == what).unwrap_or_else(|| {
                missed.push((what, Vec::new()));
                missed.len() - 1
            });
            if !missed[place].1.contains(&seed) {
                missed[place].1.push(seed);
            }
        };
        let mut verified: BTreeMap<i64, usize> = BTreeMap::new();
        for history in experiment.runs.iter().flat_map(|run| &run.histories) {
            let seed = history["seed"].as_i64().unwrap_or_default();
            let variant = experiment.variant(history);
            for expectation in history["expectations"].as_array().into_iter().flatten() {
                *verified.entry(seed).or_default() += 1;
                if expectation["met"] != Value::Bool(true) {
                    let (name, expected) = title(variant, expectation).unwrap_or_default();
                    miss(format!("{} {}", named(&name), named_within(&expected)), seed);
                }
            }
        }
        for seed in seeds.iter().filter(|seed| !verified.contains_key(seed)) {
            miss("no expectation concerns the seed".to_owned(), *seed);
        }
        let fails = |seed: &&i64| missed.iter().any(|(_, seeds)| seeds.contains(seed));
        let failing = seeds.iter().filter(fails).copied().collect();
        PassRate { name: experiment.name.clone(), seeds, group, missed, failing }
    }

    /// Whether every seed meets every expectation.
    pub fn is_full(&self) -> bool {
        self.failing.is_empty()
    }

    /// `19 of 20 seeds pass`.
    pub fn in_words(&self) -> String {
        format!("{} of {} seeds pass", self.seeds.len() - self.failing.len(), self.seeds.len())
    }

    /// `` `last.acc` ≥ 0.9: 103 and 107 ``, one for each expectation that some seed misses.
    pub fn misses(&self) -> impl Iterator<Item = String> {
        self.missed.iter().map(|(what, of)| format!("{what}: {}", seeds(of)))
    }

    fn row(&self) -> String {
        let group = if self.group == 1 { String::new() } else { format!(", in groups of {}", self.group) };
        let passing = self.seeds.len() - self.failing.len();
        let mut table = Table::new([], 0..0);
        table.row([
            format!("[`{0}`](#{0})", self.name),
            format!("{}{group}", seeds(&self.seeds)),
            format!("{} {passing} of {}", mark(self.is_full()), self.seeds.len()),
            self.misses().collect::<Vec<_>>().join("; "),
        ]);
        table.text().lines().last().unwrap_or_default().to_owned()
    }
}

/// The rows of the section, by the name of the experiment.
pub struct Section(BTreeMap<String, String>);

impl Section {
    /// The section of a page; empty where it has none.
    pub fn of(page: &str) -> Section {
        let rows = within(page).map(|range| &page[range]).unwrap_or_default().lines();
        let name = |row: &str| Some(row.strip_prefix("| [`")?.split_once('`')?.0.to_owned());
        Section(rows.filter_map(|row| Some((name(row)?, row.to_owned()))).collect())
    }

    /// Puts a pass rate in the place of the experiment's earlier one.
    pub fn set(&mut self, rate: &PassRate) {
        self.0.insert(rate.name.clone(), rate.row());
    }

    /// The page with this section before its first chapter, in the place of the one that it has; the rows follow the
    /// order of these names, and others are left out.
    pub fn put_into(&self, page: &str, names: &[&str]) -> String {
        let mut page = page.to_owned();
        if let Some(old) = within(&page) {
            page.replace_range(old, "");
        }
        let rows: Vec<&String> = names.iter().filter_map(|name| self.0.get(*name)).collect();
        if rows.is_empty() {
            return page;
        }
        let header = Table::new(["experiment", "seeds", "pass", "missed"].map(str::to_owned), 0..0).text();
        let rows: String = rows.into_iter().map(|row| format!("{row}\n")).collect();
        let section = format!("{BEGIN}\n\n## Pass rates\n\n{INTRODUCTION}\n\n{header}{rows}\n{END}\n\n");
        let place = page.find("\n## ").map_or(page.len(), |place| place + 1);
        page.insert_str(place, &section);
        page
    }
}

/// Where the section is in a page, from its first comment to the blank line behind its last.
fn within(page: &str) -> Option<std::ops::Range<usize>> {
    let start = page.find(BEGIN)?;
    let end = start + page[start..].find(END)? + END.len();
    let blank = page[end..].len() - page[end..].trim_start_matches('\n').len();
    Some(start..end + blank)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::{history, of_seed};
    use crate::results::{Run, page};
    use serde_json::json;

    fn trial(variant: &str, seed: i64, loss: f64) -> Value {
        let mut trial = history(variant, loss);
        trial["seed"] = seed.into();
        trial
    }

    fn experiment(name: &str, runs: Vec<Run>) -> Experiment {
        Experiment { name: name.to_owned(), runs }
    }

    /// One run of three seeds, of which the second misses what is expected of variant `b`.
    fn stack() -> Experiment {
        let of = |seed| [trial("a", seed, 0.25), trial("b", seed, if seed == 8 { 0.75 } else { 0.25 })];
        experiment("xor", vec![Run { seeds: vec![7, 8, 9], histories: [7, 8, 9].into_iter().flat_map(of).collect() }])
    }

    #[test]
    fn a_seed_passes_that_meets_all_expectations_with_every_variant() {
        let rate = PassRate::of(&stack(), 1);
        assert!(!rate.is_full());
        assert_eq!(rate.in_words(), "2 of 3 seeds pass");
        assert_eq!(rate.misses().collect::<Vec<_>>(), ["`b/last.loss` ≤ 0.5: 8"]);
        assert_eq!(rate.row(), "| [`xor`](#xor) | 7 to 9 | ✗ 2 of 3 | `b/last.loss` ≤ 0.5: 8 |");
        let full = PassRate::of(&experiment("xor", vec![of_seed(3, vec![trial("base", 3, 0.25)])]), 1);
        assert!(full.is_full());
        assert_eq!(full.row(), "| [`xor`](#xor) | 3 | ✓ 1 of 1 | |");
    }

    #[test]
    fn a_claim_over_a_group_counts_for_each_of_its_seeds() {
        let group = |seeds: [i64; 2], loss: f64| {
            let of = |seed: &i64| {
                let mut trial = trial("base", *seed, loss);
                trial["expectations"][0]["over"] = "mean".into();
                trial
            };
            Run { seeds: seeds.to_vec(), histories: seeds.iter().map(of).collect() }
        };
        let rate = PassRate::of(&experiment("xor", vec![group([1, 2], 0.25), group([3, 4], 0.75)]), 2);
        let row = "| [`xor`](#xor) | 1 to 4, in groups of 2 | ✗ 2 of 4 | mean of `last.loss` ≤ 0.5: 3 and 4 |";
        assert_eq!(rate.row(), row);
    }

    #[test]
    fn a_seed_that_no_expectation_concerns_does_not_pass() {
        let mut silent = trial("base", 3, 0.25);
        silent["expectations"] = json!([]);
        let rate = PassRate::of(&experiment("xor", vec![of_seed(3, vec![silent])]), 1);
        assert_eq!(rate.row(), "| [`xor`](#xor) | 3 | ✗ 0 of 1 | no expectation concerns the seed: 3 |");
    }

    #[test]
    fn the_section_is_replaced_row_by_row_and_the_page_beside_it_stays() {
        let page = page(&[stack(), experiment("or", vec![of_seed(0, vec![trial("base", 0, 0.25)])])]);
        let names = ["xor", "or"];
        assert_eq!(Section::of(&page).put_into(&page, &names), page, "without pass rates there is no section");
        let mut section = Section::of(&page);
        section.set(&PassRate::of(&experiment("or", vec![of_seed(5, vec![trial("base", 5, 0.75)])]), 1));
        let with_one = section.put_into(&page, &names);
        let mut section = Section::of(&with_one);
        section.set(&PassRate::of(&stack(), 1));
        let with_both = section.put_into(&with_one, &names);
        let xor = "| [`xor`](#xor) | 7 to 9 | ✗ 2 of 3 | `b/last.loss` ≤ 0.5: 8 |";
        let or = "| [`or`](#or) | 5 | ✗ 0 of 1 | `last.loss` ≤ 0.5: 5 |";
        assert!(with_both.contains(&format!("\n{xor}\n{or}\n")), "{with_both}");
        assert!(with_both.find("\n## Pass rates\n").unwrap() < with_both.find("\n## A. Perceptrons\n").unwrap());
        assert_eq!(Section(BTreeMap::new()).put_into(&with_both, &names), page);
        // the same section in a page that was written again
        assert_eq!(Section::of(&with_both).put_into(&page, &names), with_both);
        assert_eq!(
            Section::of(&with_both).put_into(&page, &["or"]),
            with_one,
            "an experiment that is gone is left out"
        );
    }
}
