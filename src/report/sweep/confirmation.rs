//! Section of the newest confirmation.

use crate::compare::statistics::sample::Sample;
use crate::experiment::spec::seeds;
use crate::history::number::{brief, p_value};
use crate::sweep::confirmation::{Confirmation, Standing};
use crate::views::document::block::{Block, Section};
use crate::views::document::statistic::{MISSING, mean_and_std};
use crate::views::document::table::{Cell, Table};

/// Returns the best configurations on fresh seeds.
pub(super) fn section(confirmation: &Confirmation) -> Section {
    let heads = ["configuration", confirmation.by.metric, "in the search"].into_iter();
    let heads = heads.chain(confirmation.test_metric.as_deref()).chain(["p-value", "conclusion"]);
    let caption = format!("The best configurations on seeds {}", seeds::format(&confirmation.plan.seeds));
    let mut table = Table::new(caption, heads, 0..0).with_id("confirmation");
    let sample = |sample: &Option<Sample>| sample.as_ref().map_or(MISSING.to_owned(), mean_and_std);
    for one in &confirmation.results {
        let is_best = one.standing == Standing::Best;
        let mut cells = vec![
            Cell::Code(one.name().to_owned()),
            Cell::Ranked { text: sample(&one.result.metric), is_best },
            Cell::Text(one.in_search.map_or(MISSING.to_owned(), brief)),
        ];
        cells.extend(confirmation.test_metric.iter().map(|_| Cell::Text(sample(&one.test))));
        cells.push(Cell::Text(one.p.map_or(MISSING.to_owned(), p_value)));
        cells.push(Cell::Text(one.standing.words().to_owned()));
        table.row(cells);
    }
    let mut conclusion = confirmation.conclusion();
    conclusion.get_mut(..1).map(str::make_ascii_uppercase).unwrap_or_default();
    let note = "p: paired permutation test against the best configuration, with Holm's correction for all pairs. The seeds are fresh: \
                they were not used for the selection.";
    let blocks = vec![Block::Paragraph(conclusion + "."), Block::Table(table), Block::Note(note.to_owned())];
    Section { id: "confirmation", title: "Confirmation", blocks }
}
