//! Configurations that are trained on the further seeds of a sweep, because they were trained to the end on its first seeds.

use std::collections::{HashMap, HashSet};

use crate::sweep::dir::ended::EndedStack;
use crate::sweep::record::{Configuration, SweepRecord};
use crate::sweep::results::configuration_result::Outcome;
use crate::sweep::results::ranking::Ranking;

/// Returns the names of the configurations that were trained to the end, and that no stack trains on the further seeds yet, in
/// the order of the sweep.
pub fn lacking<'a>(record: &'a SweepRecord, ended: &HashMap<String, EndedStack>) -> Vec<&'a str> {
    if record.further_seeds.is_empty() {
        return Vec::new();
    }
    let planned: HashSet<&str> =
        record.extensions.iter().flat_map(|extension| &extension.on_further_seeds).map(String::as_str).collect();
    let ranking = Ranking::new(record, ended, record.higher_is_better);
    let done = ranking.results.iter().filter(|result| result.outcome == Outcome::Done);
    let done: HashSet<&str> = done.map(|result| result.configuration.name.as_str()).collect();
    let name = |configuration: &'a Configuration| configuration.name.as_str();
    record.configurations.iter().map(name).filter(|name| done.contains(name) && !planned.contains(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Status;
    use crate::history::number::Number;
    use crate::sweep::dir::ended::EndedTrial;
    use crate::sweep::record::{Extension, StackPlan, record_for_tests};

    #[test]
    fn only_configurations_that_were_trained_to_the_end_lack_further_seeds_and_each_once() {
        let names = ["0000", "0001", "0002", "0003"];
        let mut record = record_for_tests(&names, &[0]);
        let stack = |name: &str, configurations: &[&str], seeds: Option<Vec<i64>>| StackPlan {
            name: name.to_owned(),
            configurations: configurations.iter().map(|name| (*name).to_owned()).collect(),
            seeds,
        };
        record.stacks = vec![stack("S000", &names, None)];
        let statuses = [Status::Completed, Status::Dropped, Status::Diverged, Status::EarlyStopped];
        let trial = |(name, status): (&&str, Status)| EndedTrial {
            configuration: (*name).to_owned(),
            seed: 0,
            fold: None,
            status,
            epochs: 5,
            value: Some(Number(0.5)),
        };
        let trials = names.iter().zip(statuses).map(trial).collect();
        let end = EndedStack { trials, ..EndedStack::new("S000", 1, "w", String::new()) };
        let ended = HashMap::from([("S000".to_owned(), end)]);
        assert_eq!(lacking(&record, &ended), [""; 0], "the sweep has no further seeds");
        record.further_seeds = vec![1, 2];
        assert_eq!(lacking(&record, &HashMap::new()), [""; 0]);
        assert_eq!(lacking(&record, &ended), ["0000", "0003"]);
        record.extend(Extension {
            on_further_seeds: vec!["0000".to_owned(), "0003".to_owned()],
            stacks: vec![stack("S001", &["0000", "0003"], Some(vec![1, 2]))],
            ..Extension::empty()
        });
        assert_eq!(lacking(&record, &ended), [""; 0]);
        assert_eq!(record.halving_rule("S001"), None);
    }
}
