//! The page of a sweep: progress and workers, and the charts and tables of its report as they grow.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::experiment::store::run_id::RunEntry;
use crate::io::file_names;
use crate::report::html;
use crate::report::sweep::{self, payload, sections};
use crate::serve::http::route::{Versions, version_of};
use crate::serve::pages::shell::{self, Bundle};
use crate::serve::table::sweeps;
use crate::sweep::confirmation::{Confirmation, RankedBy};
use crate::sweep::dir::SweepDir;
use crate::sweep::dir::state::SweepState;
use crate::sweep::record::SweepRecord;
use crate::sweep::results::{Overview, Ranking};
use crate::views::document::block::{Block, Section};

/// A sweep that a page shows.
#[derive(Debug)]
pub struct OpenSweep {
    entry: RunEntry,
    dir: SweepDir,
    record: SweepRecord,
    state: SweepState,
}

impl OpenSweep {
    /// Opens the sweep in a directory.
    ///
    /// # Errors
    /// When it is no sweep, or its record cannot be read.
    pub fn open(entry: RunEntry) -> anyhow::Result<OpenSweep> {
        let (dir, record) = SweepDir::open(&entry.folder)?;
        Ok(OpenSweep { entry, dir, record, state: SweepState::default() })
    }

    /// Reads what changed.
    ///
    /// # Errors
    /// When its files cannot be read.
    pub fn update(&mut self) -> anyhow::Result<()> {
        let names = self.dir.names("").unwrap_or_default();
        let extensions = names.iter().filter(|name| name.starts_with("extend-") && name.ends_with(".json")).count();
        if extensions != self.record.extensions.len() {
            (self.dir, self.record) = SweepDir::open(&self.entry.folder)?;
        }
        self.state.update(&self.dir, &self.record)
    }

    /// Returns a number that changes with the results.
    fn version(&self) -> u64 {
        let mut ended: Vec<&String> = self.state.ended.keys().collect();
        ended.sort();
        version_of(&(ended, self.record.configurations.len(), self.record.stacks.len()))
    }

    /// Returns the row of the table, and the version of the results.
    fn live(&self) -> Value {
        let row = sweeps::row(&self.entry, &self.dir, &self.record, &self.state);
        json!({ "version": self.version(), "row": row })
    }

    fn overview(&self) -> Overview<'_> {
        let record = &self.record;
        let ranking = Ranking::new(record, &self.state.ended, record.higher_is_better);
        Overview::new(record, ranking, &record.metric, record.higher_is_better)
    }

    fn confirmation(&self) -> Option<Confirmation<'_>> {
        let by = RankedBy::new(&self.record);
        let found = Confirmation::read(&self.dir, &self.record, &self.state.ended, by).ok().flatten();
        found.filter(|found| found.is_over)
    }

    /// Name of the sweep in commands.
    fn name(&self) -> String {
        self.dir.path().display().to_string()
    }

    fn sections(&self, overview: &Overview) -> Vec<Section> {
        sections::all(&self.state, overview, self.confirmation().as_ref(), &self.name())
    }

    /// Returns the page.
    pub fn page(&self) -> String {
        let overview = self.overview();
        let mut payload = payload::of(&overview);
        payload["live"] = self.live();
        payload["kind"] = json!("sweep");
        let sections = [vec![progress_section()], self.sections(&overview)].concat();
        shell::page(&sweep::head(&self.state, &overview), &sections, &payload, Bundle::Sweeps)
    }

    /// Returns the data of the page as JSON: only the progress if its version is the one that the page has.
    pub fn data(&self, has: Versions) -> String {
        let mut answer = self.live();
        if has.data != answer["version"].as_u64() {
            let overview = self.overview();
            answer["data"] = payload::of(&overview);
            let sections: Vec<String> = self.sections(&overview).iter().map(html::section).collect();
            answer["sections"] = json!(sections.join("\n"));
        }
        answer.to_string()
    }

    /// Returns its report.
    pub fn report(&self) -> String {
        let overview = self.overview();
        sweep::html(&self.dir, &self.state, &overview, self.confirmation().as_ref(), &self.name())
    }

    /// Returns the run of one of its stacks; `None` if it has no such stack.
    pub fn stack(&self, stack: &str) -> Option<RunEntry> {
        let names: HashSet<&str> = self.record.stacks.iter().map(|stack| stack.name.as_str()).collect();
        let is_stack = names.contains(stack) && file_names::check_letters("stack", stack).is_ok();
        is_stack.then(|| RunEntry {
            experiment: self.entry.experiment.clone(),
            name: stack.to_owned(),
            folder: self.dir.stack(stack),
            id: format!("{}.{stack}", self.entry.id),
        })
    }
}

/// Place of the progress and the workers, which a script fills.
fn progress_section() -> Section {
    let html = "<div id=\"status\" class=\"status stack\"></div>".to_owned();
    Section { id: "state", title: "State", blocks: vec![Block::Html(html)] }
}
