//! A table that reads well in a terminal and in Markdown: cells are padded.

/// A table; its first column holds words, the others figures.
#[derive(Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new<const N: usize>(header: [&str; N]) -> Self {
        Self { rows: vec![header.map(str::to_owned).to_vec()] }
    }

    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The lines, each with its end.
    pub fn text(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let cell = |row: &[String], column: usize| row.get(column).map_or("", |cell| cell.as_str()).replace('|', "\\|");
        let width = |column| self.rows.iter().map(|row| cell(row, column).chars().count()).max().unwrap_or(0).max(3);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for (place, row) in self.rows.iter().enumerate() {
            let cells = widths.iter().enumerate().map(|(column, &width)| match column {
                0 => format!(" {:<width$} |", cell(row, column)),
                _ => format!(" {:>width$} |", cell(row, column)),
            });
            text += &format!("|{}\n", cells.collect::<String>());
            if place == 0 {
                let rules = widths.iter().enumerate().map(|(column, &width)| match column {
                    0 => format!("{}|", "-".repeat(width + 2)),
                    _ => format!("{}:|", "-".repeat(width + 1)),
                });
                text += &format!("|{}\n", rules.collect::<String>());
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_padded_to_their_column_and_missing_ones_are_empty() {
        let mut table = Table::new(["", "seconds", "×"]);
        table.row(["ours".to_owned(), "0.24".to_owned(), String::new()]);
        table.row(["a|b".to_owned(), "1".to_owned()]);
        let expected = "\
|      | seconds |   × |
|------|--------:|----:|
| ours |    0.24 |     |
| a\\|b |       1 |     |
";
        assert_eq!(table.text(), expected);
    }
}
