//! Columns of the user's table that `runner predict --keep` copies to the output.

use crate::config::hint::hinted;
use crate::config::suggest;
use crate::data::table::Table;

/// Returns the columns that the values of `--keep` may name: `a,b` is a column of that name, or the columns `a` and `b`.
pub(super) fn candidates(keep: &[String]) -> Vec<String> {
    let parts = keep.iter().flat_map(|names| split(names)).map(str::to_owned);
    keep.iter().cloned().chain(parts).collect()
}

/// Returns the kept columns of a table, each once: their names, and the values of these rows. `shown` is the table's name.
///
/// # Errors
/// If the table does not have a column.
pub(super) fn read(
    keep: &[String],
    table: &Table,
    rows: &[usize],
    shown: &str,
) -> anyhow::Result<Vec<(String, Vec<String>)>> {
    let mut kept: Vec<(String, Vec<String>)> = Vec::new();
    let names = keep.iter().flat_map(|names| match table.column(names) {
        Some(_) => vec![names.as_str()],
        None => split(names).collect(),
    });
    for name in names {
        let column = table.column(name).ok_or_else(|| {
            hinted(format!("{shown} has no column `{name}` (`--keep`)"), suggest::hint(name, table.names()))
        })?;
        if kept.iter().all(|(known, _)| known != name) {
            let values = rows.iter().map(|&row| column.text(row).unwrap_or_default());
            kept.push((name.to_owned(), values.collect()));
        }
    }
    Ok(kept)
}

fn split(names: &str) -> impl Iterator<Item = &str> {
    names.split(',').map(str::trim).filter(|name| !name.is_empty())
}

/// Returns the header of a kept column in CSV: its name, with `input_` before it if another column of the output has it.
pub(super) fn header(name: &str, others: &[String]) -> String {
    match others.iter().any(|other| other == name) {
        true => header(&format!("input_{name}"), others),
        false => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_kept_once_and_commas_separate_them_unless_a_column_has_that_name() {
        let table = Table::from_csv("id,row,\"a,b\"\n7,1,x\n8,2,y\n".as_bytes(), ',').unwrap();
        let kept = |keep: &[&str]| {
            let keep: Vec<String> = keep.iter().map(|name| (*name).to_owned()).collect();
            read(&keep, &table, &[1], "`t.csv`")
        };
        let names = |keep: &[&str]| -> Vec<String> { kept(keep).unwrap().into_iter().map(|(name, _)| name).collect() };
        assert_eq!(names(&["id,row", "id", "a,b"]), ["id", "row", "a,b"]);
        assert_eq!(kept(&["id"]).unwrap()[0].1, ["8"]);
        assert_eq!(kept(&["id,rwo"]).unwrap_err().root_cause().to_string(), "`t.csv` has no column `rwo` (`--keep`)");
        let others = ["row".to_owned(), "input_row".to_owned()];
        assert_eq!([header("row", &others), header("id", &others)], ["input_input_row", "id"]);
    }
}
