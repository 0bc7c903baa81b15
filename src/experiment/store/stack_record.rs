//! Stacks in the run record: their trials and their state.

use serde::{Deserialize, Serialize};

use crate::experiment::halving::decision::Rung;
use crate::experiment::plan::Plan;
use crate::experiment::run::grouping;
use crate::history::History;

/// Variants that share their data, and the stacks of their trials.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupRecord {
    /// SHA-256 over the data set's files.
    #[serde(rename = "data_sha256", alias = "data")]
    pub data: String,
    /// In training order.
    pub stacks: Vec<StackRecord>,
}

/// Returns the groups of these plans: the recorded ones, then those that have not started. A recorded group without
/// stacks is the next one that has not started.
pub fn groups_of<'a>(recorded: &[GroupRecord], plans: &'a [Plan]) -> Vec<Vec<&'a Plan>> {
    let is_in = |group: &GroupRecord, plan: &Plan| {
        group.stacks.iter().flat_map(|stack| &stack.trials).any(|trial| trial.variant == plan.variant)
    };
    let not_started = plans.iter().filter(|plan| !recorded.iter().any(|group| is_in(group, plan)));
    let mut not_started = grouping::groups(not_started).into_iter();
    let mut groups: Vec<Vec<&Plan>> = Vec::new();
    for group in recorded {
        let started: Vec<&Plan> = plans.iter().filter(|plan| is_in(group, plan)).collect();
        groups.extend(if started.is_empty() { not_started.next() } else { Some(started) });
    }
    groups.extend(not_started);
    groups
}

/// Trials that are trained in step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StackRecord {
    /// Its state.
    pub state: StackState,
    /// Why it failed, if it did.
    #[serde(default, rename = "error", alias = "fault", skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Its trials in order.
    pub trials: Vec<TrialName>,
    /// The rungs of halving at which it was decided which variants continue, once it is done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rungs: Vec<Rung>,
}

impl StackRecord {
    /// Returns a stack that is not trained yet.
    pub fn waiting(trials: Vec<TrialName>) -> StackRecord {
        StackRecord { state: StackState::Waiting, fault: None, trials, rungs: Vec::new() }
    }

    /// Returns the same stack, with no trial done.
    pub fn reset(&self) -> StackRecord {
        StackRecord::waiting(self.trials.clone())
    }
}

/// State of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StackState {
    /// Not finished; there may be a checkpoint.
    Waiting,
    /// Finished; all histories are written.
    Done,
    /// Training failed.
    Failed,
}

/// A trial of a run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TrialName {
    /// Its variant.
    pub variant: String,
    /// Its fold, with cross-validation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fold: Option<usize>,
    /// Its seed.
    pub seed: i64,
}

impl TrialName {
    /// Name of its files, without extension.
    pub fn stem(&self) -> String {
        History::stem_of(&self.variant, self.seed, self.fold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::plan::study::Study;
    use crate::experiment::spec::source_text::SourceText;

    /// Returns a group with one stack of these variants, or without a stack.
    fn group(variants: &[&str]) -> GroupRecord {
        let trial = |variant: &&str| TrialName { variant: (*variant).to_owned(), fold: None, seed: 0 };
        let trials: Vec<TrialName> = variants.iter().map(trial).collect();
        let stacks = if variants.is_empty() { Vec::new() } else { vec![StackRecord::waiting(trials)] };
        GroupRecord { data: String::new(), stacks }
    }

    #[test]
    fn recorded_groups_remain_although_their_variants_could_share_a_stack() {
        let text = "title = \"t\"\n[data.digits]\n[network]\nlayers = [{ dropout = 0.5 }, { linear = 10 }]\n[train]\n\
                    epochs = 1\nbatch = 8\nloss = \"cross_entropy\"\noptimizer = \"adam\"\n[[variants]]\nname = \"a\"\n\
                    [[variants]]\nname = \"longer\"\nset = { \"train.epochs\" = 2 }\n[[variants]]\nname = \"b\"\n\
                    [[variants]]\nname = \"c\"\n";
        let source = SourceText { name: "t".to_owned(), text: text.to_owned(), ..SourceText::default() };
        let study = Study::new(&source, &[]).unwrap();
        let groups = |recorded: &[&[&str]]| -> Vec<Vec<String>> {
            let recorded: Vec<GroupRecord> = recorded.iter().map(|variants| group(variants)).collect();
            let groups = groups_of(&recorded, &study.plans);
            groups.iter().map(|group| group.iter().map(|plan| plan.variant.clone()).collect()).collect()
        };
        assert_eq!(groups(&[]), [vec!["a", "b", "c"], vec!["longer"]]);
        assert_eq!(groups(&[&["a"]]), [vec!["a"], vec!["longer"], vec!["b", "c"]]);
        assert_eq!(groups(&[&["a"], &[], &["b"]]), [vec!["a"], vec!["longer"], vec!["b"], vec!["c"]]);
    }
}
