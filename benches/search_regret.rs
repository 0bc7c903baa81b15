//! Chooses configurations of a space as `runner sweep` does, for functions that another program evaluates: `search/regret.py`. How
//! both are run is described in `README.md` beside this file.
//!
//! A line of stdin starts a search: `{"space": […], "method": "tpe", "round": 8, "trials": 64, "seed": 0}`, with the space as in the
//! record of a sweep. The program writes the configurations of a round as a line, `[{"x": 1.5}, …]`, and reads their values,
//! `[0.3, …]`; `null` is the value of one that failed. After the last round the next search follows.

#![expect(clippy::print_stdout, reason = "a benchmark prints its results")]

use std::io::BufRead;

use anyhow::{Context, anyhow, bail};
use runner::sweep::rounds::Rounds;
use runner::sweep::sampler::choose;
use runner::sweep::sampler::observation::Score;
use runner::sweep::sampler::round::Round;
use runner::sweep::space::configurations::{Set, Space};
use runner::sweep::space::entry::Entry;
use runner::sweep::space::origin::SpaceFault;
use runner::sweep::spec::Method;
use serde::Deserialize;
use serde_json::{Value, json};

/// A search.
#[derive(Deserialize)]
struct Search {
    space: Vec<Entry>,
    method: Method,
    round: usize,
    trials: usize,
    seed: u32,
}

fn main() -> anyhow::Result<()> {
    let mut lines = std::io::stdin().lock().lines();
    while let Some(line) = lines.next() {
        let Search { space, method, round, trials, seed } = serde_json::from_str(&line?).context("invalid search")?;
        let space = Space::new(space, json!({})).map_err(fault)?;
        let all = choose::configurations(&space, method, Some(trials), seed).map_err(fault)?;
        let first = if method.has_rounds() { Rounds { size: round, trials }.startup() } else { trials };
        let mut trained: Vec<(Set, Score, f64)> = Vec::new();
        let mut sets = all[..first].to_vec();
        loop {
            println!("{}", json!(sets));
            let values: Vec<Option<f64>> = serde_json::from_str(&lines.next().context("no values")??)?;
            if values.len() != sets.len() {
                bail!("{} values of {} configurations", values.len(), sets.len());
            }
            let scores = values.into_iter().map(|value| value.map_or(Score::Failed, Score::Finished));
            trained.extend(std::mem::take(&mut sets).into_iter().zip(scores).map(|(set, score)| (set, score, 0.0)));
            let mut next = Round::new(&space, method, seed, trained.len(), trained.clone());
            while sets.len() < round.min(trials - trained.len()) {
                let Some(set) = next.choose_next().map_err(fault)? else { break };
                next.add(set.clone());
                sets.push(set);
            }
            if sets.is_empty() {
                break;
            }
        }
        println!("{}", Value::Null);
    }
    Ok(())
}

fn fault(fault: SpaceFault) -> anyhow::Error {
    anyhow!(fault.message)
}
