//! What is shown while a run goes on: one bar over epochs on a terminal, one plain line for each epoch elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::{figures, terminal};
use crate::data::fetch;
use crate::device;
use crate::experiment::plan::{BASE, Plan};
use crate::experiment::run::{self, StackInfo};
use crate::train::fit::{self, EpochReport};

/// Shows a run's progress on standard error.
#[derive(Debug)]
pub struct Progress {
    quiet: bool,
    introduced: bool,
    training: Arc<AtomicBool>,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Nothing is shown when `quiet`; `training` is set when training starts.
    pub fn new(quiet: bool, training: Arc<AtomicBool>) -> Self {
        Progress { quiet, introduced: false, training, bar: None }
    }

    /// Takes the bar away, and leaves what it last said.
    pub fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.abandon();
            self.say(""); // a line apart from what follows
        }
    }

    fn say(&self, text: &str) {
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
        self.end();
        let plan = plans[0];
        self.training.store(true, Ordering::Relaxed);
        let (spec, rows) = (&plan.spec, stack.rows);
        let parts = [("training", rows.train), ("validation", rows.validation), ("test", rows.test)];
        let parts: Vec<String> = parts
            .iter()
            .filter(|(_, rows)| *rows > 0)
            .map(|(part, rows)| format!("{} {part}", figures::count(*rows)))
            .collect();
        if !std::mem::replace(&mut self.introduced, true) {
            self.say(&format!("{}: {}", terminal::bold(&plan.name), spec.title));
            spec.question.iter().for_each(|question| self.say(question));
        }
        let variants: Vec<String> = plans.iter().map(|plan| terminal::bold(&plan.variant)).collect();
        match &variants[..] {
            [_] if plan.variant == BASE => {}
            [variant] => self.say(&format!("variant {variant}")),
            variants => self.say(&format!("variants {}", variants.join(", "))),
        }
        self.say(&format!("{}: {} rows", spec.data.name(), parts.join(", ")));
        self.say(&format!(
            "{} parameters, {} lr {}, batch {}",
            figures::count(plan.architecture.parameters()),
            spec.train.optimizer.name(),
            lrs(plans),
            spec.train.batch.size(rows.train)
        ));
        let threads = match tch::get_num_threads() {
            1 => "1 thread".to_owned(),
            threads => format!("{threads} threads"),
        };
        self.say(&format!("{}, on {} with {threads}\n", in_words(plans, stack), device::name(stack.device)));
        if !self.quiet && terminal::is_watched() {
            let style = ProgressStyle::with_template("{pos}/{len} {wide_bar} {msg} {eta}").expect("a valid template");
            self.bar = Some(ProgressBar::new(spec.train.epochs as u64).with_style(style));
        }
    }
}

/// The learning rates of a stack's variants.
fn lrs(plans: &[&Plan]) -> String {
    let lrs = plans.iter().map(|plan| plan.spec.train.optimizer.lr());
    let (least, most) = lrs.fold((f64::INFINITY, 0.0_f64), |(least, most), lr| (least.min(lr), most.max(lr)));
    let least_in_words = figures::setting(least);
    if least == most { least_in_words } else { format!("{least_in_words} to {}", figures::setting(most)) }
}

/// What a stack holds.
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
        [one] => format!("{one} in one stack"),
        parts => format!("{}: {} replicas in one stack", parts.join(", "), stack.replicas),
    }
}

impl fit::Watch for Progress {
    fn epoch(&mut self, report: &EpochReport) {
        // the mean over the replicas that still train, or over all when none does
        let some_train = report.training.contains(&true);
        let mean = |values: &[f64]| {
            let kept: Vec<f64> = values
                .iter()
                .zip(&report.training)
                .filter(|(_, trains)| **trains || !some_train)
                .map(|(value, _)| *value)
                .collect();
            kept.iter().sum::<f64>() / kept.len().max(1) as f64
        };
        let metrics: Vec<String> = report
            .metrics
            .iter()
            .filter(|(name, _)| !name.contains('.'))
            .map(|(name, values)| format!("{name} {}", figures::of(name, Some(mean(values)))))
            .collect();
        match &self.bar {
            Some(bar) => {
                bar.set_message(metrics.join(" "));
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
}
