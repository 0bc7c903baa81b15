//! Sections of the page of a sweep.

use indexmap::IndexSet;

use crate::config::suggest;
use crate::history::number::{brief, count};
use crate::plot::charts::sweep::SweepChart;
use crate::plot::draw::page::PageOptions;
use crate::report::html::static_image;
use crate::report::sweep::confirmation;
use crate::sweep::confirmation::Confirmation;
use crate::sweep::dir::state::SweepState;
use crate::sweep::labels::format_value;
use crate::sweep::results::{ConfigurationResult, Outcome, Overview, expectations, failure_reasons, notes};
use crate::views::document::badge::Badge;
use crate::views::document::block::{Block, Section, Tile, callout};
use crate::views::document::statistic::{MISSING, mean_and_std, spread_note};
use crate::views::document::table::{Cell, Table};
use crate::views::expectations::caption;

/// Maximum number of rows of the table.
const MOST_ROWS: usize = 1000;

/// Returns the sections in order.
pub fn all(state: &SweepState, overview: &Overview, confirmation: Option<&Confirmation>, name: &str) -> Vec<Section> {
    let mut sections = vec![summary(state, overview, name)];
    sections.extend(confirmation.map(|found| confirmation::section(found)));
    if overview.means().next().is_some() {
        sections.extend(by_setting(overview));
        sections.extend(parallel(overview));
        sections.push(progress(overview));
    }
    sections.extend(importance(overview));
    sections.extend(expected(state, overview));
    sections.push(configurations(overview, name));
    sections.push(environment(overview));
    sections
}

fn summary(state: &SweepState, overview: &Overview, name: &str) -> Section {
    let ranking = &overview.ranking;
    let all = ranking.results.len();
    let number = |is: fn(&Outcome) -> bool| ranking.results.iter().filter(|result| is(&result.outcome)).count();
    let diverged = number(|outcome| matches!(outcome, Outcome::Diverged(_)));
    let failed = number(|outcome| matches!(outcome, Outcome::Failed(_)));
    let done = number(|outcome| *outcome == Outcome::Done);
    let dropped = number(|outcome| matches!(outcome, Outcome::Dropped(_)));
    let mut blocks = Vec::new();
    let open = overview.record.stacks.len().saturating_sub(state.ended.len());
    if open > 0 {
        let missing = format!("{open} of {} stacks have not ended.", overview.record.stacks.len());
        blocks.extend(callout(false, "The sweep is not complete", vec![missing]));
    }
    blocks.extend(callout(true, "Some configurations failed", failure_reasons::of(ranking)));
    blocks.extend(callout(false, "Notes", notes::notes(overview.record, ranking)));
    let best = ranking.best();
    if let Some(metric) = best.and_then(|best| best.metric.as_ref()) {
        let text = format!("{} over {} has the best mean", mean_and_std(metric), trials(metric.n));
        let name = &ranking.results[0].configuration.name;
        blocks.push(Block::Paragraph(format!("Configuration `{name}` with {} {text}.", overview.metric)));
        let best = Tile { name: overview.metric.clone(), value: brief(metric.mean), note: spread_note(metric) };
        let mut others = Vec::new();
        others.extend((dropped > 0).then(|| format!("{dropped} dropped")));
        others.extend((diverged > 0).then(|| format!("{diverged} diverged")));
        others.extend((failed > 0).then(|| format!("{failed} failed")));
        let configurations = Tile {
            name: "Configurations".to_owned(),
            value: format!("{} of {}", count(done), count(all)),
            note: if others.is_empty() { "with all trials".to_owned() } else { others.join(", ") },
        };
        let epochs: usize = ranking.results.iter().map(|result| result.epochs).sum();
        let epochs =
            Tile { name: "Epochs".to_owned(), value: count(epochs), note: "of all trials together".to_owned() };
        let mut tiles = vec![best, configurations, epochs];
        // the importance of a lone setting says nothing
        if let Some([(key, share), _, ..]) = overview.importance.as_deref() {
            tiles.push(Tile {
                name: "Most important setting".to_owned(),
                value: overview.labels.label(key).to_owned(),
                note: format!("importance {share:.2}; all together 1"),
            });
        }
        blocks.push(Block::Tiles(tiles));
    } else {
        blocks.push(Block::Paragraph("No configuration has all of its trials yet.".to_owned()));
    }
    if let Some(best) = best {
        let mut table = Table::new("Settings of the best configuration", ["setting", "value"], 0..0);
        for key in &overview.record.settings {
            if let Some(value) = best.configuration.set.get(key) {
                table.row([Cell::Code(key.clone()), Cell::Code(format_value(value))]);
            }
        }
        blocks.extend(table.filled().map(Block::Table));
        blocks.push(Block::Command(0, format!("runner sweep best {name} --toml best.toml")));
    }
    Section { id: "summary", title: "Summary", blocks }
}

fn trials(number: usize) -> String {
    if number == 1 { "one trial".to_owned() } else { format!("{} trials", count(number)) }
}

const HOVER: &str = "Point at a configuration to see its settings; it is marked in all charts and in the table. With the \
                     keyboard, go to a chart and use the arrow keys: left and right move along the axis, up and down along \
                     the ranking.";

fn by_setting(overview: &Overview) -> Option<Section> {
    if overview.columns.is_empty() {
        return None;
    }
    let mut notes = vec![HOVER.to_owned()];
    let has_std = overview.ranking.results.iter().any(|result| result.metric.as_ref().is_some_and(|m| m.std.is_some()));
    notes.extend(has_std.then(|| "Error bars are one standard deviation over the seeds.".to_owned()));
    let has_cross = |result: &ConfigurationResult| match result.outcome {
        Outcome::Dropped(_) | Outcome::Diverged(_) | Outcome::Failed(_) => true,
        Outcome::Done | Outcome::Unfinished => false,
    };
    if overview.ranking.results.iter().any(has_cross) {
        notes.push("A cross at the edge is a configuration that was dropped, diverged or failed.".to_owned());
    }
    let html = "<div class=\"controls needs-js\" id=\"sweep-controls\"></div>\n\
                <div class=\"panels\" id=\"sweep-settings\"></div>\n\
                <p id=\"points-help\" hidden>Left and right arrow keys move along the axis, up and down along the ranking; Home \
                and End go to the ends, Escape leaves.</p>\n";
    let html = format!("{html}{}", without_scripts(SweepChart::Settings, overview));
    let blocks = vec![Block::Html(html), Block::ChartNote(notes.join(" "))];
    Some(Section { id: "by-setting", title: "Metric by setting", blocks })
}

fn parallel(overview: &Overview) -> Option<Section> {
    if overview.columns.is_empty() {
        return None;
    }
    let html = "<div class=\"controls needs-js\" id=\"parallel-controls\"></div>\n\
                <div class=\"scroll\" role=\"group\" aria-label=\"Parallel coordinates\"><div id=\"sweep-parallel\"></div></div>\n";
    let html = format!("{html}{}", without_scripts(SweepChart::Parallel, overview));
    let note = "A line is a configuration with all of its trials; the best values of the metric are at the top, and the color is \
                the rank. The thick line is the best one.";
    let blocks = vec![Block::Html(html), Block::ChartNote(note.to_owned())];
    Some(Section { id: "parallel", title: "Parallel coordinates", blocks })
}

fn progress(overview: &Overview) -> Section {
    let charts = [SweepChart::BestSoFar, SweepChart::ExpectedBest].map(|chart| without_scripts(chart, overview));
    let html = format!("<div class=\"panels\" id=\"sweep-progress\"></div>\n{}", charts.concat());
    let mut note =
        "The configurations are in the order in which they were chosen. The expected best of n is the mean of the \
                    best over all subsets of n configurations: where it is flat, more configurations change little."
            .to_owned();
    if overview.failed().next().is_some() {
        note.push_str(" Diverged and failed configurations count as the worst value of the others.");
    }
    if overview.dropped().next().is_some() {
        note.push_str(
            " The expected best uses only configurations that were trained to the end, none that were dropped early.",
        );
    }
    Section { id: "progress", title: "Progress", blocks: vec![Block::Html(html), Block::Note(note)] }
}

fn importance(overview: &Overview) -> Option<Section> {
    let importance = overview.importance.as_ref()?;
    let mut table = Table::new("Importance of the settings", ["setting", "share", ""], 1..2);
    for (key, share) in importance {
        let number = Cell::Text(format!("{share:.2}"));
        table.row([Cell::Code((*key).to_owned()), number, Cell::Share(*share)]);
    }
    let mut notes = vec![
        "Share of each setting in the variance of the metric that single settings explain (functional ANOVA with a random forest). \
         What only combinations of settings explain is not counted, so that all shares sum to 1."
            .to_owned(),
    ];
    let has = |key: &&String| importance.iter().any(|(known, _)| known == key);
    let without = overview.record.settings.iter().filter(|key| !has(key)).map(|key| overview.labels.label(key));
    let without: Vec<&str> = without.collect::<IndexSet<&str>>().into_iter().collect();
    if !without.is_empty() {
        notes.push(format!(
            "Settings without a share, because not all configurations have them or because they do not vary freely: {}.",
            suggest::list(&without)
        ));
    }
    let blocks = vec![Block::Table(table), Block::Note(notes.join(" "))];
    Some(Section { id: "importance", title: "Importance", blocks })
}

/// Returns the expectations of a sweep that has ended and is ranked by its own metric.
fn expected(state: &SweepState, overview: &Overview) -> Option<Section> {
    let has_ended = state.ended.len() == overview.record.stacks.len();
    if !has_ended || overview.metric != overview.record.metric {
        return None;
    }
    let expected = expectations::verify(overview);
    let met = expected.iter().filter(|result| result.met).count();
    let mut table = Table::new(caption(met, expected.len()), ["outcome", "claim", "expected", "found"], 0..0)
        .with_id("expectations");
    let mut above = None;
    for result in &expected {
        // a claim applies also to the expectations that follow it, and is shown once
        let claim = result.claim.as_ref().filter(|claim| above != Some(*claim));
        above = result.claim.as_ref();
        let claim = Cell::Text(claim.cloned().unwrap_or_default());
        let found = Cell::Text(result.found_text());
        table.row([Cell::Met(result.met), claim, Cell::Code(result.statement()), found]);
    }
    Some(Section { id: "expected", title: "Expectations", blocks: vec![Block::Table(table.filled()?)] })
}

fn configurations(overview: &Overview, name: &str) -> Section {
    let shown = &overview.ranking.results[..overview.ranking.results.len().min(MOST_ROWS)];
    let labels = overview.labels.labels();
    let heads =
        ["configuration", &overview.metric].into_iter().chain(labels.iter().copied()).chain(["epochs", "status"]);
    let mut table = Table::new("Configurations, best first", heads, 1..2).with_id("configurations");
    let texts = |result: &ConfigurationResult| -> Vec<Option<String>> {
        labels.iter().map(|label| overview.labels.value(label, &result.configuration.set)).collect()
    };
    for (place, result) in shown.iter().enumerate() {
        let metric = result.metric.as_ref().map_or(MISSING.to_owned(), mean_and_std);
        let is_best = place == 0 && result.outcome == Outcome::Done;
        let mut cells = vec![Cell::Code(result.configuration.name.clone()), Cell::Ranked { text: metric, is_best }];
        cells.extend(texts(result).into_iter().map(|text| Cell::Text(text.unwrap_or_else(|| MISSING.to_owned()))));
        cells.push(Cell::Text(count(result.epochs)));
        cells.push(Cell::Badges(vec![badge(result)]));
        table.row(cells);
    }
    let is_number = |cell: &Cell| match cell {
        Cell::Text(text) => *text == MISSING || text.replace(',', "").parse::<f64>().is_ok(),
        _ => false,
    };
    for column in 2..labels.len() + 3 {
        table.columns[column].is_number = table.rows.iter().all(|row| is_number(&row.cells[column]));
    }
    let mut blocks = vec![Block::Table(table)];
    let all = overview.ranking.results.len();
    if all > shown.len() {
        blocks.push(Block::Note(format!(
            "The first {} of {}: `runner sweep table {name} --csv` has all.",
            count(shown.len()),
            count(all)
        )));
    }
    Section { id: "all-configurations", title: "Configurations", blocks }
}

fn badge(result: &ConfigurationResult) -> Badge {
    match &result.outcome {
        Outcome::Done => Badge::new("verdict good", "done"),
        Outcome::Dropped(epoch) => Badge::new("verdict", format!("dropped after epoch {epoch}")),
        Outcome::Unfinished => Badge::new("verdict", "unfinished"),
        Outcome::Diverged(trials) => Badge::new("verdict diverged", format!("{trials} of {} diverged", result.done)),
        Outcome::Failed(_) => Badge::new("verdict diverged", "failed"),
    }
}

fn environment(overview: &Overview) -> Section {
    let record = overview.record;
    let mut blocks: Vec<Block> = record.command.iter().map(|command| Block::Command(1, command.clone())).collect();
    let heads = ["runner", "commit", "libtorch", "device", "threads per worker", "stacks", "replicas per stack"];
    let mut table = Table::new("Environment", heads, 0..0);
    let program = &record.program;
    table.row([
        program.runner.clone(),
        program.commit.clone(),
        program.libtorch.clone(),
        record.options.device.clone(),
        record.options.threads.to_string(),
        count(record.stacks.len()),
        record.options.stack.map_or(MISSING.to_owned(), |width| format!("at most {width}")),
    ]);
    blocks.push(Block::Table(table));
    Section { id: "environment", title: "Run it again", blocks }
}

/// Returns a static plot for readers without JavaScript; empty if it is large.
fn without_scripts(chart: SweepChart, overview: &Overview) -> String {
    let drawn = chart.draw(overview, &PageOptions::default());
    let image = static_image(drawn, "Chart; the table of configurations has its values");
    image.map(|image| format!("<noscript>{image}</noscript>")).unwrap_or_default()
}
