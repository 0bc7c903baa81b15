//! The compared groups under short labels, A, B, C, …, with a legend of their full names.

use crate::cli::commands::compare::overview;
use crate::cli::text::column::Column;
use crate::cli::text::number_format::counted;
use crate::cli::text::text_style::TextStyle;
use crate::compare::comparison::Comparison;
use crate::compare::group::Group;

/// Maximum number of groups that are shown without `--all`, in addition to the baseline.
const MAX_SHOWN: usize = 20;
/// Blanks between two columns of the legend.
const GAP: usize = 3;

/// Compared groups, labeled A, B, C, …
pub(crate) struct Screen {
    /// The groups, with their letters as labels.
    pub(crate) groups: Vec<Group>,
    pub(crate) comparison: Comparison,
    /// Indices of the groups that are shown.
    pub(crate) shown: Vec<usize>,
    /// Whether everything is shown.
    pub(crate) all: bool,
    /// Whether the user named the baseline.
    pub(crate) is_baseline_named: bool,
    /// Full names of the groups.
    names: Vec<String>,
    /// Whether the groups are sorted, best first.
    is_sorted: bool,
}

impl Screen {
    /// Labels the groups. More than [`MAX_SHOWN`] are sorted, best first, if a metric ranks them; without `all`, only the
    /// first ones and the baseline are shown.
    pub(crate) fn new(
        mut groups: Vec<Group>,
        mut comparison: Comparison,
        all: bool,
        is_baseline_named: bool,
    ) -> Screen {
        let order = comparison.best_first(&groups).filter(|_| groups.len() > MAX_SHOWN);
        let is_sorted = order.is_some();
        if let Some(order) = order {
            comparison.reorder(&order);
            let mut unordered: Vec<Option<Group>> = groups.into_iter().map(Some).collect();
            groups = order.iter().filter_map(|&place| unordered[place].take()).collect();
        }
        let relabel = |(place, group): (usize, &mut Group)| std::mem::replace(&mut group.label, letters(place));
        let names = groups.iter_mut().enumerate().map(relabel).collect();
        let is_shown = |place: &usize| all || *place < MAX_SHOWN || *place == comparison.baseline;
        let shown = (0..groups.len()).filter(is_shown).collect();
        Screen { groups, comparison, shown, all, is_baseline_named, names, is_sorted }
    }

    /// Returns the label of the baseline.
    pub(crate) fn baseline(&self) -> &str {
        &self.groups[self.comparison.baseline].label
    }

    /// Returns the title, and the legend unless the first table has the names.
    pub(crate) fn legend(&self, page: TextStyle) -> String {
        let trials = self.trials();
        let mut title = self.what();
        if trials.iter().all(|other| *other == trials[0]) {
            title.push_str(&match self.groups[0].experiment() {
                None => format!(" ({})", trials[0]),
                Some(_) if self.groups.len() > 1 => format!(", each with {}", trials[0]),
                Some(_) => format!(", {}", trials[0]),
            });
        }
        if self.shown.len() < self.groups.len() {
            title.push_str(&match self.comparison.ranked_by().filter(|_| self.is_sorted) {
                Some(metric) => format!("; the best {MAX_SHOWN} by {}", super::table::metric_label(&metric.name)),
                None => format!("; the first {MAX_SHOWN}"),
            });
            title.push_str(" (`--all` shows all)");
        }
        let title = page.wrapped(&title, 2);
        match self.has_names_in_table(page) {
            true => title,
            false => format!("{title}\n{}", in_columns(&self.entries(), page)),
        }
    }

    /// Returns the labels of the table's rows, with the names if the table is the legend, too.
    pub(crate) fn labels(&self, page: TextStyle) -> Column {
        let entries = self.entries();
        let width = entries.iter().map(|(label, _)| label.len()).max().unwrap_or_default();
        let has_names = self.has_names_in_table(page);
        let label = |(label, name): (&str, String)| {
            if has_names { format!("{label:width$}  {name}") } else { label.to_owned() }
        };
        Column::words("", entries.into_iter().map(label))
    }

    /// Returns whether the first table is the legend of many groups: if their names leave room for metrics.
    fn has_names_in_table(&self, page: TextStyle) -> bool {
        let width = |(label, name): (&str, String)| label.len() + 2 + name.chars().count();
        self.has_many() && self.entries().into_iter().map(width).max() <= Some(page.width * 3 / 5)
    }

    /// Returns the label and the name of each group that is shown; with its trials if they differ.
    fn entries(&self) -> Vec<(&str, String)> {
        let trials = self.trials();
        let have_same_trials = trials.iter().all(|other| *other == trials[0]);
        let entry = |&place: &usize| {
            let trials = if have_same_trials { String::new() } else { format!(" ({})", trials[place]) };
            (self.groups[place].label.as_str(), format!("{}{trials}", self.names[place]))
        };
        self.shown.iter().map(entry).collect()
    }

    /// Returns the trials of each group in words.
    fn trials(&self) -> Vec<String> {
        self.groups.iter().map(overview::trials).collect()
    }

    /// Returns whether there are more groups than are shown without `--all`.
    pub(crate) fn has_many(&self) -> bool {
        self.groups.len() > MAX_SHOWN
    }

    fn are_of_one_experiment(&self) -> bool {
        let experiment = self.groups[0].experiment();
        experiment.is_some() && self.groups.iter().all(|group| group.experiment() == experiment)
    }

    /// Returns whether the groups are variants of one experiment.
    pub(crate) fn are_variants(&self) -> bool {
        self.are_of_one_experiment() && self.groups.iter().any(|group| group.variant() != Some("base"))
    }

    /// Returns the number of the groups and what they are.
    fn what(&self) -> String {
        let experiment = self.groups[0].experiment();
        let same = experiment.filter(|_| self.are_of_one_experiment());
        let noun = if self.are_variants() { "variant" } else { "run" };
        let of = same.map(|name| format!(" of {name}")).unwrap_or_default();
        format!("{}{of}", counted(self.groups.len(), noun))
    }
}

/// Returns the label of a place: A to Z, then AA, AB, …
fn letters(place: usize) -> String {
    let last = char::from(b'A' + u8::try_from(place % 26).unwrap_or_default());
    match place / 26 {
        0 => last.to_string(),
        more => format!("{}{last}", letters(more - 1)),
    }
}

/// Returns the entries of the legend side by side, as many as fit. A name that is longer than a line continues on the
/// next one.
fn in_columns(entries: &[(&str, String)], page: TextStyle) -> String {
    let label_width = entries.iter().map(|(label, _)| label.len()).max().unwrap_or_default();
    let room = page.width.saturating_sub(label_width + 2).max(1);
    let name_width = entries.iter().map(|(_, name)| name.chars().count()).max().unwrap_or_default();
    let width = label_width + 2 + name_width.min(room);
    let columns = ((page.width + GAP) / (width + GAP)).max(1);
    let text = |(label, name): &(&str, String)| {
        let letters: Vec<char> = name.chars().collect();
        let lines: Vec<String> = letters.chunks(room).map(|line| line.iter().collect()).collect();
        format!("{label:label_width$}  {}", lines.join(&format!("\n{:width$}", "", width = label_width + 2)))
    };
    let rows = entries.len().div_ceil(columns);
    let row = |row: usize| {
        let cells = entries.iter().skip(row).step_by(rows).map(|entry| format!("{:width$}", text(entry)));
        cells.collect::<Vec<_>>().join(&" ".repeat(GAP)).trim_end().to_owned()
    };
    (0..rows).map(row).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: TextStyle = TextStyle { width: 40, styled: false };

    #[test]
    fn labels_are_those_of_a_spreadsheet() {
        assert_eq!([0, 25, 26, 51, 52, 701, 702].map(letters), ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]);
    }

    #[test]
    fn short_names_are_side_by_side_and_long_ones_are_never_cut() {
        let entries = |names: &[&str]| -> Vec<(&str, String)> {
            ["A", "B", "C"].into_iter().zip(names).map(|(label, name)| (label, (*name).to_owned())).collect()
        };
        assert_eq!(in_columns(&entries(&["one", "another", "third"]), PAGE), "A  one       B  another   C  third");
        let long = "a".repeat(50);
        let text = in_columns(&entries(&["one", &long]), PAGE);
        assert_eq!(text, format!("A  one\nB  {}\n   {}", &long[..37], &long[37..]));
    }
}
