//! The list of runs: its arguments, order and output.

use std::path::Path;

use anyhow::anyhow;
use indexmap::IndexSet;

use crate::cli::args::runs_dir::RunsDir;
use crate::cli::commands::runs::columns::{ListColumn, Listed};
use crate::cli::commands::runs::group_by::Grouped;
use crate::cli::commands::runs::{formats, layout, of_sweep};
use crate::cli::exit::Exit;
use crate::cli::text::terminal;
use crate::cli::text::text_style::TextStyle;
use crate::compare::direction::higher_is_better;
use crate::compare::metric_name::metric_of;
use crate::compare::runs::filter::Filter;
use crate::compare::runs::run_field::{FIELDS, FieldValue, metric_or_field};
use crate::compare::runs::run_list::{ListOptions, RunList, list_runs};
use crate::compare::runs::run_summary::RunSummary;
use crate::config::hint::Hint;
use crate::config::suggest;
use crate::history::metric_path::canonical;

/// Arguments of the list.
#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    /// Only runs of this experiment
    experiment: Option<String>,
    /// Columns to show: metrics (`test.acc`), settings (`train.batch` or `batch`), and fields such as `id`, `name`,
    /// `tags`, `note`, `changed`, `status`, `seeds`, `epochs`, `seconds`, `device`, `host`, `job`, `started`
    #[arg(long, value_name = "A,B,…", value_delimiter = ',')]
    columns: Vec<String>,
    /// Sort by a metric such as `test.acc` (best first), a setting, or a field such as `seconds` or `started`
    /// [default: newest first]
    #[arg(long, value_name = "NAME")]
    sort: Option<String>,
    /// Reverse the order
    #[arg(long)]
    reverse: bool,
    /// Only runs for which a condition on a metric, setting or field holds, such as `best.val_acc>0.96` (mean over
    /// seeds), `lr=0.1` or `tag=paper`; repeatable
    #[arg(long = "filter", value_name = "CONDITION", value_parser = clap::value_parser!(Filter))]
    filters: Vec<Filter>,
    /// Show mean ± standard deviation of the metrics for each value of a setting, such as `lr` or `optimizer`
    #[arg(long, value_name = "SETTING")]
    group_by: Option<String>,
    /// Show only the first N
    #[arg(long, short = 'n', visible_alias = "top", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// One line per variant
    #[arg(long)]
    variants: bool,
    /// List archived runs, too
    #[arg(long)]
    archived: bool,
    #[command(flatten)]
    out: RunsDir,
    /// Print JSON
    #[arg(long, group = "format")]
    json: bool,
    /// Print CSV, with the changed settings as columns
    #[arg(long, group = "format")]
    csv: bool,
    /// Print a Markdown table
    #[arg(long, group = "format")]
    md: bool,
    /// Print a LaTeX table for the package `booktabs`
    #[arg(long, group = "format")]
    latex: bool,
}

/// Fields that are sorted in descending order.
const DESCENDING: [&str; 3] = ["seconds", "started", "epochs"];

impl ListArgs {
    /// Returns the fields of `--columns`.
    fn chosen(&self) -> IndexSet<String> {
        self.columns.iter().map(|name| name.trim()).filter(|name| !name.is_empty()).map(canonical).collect()
    }

    /// Returns the field of `--sort`.
    fn sort(&self) -> Option<String> {
        self.sort.as_deref().map(metric_or_field)
    }

    /// Returns the field of `--group-by`.
    fn group_by(&self) -> Option<String> {
        self.group_by.as_deref().map(canonical)
    }

    /// Returns the names of all fields to look up, those of `--columns` first.
    fn fields(&self) -> Vec<String> {
        let mut names = self.chosen();
        names.extend(self.filters.iter().map(|filter| filter.name.clone()));
        names.extend(self.sort());
        names.extend(self.group_by());
        names.into_iter().collect()
    }

    /// Returns an error about an option that does not apply to configurations of a sweep.
    fn check_fits_sweep(&self, sweep: &Path) -> anyhow::Result<()> {
        let given = [
            ("--columns", !self.columns.is_empty()),
            ("--sort", self.sort.is_some()),
            ("--reverse", self.reverse),
            ("--filter", !self.filters.is_empty()),
            ("--group-by", self.group_by.is_some()),
            ("--json", self.json),
            ("--md", self.md),
            ("--latex", self.latex),
        ];
        let Some((option, _)) = given.into_iter().find(|(_, is_given)| *is_given) else { return Ok(()) };
        let hint = Hint(format!("use `runner sweep table {} --metric METRIC` or `--csv`", sweep.display()));
        Err(anyhow!("`{}` is a sweep, and `{option}` is for runs", sweep.display()).context(hint))
    }

    fn limit(&self) -> usize {
        self.limit.map_or(usize::MAX, |limit| limit as usize)
    }
}

/// Lists past runs.
pub(super) fn run(args: &ListArgs) -> anyhow::Result<Exit> {
    if let Some(sweep) = of_sweep::find(args.experiment.as_deref(), &args.out)? {
        args.check_fits_sweep(&sweep)?;
        return of_sweep::print(&sweep, args.limit.map(|limit| limit as usize), args.csv);
    }
    let fields = args.fields();
    let chosen = args.chosen();
    let options = ListOptions {
        experiment: args.experiment.clone(),
        filters: args.filters.clone(),
        fields: fields.clone(),
        by_variant: args.variants || args.group_by.is_some(),
        archived: args.archived,
        settings: args.csv || args.md || args.latex,
    };
    let mut found = list_runs(&args.out, &options)?;
    check_names(&fields, &found)?;
    let mut output = Ok(());
    if let Some(setting) = args.group_by() {
        let place = fields.iter().position(|name| *name == setting).unwrap_or_default();
        check_group(&setting, &found.runs, place)?;
        let metrics: Vec<usize> = (0..chosen.len()).filter(|other| *other != place).collect();
        output = print_groups(Grouped::new(&found.runs, &fields, place, &metrics), args);
    } else {
        if let Some(by) = args.sort() {
            let place = fields.iter().position(|name| *name == by).unwrap_or_default();
            sort(&mut found.runs, &by, place);
        }
        if args.reverse {
            found.runs.reverse();
        }
        found.runs.truncate(args.limit());
        print_runs(&found.runs, &fields, chosen.len(), args);
    }
    output?;
    print_notes(&found, args);
    found.faults.iter().for_each(terminal::error);
    Ok(if found.faults.is_empty() { Exit::Done } else { Exit::Failed })
}

/// Prints the runs in the chosen format.
fn print_runs(runs: &[RunSummary], fields: &[String], chosen: usize, args: &ListArgs) {
    let listed = Listed { runs, fields, is_of_one_experiment: args.experiment.is_some(), by_variant: args.variants };
    let columns = |standard: fn(&Listed) -> Vec<ListColumn>| match chosen {
        0 => standard(&listed),
        count => (0..count).map(|index| listed.field(index)).collect(),
    };
    match args {
        ListArgs { json: true, .. } => terminal::json(&formats::to_json(&listed, chosen)),
        ListArgs { csv: true, .. } => terminal::out(&formats::to_csv(&listed, chosen)),
        _ if runs.is_empty() => {}
        ListArgs { md: true, .. } => terminal::out(&formats::to_markdown(&columns(formats::with_settings))),
        ListArgs { latex: true, .. } => terminal::out(&formats::to_latex(&columns(formats::with_settings))),
        _ => terminal::out(&layout::table(columns(|listed| listed.standard()), TextStyle::of_output())),
    }
}

/// Prints the groups of `--group-by` in the chosen format.
fn print_groups(mut groups: Grouped, args: &ListArgs) -> anyhow::Result<()> {
    if let Some(metric) = args.sort().filter(|sort| Some(sort) != args.group_by().as_ref()) {
        groups.sort(&metric).map_err(|known| {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            anyhow!("failed to sort: `{metric}` is not one of the shown metrics")
                .context(Hint(format!("add it with `--columns {metric}`, or sort by {}", suggest::either(&known))))
        })?;
    }
    groups.arrange(args.reverse, args.limit());
    let columns: Vec<ListColumn> = groups.columns();
    match args {
        ListArgs { json: true, .. } => terminal::json(&groups.to_json()),
        ListArgs { csv: true, .. } => terminal::out(&groups.to_csv()),
        ListArgs { md: true, .. } => terminal::out(&formats::to_markdown(&columns)),
        ListArgs { latex: true, .. } => terminal::out(&formats::to_latex(&columns)),
        _ => terminal::out(&layout::table(columns, TextStyle::of_output())),
    }
    Ok(())
}

/// Checks that every name is a field, metric or setting of some run, if there are runs.
fn check_names(fields: &[String], found: &RunList) -> anyhow::Result<()> {
    let Some(unknown) = fields.iter().find(|name| !found.known.contains(*name)) else { return Ok(()) };
    if found.names.is_empty() || !found.faults.is_empty() {
        return Ok(()); // no history to compare with
    }
    let names = || found.names.iter().map(String::as_str);
    let last_parts = names().filter_map(|name| Some(name.rsplit_once('.')?.1));
    let known = names().chain(FIELDS).chain(last_parts);
    let hint = suggest::nearest(unknown, known).map(|near| format!("did you mean `{near}`?"));
    let hint = hint.unwrap_or_else(|| {
        format!("use metrics such as `best.val_acc`, settings such as `train.batch`, or {}", suggest::either(&FIELDS))
    });
    let message = match unknown.contains('.') {
        true => format!("no run has a metric or setting `{unknown}`"),
        false => format!("no run has a metric, setting or field `{unknown}`"),
    };
    Err(anyhow!(message).context(Hint(hint)))
}

/// Checks that runs can be grouped by a field: a metric or a time has another value in each run.
fn check_group(name: &str, runs: &[RunSummary], place: usize) -> anyhow::Result<()> {
    let is_metric = runs.iter().any(|run| matches!(run.fields[place], Some(FieldValue::Metric(_))));
    if !is_metric || matches!(name, "epochs" | "seed") {
        return Ok(());
    }
    let hint = format!("group by a setting and show it as a column: `--group-by lr --columns {name}`");
    Err(anyhow!("runs cannot be grouped by `{name}`: it is a result, not a setting").context(Hint(hint)))
}

/// Prints why the list is empty, and how many runs are hidden.
fn print_notes(found: &RunList, args: &ListArgs) {
    if found.runs.is_empty() && found.faults.is_empty() {
        match (&args.filters[..], found.archived) {
            ([], 0) => {
                terminal::say(&format!("no runs in `{}`; start one with `runner exp NAME`", args.out.display()));
            }
            ([], _) => {}
            _ => terminal::say("no run matches the filters"),
        }
    }
    match found.archived {
        0 => {}
        1 => terminal::say("1 archived run is hidden: `--archived` lists it"),
        count => terminal::say(&format!("{count} archived runs are hidden: `--archived` lists them")),
    }
}

/// Sorts runs by a field: metrics best first, settings and other fields in ascending order. Runs without it come last.
fn sort(runs: &mut [RunSummary], by: &str, place: usize) {
    let is_metric = runs.iter().any(|run| matches!(run.fields[place], Some(FieldValue::Metric(_))));
    let is_descending = match DESCENDING.contains(&by) {
        true => true,
        false => is_metric && higher_is_better(metric_of(by)) != Some(false),
    };
    let sign = if is_descending { -1.0 } else { 1.0 };
    let key = |run: &RunSummary| {
        let value = run.fields[place].as_ref();
        let number = match by {
            "seconds" => Some(run.seconds), // of the run, not of its best variant
            _ => value.and_then(FieldValue::number).filter(|number| !number.is_nan()),
        };
        let word = match value {
            Some(FieldValue::Word(word)) if number.is_none() => Some(word.clone()),
            _ => None,
        };
        (value.is_none(), number.map_or(f64::INFINITY, |number| sign * number), word.unwrap_or_default())
    };
    runs.sort_by(|a, b| {
        let (a, b) = (key(a), key(b));
        let words = if is_descending { b.2.cmp(&a.2) } else { a.2.cmp(&b.2) };
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(words)
    });
}
