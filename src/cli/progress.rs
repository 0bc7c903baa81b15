//! What is shown while a run goes on: one bar over epochs on a terminal, one plain line for each epoch elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::page::Page;
use crate::cli::{figures, settings, terminal};
use crate::compare::trial::is_metric;
use crate::data::fetch;
use crate::device;
use crate::experiment::plan::{BASE, Model, Plan};
use crate::experiment::run::{self, StackInfo};
use crate::history::resampling::ResampleRecord;
use crate::train::TrainSpec;
use crate::train::fit::{self, EpochReport};
use crate::train::phases::Phases;
use crate::train::schedule::Schedule;

/// Shows a run's progress on standard error.
#[derive(Debug)]
pub struct Progress {
    quiet: bool,
    introduced: bool,
    said: Vec<String>,
    shows_lr: bool,
    bar: Option<ProgressBar>,
    phases: Phases,
}

impl Progress {
    /// Nothing is shown when `quiet`.
    pub fn new(quiet: bool) -> Self {
        Progress { quiet, introduced: false, said: Vec::new(), shows_lr: false, bar: None, phases: Phases::default() }
    }

    /// Where the time of all stacks has gone so far.
    pub fn phases(&self) -> Phases {
        self.phases
    }

    /// Takes the bar away, and leaves what it last said.
    pub fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.abandon();
            self.say("\n"); // a line apart from what follows
        }
    }

    /// Says something, unless all is to be quiet.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            terminal::say(text);
        }
    }
}

impl fetch::Watch for Progress {
    fn doing(&mut self, what: &str) {
        self.end();
        self.say(what);
    }

    fn progress(&mut self, bytes: u64, of: Option<u64>) {
        if self.quiet || !terminal::is_watched() {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes} {eta}");
            ProgressBar::new(0).with_style(style.expect("a valid template"))
        });
        bar.set_length(of.unwrap_or(bytes));
        bar.set_position(bytes);
    }
}

impl run::Watch for Progress {
    fn starting(&mut self, plans: &[&Plan], stack: &StackInfo) {
        if self.introduced && self.bar.is_none() {
            self.say(""); // behind the last one's epochs
        }
        self.end();
        let (plan, spec) = (plans[0], &plans[0].spec);
        if !std::mem::replace(&mut self.introduced, true) {
            self.say(&format!("{}: {}", terminal::bold_in_talk(&plan.name), spec.title));
            spec.question.iter().for_each(|question| self.say(question));
        }
        let page = Page { width: terminal::talk_width(), styled: false };
        match &plans.iter().map(|plan| plan.variant.as_str()).collect::<Vec<_>>()[..] {
            [BASE] => {}
            [variant] => self.say(&format!("variant {}", terminal::bold_in_talk(variant))),
            variants => self.say(&page.wrapped(&format!("variants {}", variants.join(", ")), 2)),
        }
        let training: Vec<&TrainSpec> = plans.iter().filter_map(|plan| Some(&plan.network()?.train)).collect();
        let model = match &plan.model {
            Model::Network(network) => format!(
                "{} parameters, {}",
                figures::count(network.architecture.parameters()),
                settings::of_training(&training, stack.rows.train)
            ),
            Model::Tree(tree) => settings::of_tree(tree),
        };
        // what the last variant has said already is not said again
        let lines = [of_data(plan, stack), model, of_stack(plans, stack)].map(|line| page.wrapped(&line, 2));
        let new: Vec<&String> = lines.iter().filter(|line| !self.said.contains(line)).collect();
        new.iter().for_each(|line| self.say(line));
        if !new.is_empty() {
            self.say("");
        }
        self.said = lines.to_vec();
        if self.quiet || !terminal::is_watched() {
            self.shows_lr = training.first().is_some_and(|train| train.schedule != Schedule::Constant);
            return;
        }
        let style = |template: &str| ProgressStyle::with_template(template).expect("a valid template");
        self.bar = Some(match training.first() {
            Some(train) => {
                self.shows_lr = train.schedule != Schedule::Constant;
                ProgressBar::new(train.epochs as u64).with_style(style("{pos}/{len} {wide_bar} {msg} {eta}"))
            }
            None => {
                let spinner = ProgressBar::new_spinner().with_style(style("{spinner} fitting the tree, {elapsed}"));
                spinner.enable_steady_tick(Duration::from_millis(200));
                spinner
            }
        });
    }
}

/// The data set, and how many of its rows are used for what.
fn of_data(plan: &Plan, stack: &StackInfo) -> String {
    let rows = stack.rows;
    let parts: Vec<String> = [("training", rows.train), ("validation", rows.validation), ("test", rows.test)]
        .iter()
        .filter(|(_, rows)| *rows > 0)
        .map(|(part, rows)| format!("{} {part}", figures::count(*rows)))
        .collect();
    let resampled =
        stack.resampled.as_ref().map(|resampled| format!(", {}", resampling(resampled))).unwrap_or_default();
    format!("{}: {} rows{resampled}", plan.spec.data.name(), parts.join(", "))
}

/// How rows were resampled: the method, and how many rows there were before it.
fn resampling(resampled: &ResampleRecord) -> String {
    let from = figures::count(resampled.from.iter().sum::<u64>() as usize);
    match resampled.before_split {
        true => format!("all of them by {} from {from} before the split: a leak", resampled.method),
        false => format!("those to train on by {} from {from}", resampled.method),
    }
}

/// What is trained in step, and where.
fn of_stack(plans: &[&Plan], stack: &StackInfo) -> String {
    let threads = match stack.threads {
        1 => "1 thread".to_owned(),
        threads => format!("up to {threads} threads"),
    };
    format!("{}, on {} with {threads}", in_words(plans, stack), device::name(stack.device))
}

/// What a stack holds. Where that is more than one replica, what is shown while they train are their means.
fn in_words(plans: &[&Plan], stack: &StackInfo) -> String {
    if stack.replicas == 1 {
        let fold = if stack.folds.is_some() { ", one fold" } else { "" };
        return format!("seed {}{fold}", stack.seeds[0]);
    }
    let several = |count: usize, many: &str| (count > 1).then(|| format!("{count} {many}"));
    let seeds = match &stack.seeds[..] {
        [seed] => format!("seed {seed}"),
        seeds => format!("{} seeds", seeds.len()),
    };
    let folds = stack.folds.and_then(|folds| several(folds, "folds"));
    let parts: Vec<String> = several(plans.len(), "variants").into_iter().chain([seeds]).chain(folds).collect();
    match &parts[..] {
        [one] => format!("{one} in one stack (means shown)"),
        parts => format!("{}: {} replicas in one stack (means shown)", parts.join(", "), stack.replicas),
    }
}

impl fit::Watch for Progress {
    fn epoch(&mut self, report: &EpochReport) {
        let metrics = metrics(report, self.shows_lr);
        match &self.bar {
            Some(bar) => {
                bar.set_message(fitting(&metrics, bar_room(report.epochs)).join(" "));
                bar.set_position(report.epoch as u64);
            }
            None => self.say(&format!(
                "epoch {:>width$}/{}  {}  {}",
                report.epoch,
                report.epochs,
                metrics.join("  "),
                figures::seconds(report.seconds),
                width = report.epochs.to_string().len()
            )),
        }
    }

    fn note(&mut self, text: &str) {
        if self.quiet {
            return;
        }
        let page = Page { width: terminal::talk_width(), styled: false };
        let warn = || terminal::warn(&page.wrapped(text, 2));
        match &self.bar {
            Some(bar) => bar.suspend(warn),
            None => warn(),
        }
    }

    fn phases(&mut self, phases: &Phases) {
        self.phases = self.phases.plus(*phases);
    }
}

/// The epoch's metrics as they are shown: means over the replicas that still train, or over those that had a part in the
/// epoch when none does, and how many these are.
fn metrics(report: &EpochReport, with_lr: bool) -> Vec<String> {
    let goes_on = report.training.iter().filter(|trains| **trains).count();
    let shown_of = if goes_on > 0 { &report.training } else { &report.trained };
    let kept = |values: &[f64]| -> Vec<f64> {
        let kept = values.iter().zip(shown_of).filter(|(_, is_shown)| **is_shown);
        kept.map(|(value, _)| *value).collect()
    };
    let mut shown: Vec<String> = report
        .metrics
        .iter()
        .filter(|(name, _)| is_metric(name))
        .map(|(name, values)| format!("{name} {}", figures::of(name, figures::mean(&kept(values)))))
        .collect();
    let lrs = report.metrics.iter().find(|(name, _)| with_lr && name == "lr").map(|(_, lrs)| kept(lrs));
    shown.extend(lrs.map(|lrs| format!("lr {}", settings::range(&lrs, figures::short))));
    let all = report.training.len();
    if (1..all).contains(&goes_on) {
        shown.push(format!("({goes_on} of {all} go on)"));
    }
    shown
}

/// The width that is left for metrics beside the epochs, a bar that can just be seen, and the time.
fn bar_room(epochs: usize) -> usize {
    const BAR_AND_TIME: usize = 5 + 4;
    terminal::talk_width().saturating_sub(2 * epochs.to_string().len() + 1 + BAR_AND_TIME)
}

/// The metrics that fit, the losses before others, in their order.
fn fitting(metrics: &[String], room: usize) -> Vec<&str> {
    let mut places: Vec<usize> = (0..metrics.len()).collect();
    places.sort_by_key(|&place| !metrics[place].contains("loss ")); // stable
    let mut left = room;
    places.retain(|&place| {
        let wanted = metrics[place].chars().count() + 1;
        let fits = wanted <= left;
        left = if fits { left - wanted } else { 0 };
        fits
    });
    places.sort_unstable();
    places.into_iter().map(|place| metrics[place].as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(training: &[bool]) -> EpochReport {
        let metrics = [
            ("loss", [0.5, 0.25]),
            ("r2", [0.5, 0.7]),
            ("gradient_norm.0", [1.0, 1.0]),
            ("val_loss", [0.75, 0.25]),
            ("lr", [0.1, 0.05]),
        ];
        EpochReport {
            epoch: 1,
            epochs: 30,
            metrics: metrics.iter().map(|(name, values)| ((*name).to_owned(), values.to_vec())).collect(),
            seconds: 1.0,
            trained: vec![true; training.len()],
            training: training.to_vec(),
        }
    }

    #[test]
    fn an_epoch_shows_the_means_of_the_replicas_that_train_and_a_learning_rate_that_changes() {
        assert_eq!(metrics(&report(&[true, true]), false), ["loss 0.3750", "r2 0.6000", "val_loss 0.5000"]);
        assert_eq!(
            metrics(&report(&[false, true]), true),
            ["loss 0.2500", "r2 0.7000", "val_loss 0.2500", "lr 0.050", "(1 of 2 go on)"]
        );
        assert_eq!(metrics(&report(&[false, false]), false)[0], "loss 0.3750", "all have ended");
    }

    #[test]
    fn beside_the_bar_stand_the_metrics_that_fit_losses_first() {
        let all = metrics(&report(&[true, true]), true);
        assert_eq!(fitting(&all, 80), ["loss 0.3750", "r2 0.6000", "val_loss 0.5000", "lr 0.050 to 0.100"]);
        assert_eq!(fitting(&all, 38), ["loss 0.3750", "r2 0.6000", "val_loss 0.5000"]);
        assert_eq!(fitting(&all, 30), ["loss 0.3750", "val_loss 0.5000"]);
        assert_eq!(fitting(&all, 5), Vec::<&str>::new());
    }
}
