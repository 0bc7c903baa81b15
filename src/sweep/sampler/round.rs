//! Chooses the configurations of a round from the results of all earlier ones.

use std::collections::HashSet;

use rand_mt::Mt64;
use serde_json::Value;

use crate::config::values::is_same;
use crate::sweep::sampler::choose::{drawn, identity};
use crate::sweep::sampler::gp::propose::Fitted;
use crate::sweep::sampler::observation::{Observation, Score};
use crate::sweep::sampler::parameter::{Parameter, Range};
use crate::sweep::sampler::tpe;
use crate::sweep::space::configurations::{Set, Space};
use crate::sweep::space::domain::Domain;
use crate::sweep::space::entry::{Entry, Values};
use crate::sweep::space::origin::SpaceFault;
use crate::sweep::spec::Method;

/// Number of proposals in a row that may be configurations of the sweep already. After them, the next configuration of the Sobol
/// sequence is taken.
const REPEATED: usize = 20;

/// Chooses the configurations of a round, one after the other. They depend on the seed of the search, the number of the round's
/// first configuration, and the observations only.
pub struct Round<'a> {
    space: &'a Space,
    method: Method,
    seed: u32,
    first: usize,
    /// Number of proposals so far.
    proposals: u64,
    parameters: Vec<Parameter>,
    observations: Vec<Observation>,
    /// Chosen configurations, whose results are not known.
    pending: Vec<Vec<Option<f64>>>,
    /// The Gaussian process of the observations, once it is needed.
    fitted: Option<Fitted>,
    /// All configurations that are not to be chosen again.
    known: Vec<Set>,
    identities: HashSet<String>,
}

impl<'a> Round<'a> {
    /// Starts the round whose first configuration has this number. `trained` are all earlier configurations in their order,
    /// each with its score and the standard error of its value, or 0.
    pub fn new(
        space: &'a Space,
        method: Method,
        seed: u32,
        first: usize,
        trained: Vec<(Set, Score, f64)>,
    ) -> Round<'a> {
        let parameters = space.axis_entries().map(parameter).collect();
        let mut round = Round {
            space,
            method,
            seed,
            first,
            proposals: 0,
            parameters,
            observations: Vec::new(),
            pending: Vec::new(),
            fitted: None,
            known: Vec::new(),
            identities: HashSet::new(),
        };
        for (set, score, error) in trained {
            round.observations.push(Observation { values: round.numbers(&set), score, error });
            round.exclude(set);
        }
        round
    }

    /// Returns the next configuration; `None` if the space has no other one.
    ///
    /// # Errors
    /// If a copied value cannot be calculated.
    pub fn choose_next(&mut self) -> Result<Option<Set>, SpaceFault> {
        for _ in 0..REPEATED {
            let key = [u64::from(self.seed), self.first as u64, self.proposals];
            self.proposals += 1;
            let mut generator = Mt64::new_with_key(key);
            let (parameters, pending) = (&self.parameters, &self.pending);
            let numbers = if self.method == Method::Gp {
                let fitted = self.fitted.get_or_insert_with(|| Fitted::new(parameters, &self.observations));
                fitted.propose(parameters, pending, &mut generator)
            } else {
                tpe::propose::propose(parameters, &self.observations, pending, &mut generator)
            };
            let set = self.space.with_values(&|axis, entry| values(entry, numbers[axis]))?;
            if !self.identities.contains(&identity(&set)) {
                return Ok(Some(set));
            }
        }
        Ok(drawn(self.space, Method::Sobol, 1, self.seed, &self.known)?.pop())
    }

    /// Adds a configuration to the round.
    pub fn add(&mut self, set: Set) {
        self.pending.push(self.numbers(&set));
        self.exclude(set);
    }

    /// Records that a configuration cannot be trained.
    pub fn fail(&mut self, set: Set) {
        self.observations.push(Observation { values: self.numbers(&set), score: Score::Failed, error: 0.0 });
        self.fitted = None;
        self.exclude(set);
    }

    /// Never proposes a configuration.
    pub fn exclude(&mut self, set: Set) {
        if self.identities.insert(identity(&set)) {
            self.known.push(set);
        }
    }

    /// Returns the number of each parameter in a configuration; `None` for one that it does not have.
    fn numbers(&self, set: &Set) -> Vec<Option<f64>> {
        let found = self.space.values_in(set);
        self.space.axis_entries().zip(found).map(|(entry, found)| number(entry, &found)).collect()
    }
}

/// Returns the parameter of an entry with values of its own.
fn parameter(entry: &Entry) -> Parameter {
    let Values::One(domain) = &entry.values else { return Parameter::Choice(entry.count().unwrap_or(1) as usize) };
    let Some((low, high, log)) = domain.range() else {
        return Parameter::Choice(domain.count().unwrap_or(1) as usize);
    };
    let step = match *domain {
        Domain::Int { step, .. } => Some(step as f64),
        Domain::Float { step, .. } => step,
        _ => None,
    };
    // the highest value is the last step
    let last = domain.count().and_then(|count| domain.at(count - 1).as_f64());
    Parameter::Number(Range { low, high: last.unwrap_or(high), step, log })
}

/// Returns the values of the keys of an entry for the number of its parameter.
fn values(entry: &Entry, number: f64) -> Vec<Value> {
    match &entry.values {
        Values::Rows(rows) => rows[(number.max(0.0) as usize).min(rows.len() - 1)].clone(),
        Values::One(domain) => vec![domain.nearest(number)],
    }
}

/// Returns the number of a parameter whose entry has these values by the places of their keys; `None` if it has none, or none of
/// the entry.
fn number(entry: &Entry, found: &[(usize, &Value)]) -> Option<f64> {
    let (_, first) = found.first()?;
    let place = |place: Option<usize>| place.map(|place| place as f64);
    match &entry.values {
        Values::Rows(rows) => {
            place(rows.iter().position(|row| found.iter().all(|(key, value)| is_same(&row[*key], value))))
        }
        Values::One(Domain::Choices(choices)) => place(choices.iter().position(|choice| is_same(choice, first))),
        Values::One(domain) => {
            let (low, high, _) = domain.range()?;
            first.as_f64().filter(|number| (low..=high).contains(number))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A space with these entries, as they are in a record.
    fn space(entries: Value) -> Space {
        Space::new(serde_json::from_value(entries).unwrap(), json!({})).unwrap()
    }

    fn conditional() -> Space {
        space(json!([
            { "keys": ["train.lr"], "values": { "one": { "log": [1e-4, 1e-1] } } },
            { "keys": ["train.kind"], "values": { "one": ["a", "b"] } },
            { "keys": ["train.b.depth"], "values": { "one": { "int": [1, 9], "step": 2 } },
              "conditions": [{ "key": "train.kind", "values": ["b"] }] },
            { "keys": ["train.batch", "train.epochs"], "values": { "rows": [[8, 1], [16, 2], [32, 4]] } },
            { "keys": ["train.copy"], "values": { "one": "= train.batch * 2" } },
        ]))
    }

    #[test]
    fn configurations_become_numbers_and_back() {
        let space = conditional();
        let round = Round::new(&space, Method::Tpe, 0, 0, Vec::new());
        for draw in 0..50 {
            let set = space.at(&[f64::from(draw) / 50.0, 0.3 + f64::from(draw % 2) * 0.4, 0.7, 0.5]).unwrap();
            let numbers = round.numbers(&set);
            assert_eq!(numbers[2].is_some(), set["train.kind"] == "b");
            assert_eq!((numbers[1], numbers[3]), (Some(f64::from(draw % 2)), Some(1.0)));
            let back = space.with_values(&|axis, entry| values(entry, numbers[axis].unwrap_or(0.0))).unwrap();
            assert_eq!(back, set);
            assert_eq!(set["train.copy"], 32);
        }
    }

    /// Chooses rounds until there are this many configurations; the score of a configuration is that of `of`.
    fn chosen(space: &Space, seed: u32, sizes: &[usize], of: &dyn Fn(&Set) -> Score) -> Vec<(Set, Score)> {
        let mut all: Vec<(Set, Score)> = Vec::new();
        for size in sizes {
            let exact = all.iter().map(|(set, score)| (set.clone(), *score, 0.0)).collect();
            let mut round = Round::new(space, Method::Tpe, seed, all.len(), exact);
            for _ in 0..*size {
                let Some(set) = round.choose_next().unwrap() else { return all };
                round.add(set.clone());
                all.push((set.clone(), of(&set)));
            }
        }
        all
    }

    fn depth_of_five(set: &Set) -> Score {
        match set.get("train.b.depth").and_then(Value::as_f64) {
            Some(depth) => {
                Score::Finished((depth - 5.0).abs() + (set["train.lr"].as_f64().unwrap().log10() + 2.0).abs())
            }
            None => Score::Finished(9.0),
        }
    }

    #[test]
    fn rounds_depend_on_seed_and_results_only_and_find_the_best_branch() {
        let space = conditional();
        let sizes = [16, 8, 8, 8];
        let found = chosen(&space, 3, &sizes, &depth_of_five);
        assert_eq!(found, chosen(&space, 3, &sizes, &depth_of_five));
        assert_ne!(found, chosen(&space, 4, &sizes, &depth_of_five));
        let other = chosen(&space, 3, &sizes, &|set| match depth_of_five(set) {
            Score::Finished(value) => Score::Finished(-value),
            score => score,
        });
        assert_eq!(found[..16], chosen(&space, 3, &[16], &depth_of_five)[..]);
        let sets = |all: &[(Set, Score)]| all.iter().map(|(set, _)| set.clone()).collect::<Vec<_>>();
        assert_eq!(sets(&found)[..16], sets(&other)[..16], "the first round knows no results");
        assert_ne!(sets(&found)[16..], sets(&other)[16..]);
        let in_branch = |all: &[(Set, Score)]| all.iter().filter(|(set, _)| set["train.kind"] == "b").count();
        assert!(in_branch(&found[24..]) >= 12, "{}", in_branch(&found[24..]));
        let identities: HashSet<String> = found.iter().map(|(set, _)| identity(set)).collect();
        assert_eq!(identities.len(), found.len(), "all differ");
    }

    #[test]
    fn a_finite_space_is_used_up_without_repetition() {
        let space = space(json!([
            { "keys": ["a"], "values": { "one": [1, 2, 3] } },
            { "keys": ["b"], "values": { "one": { "int": [1, 4] } } },
        ]));
        let all = chosen(&space, 0, &[5; 4], &|set| Score::Finished(set["a"].as_f64().unwrap()));
        assert_eq!(all.len(), 12);
        let identities: HashSet<String> = all.iter().map(|(set, _)| identity(set)).collect();
        assert_eq!(identities.len(), 12);
    }

    #[test]
    fn configurations_that_cannot_be_trained_are_not_proposed_again() {
        let space = space(json!([{ "keys": ["a"], "values": { "one": { "float": [0.0, 1.0] } } }]));
        let trained = (0..20).map(|place| {
            let value = f64::from(place) / 19.0;
            (Set::from_iter([("a".to_owned(), json!(value))]), Score::Finished((value - 0.7).abs()), 0.0)
        });
        let mut round = Round::new(&space, Method::Tpe, 0, 20, trained.collect());
        let mut all = Vec::new();
        for number in 0..8 {
            let set = round.choose_next().unwrap().unwrap();
            assert!(!all.contains(&set));
            all.push(set.clone());
            if number % 2 == 0 { round.fail(set) } else { round.add(set) }
        }
    }

    #[test]
    fn a_process_is_fitted_again_after_a_failure() {
        let space = space(json!([{ "keys": ["a"], "values": { "one": { "float": [0.0, 1.0] } } }]));
        let observed = |place: u32| {
            let value = f64::from(place) / 9.0;
            (Set::from_iter([("a".to_owned(), json!(value))]), Score::Finished((value - 0.7).abs()), 0.0)
        };
        let mut trained: Vec<(Set, Score, f64)> = (0..10).map(observed).collect();
        let mut round = Round::new(&space, Method::Gp, 0, 10, trained.clone());
        let failed = round.choose_next().unwrap().unwrap();
        round.fail(failed.clone());
        trained.push((failed, Score::Failed, 0.0));
        let mut knows_from_start = Round::new(&space, Method::Gp, 0, 10, trained);
        knows_from_start.proposals = 1;
        assert_eq!(round.choose_next().unwrap(), knows_from_start.choose_next().unwrap());
    }
}
