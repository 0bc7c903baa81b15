//! What a seed costs when sixteen are trained at once.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use crate::bench::Bench;
use crate::bench::agree::{self, Check, Curves};
use crate::bench::figures::{Spread, Wanted};
use crate::bench::mnist::{run_ours, told};
use crate::bench::ours;
use crate::bench::rounds::{self, Contender, Series, ratio};
use crate::bench::section::Section;
use crate::bench::table::Table;

const SEEDS: usize = 16;

pub fn sections(bench: &Bench) -> Result<Vec<Section>> {
    let epochs = bench.stack_epochs;
    let contenders = [
        Contender::new("one seed", || run_ours(bench, "0..0", epochs, &bench.scratch.join("lone"))),
        Contender::new("16 seeds", || {
            run_ours(bench, &format!("0..{}", SEEDS - 1), epochs, &bench.scratch.join("stack"))
        }),
    ];
    let all = rounds::run("seeds", &contenders, bench.rounds);
    rounds::ours(&all)?;
    rounds::ours(&all[1..])?;
    let [lone, stack] = &all[..] else { unreachable!("two were run") };

    let width = stack.told().and_then(|told| ours::shape(&told["histories"])).context("a history tells no stack")?.1;
    let mut section = Section::new(format!("16 seeds against one, {}", bench.threads_shown()));
    section.paragraph(&format!(
        "`runner exp overfit_mnist --epochs {epochs}`, once with one seed and once with 16, which were trained in stacks of {width}. \
         Figures are for each seed; those of the whole command hold its start, which is shared, and each seed's test, files and \
         part of the pictures."
    ));
    let mut table = Table::new([
        "",
        "epoch, s a seed",
        "× one seed",
        "wanted",
        "whole command, s a seed",
        "× one seed",
        "wanted",
        "memory, MB",
    ]);
    let wanted = Wanted::AtMost(0.6);
    let per_seed = |series: &Series| per(series.wall(), if series.name == stack.name { SEEDS as f64 } else { 1.0 });
    for series in [lone, stack] {
        let of_lone =
            |lone: Option<Spread>, own: Option<Spread>| ratio(lone, own).filter(|_| series.name == stack.name);
        let (epoch, wall) = (series.spread(told("epoch")), per_seed(series));
        let of_epoch = of_lone(lone.spread(told("epoch")), epoch);
        let [epoch_times, epoch_wanted] =
            section.claim("16 seeds, epoch of a seed against a lone run's", of_epoch, Some(wanted));
        let of_wall = of_lone(per_seed(lone), wall);
        let [times, wanted] =
            section.claim("16 seeds, whole command of a seed against a lone run's", of_wall, Some(wanted));
        let shown = |spread: Option<Spread>, decimals| spread.map_or_else(String::new, |spread| spread.shown(decimals));
        table.row([
            series.name.clone(),
            shown(epoch, 3),
            epoch_times,
            epoch_wanted,
            shown(wall, 3),
            times,
            wanted,
            shown(series.peak_mb(), 0),
        ]);
    }
    section.table(&table);
    section.checks.push(check(lone, stack));
    Ok(vec![section])
}

fn per(spread: Option<Spread>, count: f64) -> Option<Spread> {
    spread.map(|Spread { median, least, most }| Spread {
        median: median / count,
        least: least / count,
        most: most / count,
    })
}

/// Seed 0 has the same curve in the stack.
fn check(lone: &Series, stack: &Series) -> Check {
    let curves = |series: &Series| {
        let told = series.told()?;
        let histories = told["histories"].as_array()?;
        Curves::of_history(histories.iter().find(|history| history["seed"] == 0)?)
    };
    let all: Vec<Curves> = stack
        .told()
        .and_then(|told| told["histories"].as_array())
        .map(|histories| histories.iter().filter_map(Curves::of_history).collect())
        .unwrap_or_default();
    let first_losses = |other: &Curves| other.loss.first().map(|loss| loss.to_bits());
    let distinct: BTreeSet<Option<u64>> = all.iter().map(first_losses).collect();
    if all.len() != SEEDS
        || distinct.len() != SEEDS
        || all.iter().any(|curves| !curves.loss.iter().all(|loss| loss.is_finite()))
    {
        return Check::new(format!("of {SEEDS} seeds, {} have finite losses of their own", distinct.len()), false);
    }
    let trained = stack.told().and_then(|told| told["histories"].as_array().map(Vec::len));
    match (curves(lone), curves(stack)) {
        (Some(lone), Some(stack)) if trained == Some(SEEDS) => agree::same("seed 0 of the stack", &lone, &stack),
        _ => Check::new(format!("the stack left {} histories, {SEEDS} were to come", trained.unwrap_or(0)), false),
    }
}
