//! Tables of an experiment's variants: losses and metrics of the saved weights, and the diagnosis.

use crate::compare::statistics::sample::Sample;
use crate::history::History;
use crate::history::number::spread;
use crate::views::document::table::{Cell, Column, Table};
use crate::views::metric_column::MetricColumn;
use crate::views::variants::legend;
use crate::views::variants::ranking::{best_by, meaning_of_mark};
use crate::views::variants::variant::Variant;

/// Returns the explanation of the rise of the validation loss; empty if no trial has one.
pub fn meaning_of_rise(trials: &[&History]) -> &'static str {
    let has_rise = trials.iter().any(|history| MetricColumn::ValLossRise.value(history).is_some());
    if has_rise { "; rise: last val_loss minus its lowest" } else { "" }
}

/// Returns the table of losses and metrics, and that of metrics at the chosen thresholds if there are any; each with its
/// legend as caption. `mark` is how the renderer marks the best: `bold`.
pub fn tables(variants: &[Variant], mark: &str) -> Vec<Table> {
    let trials: Vec<&History> = variants.iter().flat_map(|variant| variant.trials.iter().copied()).collect();
    let mut groups = MetricColumn::groups(&trials, true);
    let test_loss = MetricColumn::test_loss();
    if let Some(losses) = groups.first_mut().filter(|_| trials.iter().any(|trial| test_loss.value(trial).is_some())) {
        losses.push(test_loss);
    }
    let columns = groups.concat();
    let has_best = columns.iter().any(|column| best_by(column, variants).contains(&true));
    let best = meaning_of_mark(variants, has_best);
    let best = best.map(|best| if has_best { format!("; {mark}: {best}") } else { format!("; {best}") });
    let caption = format!("{}{}{}", legend::of(&trials), meaning_of_rise(&trials), best.unwrap_or_default());
    let mut main = of_columns(caption, &columns, variants);
    main.columns.push(Column { head: "diagnosis".to_owned(), is_number: false });
    for (row, variant) in main.rows.iter_mut().zip(variants) {
        row.cells.push(variant.diagnosis().into());
    }
    let at_threshold = MetricColumn::at_threshold(&trials).concat();
    let at_threshold = of_columns(legend::at_threshold(&trials), &at_threshold, variants);
    std::iter::once(main).chain(Some(at_threshold).filter(|table| table.columns.len() > 1)).collect()
}

fn of_columns(caption: String, columns: &[MetricColumn], variants: &[Variant]) -> Table {
    let heads = std::iter::once("variant".to_owned()).chain(columns.iter().map(MetricColumn::name));
    let mut table = Table::new(caption, heads, 1..);
    let marks: Vec<Vec<bool>> = columns.iter().map(|column| best_by(column, variants)).collect();
    for (place, variant) in variants.iter().enumerate() {
        let cells = columns.iter().zip(&marks).map(|(column, marks)| {
            let sample = Sample::from_values(&variant.values(|history| column.value(history)));
            let std = sample.as_ref().and_then(|of| Some(format!(" ± {}", spread(Some(of.mean), Some(of.std?)))));
            let text = format!("{}{}", column.text(sample.map(|of| of.mean)), std.unwrap_or_default());
            Cell::Ranked { text, is_best: marks[place] }
        });
        table.row(std::iter::once(Cell::Label(place, variant.name.to_owned())).chain(cells));
    }
    table
}
