//! Progress of a run: a bar over epochs in a terminal, otherwise plain lines ([`EpochLog`]), which also go to the log file.
//!
//! The numbers arrive through [`callback::Callback`], which the training loop (`train::fit`) calls after each epoch. Within
//! an epoch, a counter moves the bar (`EpochBar`).

use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::text::progress::epoch_bar::{self, EpochBar};
use crate::cli::text::progress::epoch_log::{EpochLog, LogInterval};
use crate::cli::text::progress::live_line::{Shown, Trained, fitting, metrics, names_that_fit, with_all};
use crate::cli::text::progress::stack_text::{list_of_variants, of_data, of_stack, positive_class};
use crate::cli::text::progress::workers_bar;
use crate::cli::text::text_style::TextStyle;
use crate::cli::text::{log_file, number_format, settings, terminal};
use crate::data::store::download_progress::DownloadProgress;
use crate::experiment::plan::study::Study;
use crate::experiment::plan::{BASE, Model, Plan};
use crate::experiment::run::progress::{self, StackInfo, StacksProgress};
use crate::io::signals::Signals;
use crate::train::TrainSpec;
use crate::train::callback::{self, EpochReport};
use crate::train::schedule::Schedule;
use crate::train::state::epoch_counter::EpochCounter;
use crate::train::state::timing::Timing;

/// Maximum width of the line of an epoch, unless the monitored metric alone needs more.
const LINE_WIDTH: usize = 100;

/// Time between two lines about the stacks of workers, if there is no bar and no interval is set.
const LINE_OF_WORKERS: Duration = Duration::from_secs(30);

/// Shows a run's progress on stderr.
#[derive(Debug)]
pub struct Progress {
    quiet: bool,
    introduced: bool,
    /// Number of variants of the experiment.
    variants: usize,
    /// Whether the last lines ended without a blank line: those of a tree, which has no epochs, and of workers.
    needs_blank_line: bool,
    printed: Vec<String>,
    trained: Trained,
    bar: Option<Bar>,
    interval: Option<LogInterval>,
    log: EpochLog,
    /// The metrics in the lines of the stack; `None` before its first line.
    in_lines: Option<Vec<String>>,
    phases: Timing,
    /// When the last line about the stacks of workers was printed.
    workers_line: Instant,
}

/// What moves on the screen.
#[derive(Debug)]
enum Bar {
    /// A download, or another part of the preparation.
    Preparation(ProgressBar),
    /// The training of a tree, which has no epochs.
    Tree(ProgressBar),
    /// The epochs of a network.
    Epochs(EpochBar),
    /// The stacks that worker processes train.
    Workers(ProgressBar),
}

impl Bar {
    fn inner(&self) -> &ProgressBar {
        match self {
            Bar::Preparation(bar) | Bar::Tree(bar) | Bar::Workers(bar) => bar,
            Bar::Epochs(bar) => bar.inner(),
        }
    }
}

impl Progress {
    /// Returns a progress display, which shows nothing if `quiet`.
    pub fn new(quiet: bool) -> Self {
        Progress {
            quiet,
            introduced: false,
            variants: 1,
            needs_blank_line: false,
            printed: Vec::new(),
            trained: Trained::default(),
            bar: None,
            interval: None,
            log: EpochLog::new(None),
            in_lines: None,
            phases: Timing::default(),
            workers_line: Instant::now(),
        }
    }

    /// Does something that takes time with a progress display, which is removed at its end.
    pub fn during<T>(work: impl FnOnce(&mut Progress) -> T) -> T {
        let mut progress = Progress::new(false);
        let done = work(&mut progress);
        progress.end();
        done
    }

    /// Returns the display with lines at this interval instead of a bar; `None` keeps the bar.
    pub fn with_lines(self, interval: Option<LogInterval>) -> Self {
        Progress { interval, ..self }
    }

    /// Returns whether a bar is shown.
    fn has_bar(&self) -> bool {
        !self.quiet && self.interval.is_none() && terminal::can_redraw()
    }

    /// Returns the time that all stacks took so far, by phase.
    pub fn phases(&self) -> Timing {
        self.phases
    }

    /// Removes the bar but leaves its last message, and ends with a blank line before the next output.
    pub fn end(&mut self) {
        self.remove_bar();
        if std::mem::take(&mut self.needs_blank_line) {
            self.say("");
        }
    }

    /// Removes the bar. That of epochs leaves its last message and a blank line.
    fn remove_bar(&mut self) {
        match self.bar.take() {
            Some(Bar::Preparation(bar) | Bar::Tree(bar) | Bar::Workers(bar)) => bar.finish_and_clear(),
            Some(Bar::Epochs(bar)) => {
                bar.finish();
                self.say("\n");
            }
            None => {}
        }
    }

    /// Does the same at the end of a run. Ctrl-C in a terminal shows `^C` behind the bar, which is then drawn again below:
    /// the first one is erased.
    pub fn end_run(&mut self, signals: &Signals) {
        if let Some(bar) = self.bar.as_ref().filter(|_| signals.is_interrupted()) {
            bar.inner().suspend(terminal::erase_line_above);
        }
        self.end();
    }

    /// Prints a line unless the display is quiet, and appends it to the log file if there is one.
    pub fn say(&self, text: &str) {
        match self.quiet {
            true => log_file::append(text),
            false => terminal::say(text),
        }
    }
}

impl DownloadProgress for Progress {
    fn doing(&mut self, what: &str) {
        self.end();
        self.say(what);
    }

    fn progress(&mut self, bytes: u64, of: Option<u64>) {
        if self.quiet || !terminal::can_redraw() {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes} {eta}");
            Bar::Preparation(ProgressBar::new(0).with_style(style.expect("a valid template")))
        });
        bar.inner().set_length(of.unwrap_or(bytes));
        bar.inner().set_position(bytes);
    }
}

impl progress::RunProgress for Progress {
    fn planned(&mut self, variants: usize) {
        self.variants = variants;
    }

    fn starting(&mut self, plans: &[&Plan], stack: &StackInfo) {
        if self.introduced && self.bar.is_none() && !self.needs_blank_line {
            self.say(""); // after the epochs of the previous stack
        }
        self.remove_bar();
        let plan = plans[0];
        let page = TextStyle { width: terminal::stderr_width(), styled: false };
        self.introduce(plan, page);
        match &plans.iter().map(|plan| plan.variant.as_str()).collect::<Vec<_>>()[..] {
            [BASE] => {}
            [variant] => {
                let of = if self.variants > 1 { format!(" (one of {})", self.variants) } else { String::new() };
                self.say(&format!("variant {}{of}", terminal::bold_on_stderr(variant)));
            }
            variants => self.say(&list_of_variants(variants, self.variants, page)),
        }
        let training: Vec<&TrainSpec> = plans.iter().filter_map(|plan| Some(&plan.network()?.train)).collect();
        let model = match &plan.model {
            Model::Network(network) => {
                let size = format!("{} parameters", number_format::count(network.architecture.parameters()));
                let weights = plan.initial_weights().map(settings::of_initial_weights);
                let training = settings::of_training(&training, stack.rows.train, plan.has_validation());
                [Some(size), weights, Some(training)].into_iter().flatten().collect::<Vec<_>>().join(", ")
            }
            Model::Tree(tree) => settings::of_tree(tree),
        };
        // lines that were printed for the previous variant are not repeated
        let lines =
            [Some(of_data(plan, stack)), positive_class(plan, stack), Some(model), Some(of_stack(plans, stack))];
        let lines: Vec<String> = lines.into_iter().flatten().map(|line| page.wrapped(&line, 2)).collect();
        let new: Vec<&String> = lines.iter().filter(|line| !self.printed.contains(line)).collect();
        new.iter().for_each(|line| self.say(line));
        self.needs_blank_line = plan.network().is_none();
        if !new.is_empty() && !self.needs_blank_line {
            self.say("");
        }
        self.printed = lines;
        self.trained = Trained {
            variants: plans.iter().map(|plan| plan.variant.clone()).collect(),
            variant_of: stack.variants.clone(),
            monitor: training
                .first()
                .map_or(String::new(), |train| train.monitored(plan.has_validation(), plan.info.target).0.to_owned()),
            shows_lr: training.iter().any(|train| train.schedule != Schedule::Constant),
        };
        self.log = EpochLog::new(self.interval);
        self.in_lines = None;
        if !self.has_bar() {
            return;
        }
        self.bar = Some(match training.first() {
            Some(train) => Bar::Epochs(EpochBar::start(train.epochs)),
            None => {
                let style = ProgressStyle::with_template("{spinner} fitting the tree, {elapsed}");
                let spinner = ProgressBar::new_spinner().with_style(style.expect("a valid template"));
                spinner.enable_steady_tick(Duration::from_millis(200));
                Bar::Tree(spinner)
            }
        });
    }

    fn starting_workers(&mut self, study: &Study, workers: usize, stacks: &StacksProgress) {
        self.remove_bar();
        let page = TextStyle { width: terminal::stderr_width(), styled: false };
        if let Some(plan) = study.plans.first() {
            self.introduce(plan, page);
        }
        let counted = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
        self.say(&format!("{} on {}\n", counted(stacks.all, "stack"), counted(workers, "worker")));
        self.needs_blank_line = true;
        self.bar = self.has_bar().then(|| Bar::Workers(workers_bar::start(stacks)));
        self.workers_line = Instant::now();
    }

    fn trained_by_workers(&mut self, stacks: &StacksProgress) {
        if let Some(Bar::Workers(bar)) = &self.bar {
            workers_bar::update(bar, stacks);
        }
        let interval = match self.interval {
            Some(LogInterval::Time(interval)) => interval,
            Some(LogInterval::Epochs(_)) | None => LINE_OF_WORKERS,
        };
        if self.workers_line.elapsed() >= interval && !stacks.training.is_empty() {
            self.workers_line = Instant::now();
            let line = workers_bar::text(stacks);
            match &self.bar {
                Some(_) => log_file::append(&line),
                None => self.say(&line),
            }
        }
    }

    fn stack_ended(&mut self, text: &str) {
        match &self.bar {
            Some(bar) => bar.inner().suspend(|| self.say(text)),
            None => self.say(text),
        }
    }
}

impl Progress {
    /// Prints the title and the question of the experiment, once.
    fn introduce(&mut self, plan: &Plan, page: TextStyle) {
        if !std::mem::replace(&mut self.introduced, true) {
            self.say(&format!("{}: {}", terminal::bold_on_stderr(&plan.name), plan.spec.title));
            plan.spec.question.iter().for_each(|question| self.say(&page.wrapped(question, 0)));
        }
    }
}

impl callback::Callback for Progress {
    fn epoch(&mut self, report: &EpochReport) {
        let metrics = metrics(report, &self.trained);
        let is_last = report.epoch == report.epochs || !report.training.contains(&true);
        if self.log.add(report.epoch, report.epochs, report.seconds, is_last) {
            let width = report.epochs.to_string().len();
            let epoch = format!("epoch {:>width$}/{}  ", report.epoch, report.epochs);
            let speed = self.log.speed(report.epoch, report.epochs);
            let room = LINE_WIDTH.saturating_sub(epoch.chars().count() + speed.chars().count());
            // all lines of a stack have the same metrics
            let names = self.in_lines.get_or_insert_with(|| names_that_fit(&metrics, room, 2));
            let shown = metrics.iter().filter(|shown| shown.name.is_empty() || names.contains(&shown.name));
            let shown: Vec<Shown> = shown.cloned().collect();
            let line = format!("{epoch}{}  {speed}", with_all(&shown, room, 2).join("  "));
            match &self.bar {
                Some(_) => log_file::append(&line),
                None => self.say(&line),
            }
        }
        if let Some(Bar::Epochs(bar)) = &self.bar {
            let room = epoch_bar::room(terminal::stderr_width(), report.epochs);
            bar.end_epoch(report.epoch, fitting(&metrics, room, 1).join(" "));
        }
    }

    fn epoch_counter(&mut self) -> Arc<EpochCounter> {
        match &self.bar {
            Some(Bar::Epochs(bar)) => bar.counter(),
            _ => Arc::default(),
        }
    }

    fn note(&mut self, text: &str) {
        if self.quiet {
            return log_file::append(&format!("warning: {text}"));
        }
        let warn = || terminal::warn(text);
        match &self.bar {
            Some(bar) => bar.inner().suspend(warn),
            None => warn(),
        }
    }

    fn fact(&mut self, text: &str) {
        let page = TextStyle { width: terminal::stderr_width(), styled: false };
        self.say(&page.wrapped(&format!("note: {text}"), 2));
    }

    fn phases(&mut self, phases: &Timing) {
        self.phases = self.phases.plus(*phases);
    }
}
