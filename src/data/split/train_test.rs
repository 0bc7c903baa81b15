//! Splits in two parts with the same rows as scikit-learn 1.9's `train_test_split`.

use crate::config::check::Invalid;
use crate::data::split::numpy_random::RandomState;

/// Checks the classes as scikit-learn does: each has at least two rows, and each part has a row for each class.
pub(super) fn check_classes(classes: &[i64], share: f64, names: &[String]) -> Result<(), Invalid> {
    let rows_of_class = rows_by_class(classes);
    if let Some(alone) = rows_of_class.iter().find(|rows| rows.len() < 2) {
        let class = classes[alone[0]];
        let name = names.get(class as usize).cloned().unwrap_or_else(|| class.to_string());
        let message = format!("needs at least two rows of each class, but class `{name}` has one");
        return Err(Invalid::new("stratify", message).hint("remove `stratify`, or the row"));
    }
    let off = held_out(classes.len(), share);
    let smaller = off.min(classes.len() - off);
    if smaller < rows_of_class.len() {
        let message = format!(
            "needs a row of each of the {} classes in each part, but a part has {smaller} {}",
            rows_of_class.len(),
            if smaller == 1 { "row" } else { "rows" }
        );
        return Err(Invalid::new("stratify", message).hint("remove `stratify`, or change the fraction"));
    }
    Ok(())
}

/// Returns the number of rows that scikit-learn holds out: the fraction of the rows, rounded up.
pub(super) fn held_out(rows: usize, share: f64) -> usize {
    (rows as f64 * share).ceil() as usize
}

/// `sklearn.model_selection.train_test_split(range(rows), test_size=share, random_state=…)`.
///
/// Returns the kept and the held-out row indices. `share` must be in (0, 1).
pub fn train_test_split(rows: usize, share: f64, random_state: u32) -> (Vec<usize>, Vec<usize>) {
    let off = held_out(rows, share);
    let mut order = RandomState::new(random_state).permutation(rows);
    let kept = order.split_off(off.min(rows));
    (kept, order)
}

/// Like [`train_test_split`] with `stratify=labels`.
///
/// The parts have the class proportions of all rows, as far as whole rows allow. Rows that are left over by rounding go
/// to random classes, as in scikit-learn.
pub fn train_test_split_stratified(labels: &[i64], share: f64, random_state: u32) -> (Vec<usize>, Vec<usize>) {
    let off = held_out(labels.len(), share);
    let kept = labels.len() - off;
    let rows_of_class = rows_by_class(labels);
    let counts: Vec<usize> = rows_of_class.iter().map(Vec::len).collect();

    let mut random = RandomState::new(random_state);
    let kept_of_class = approximate_mode(&counts, kept, &mut random);
    let left: Vec<usize> = counts.iter().zip(&kept_of_class).map(|(count, kept)| count - kept).collect();
    let off_of_class = approximate_mode(&left, off, &mut random);

    let (mut kept_rows, mut off_rows) = (Vec::with_capacity(kept), Vec::with_capacity(off));
    for (class, rows) in rows_of_class.iter().enumerate() {
        let order = random.permutation(rows.len());
        let (kept, off) = (kept_of_class[class], off_of_class[class]);
        kept_rows.extend(order[..kept].iter().map(|&i| rows[i]));
        off_rows.extend(order[kept..kept + off].iter().map(|&i| rows[i]));
    }
    random.shuffle(&mut kept_rows);
    random.shuffle(&mut off_rows);
    (kept_rows, off_rows)
}

/// Returns the row indices of each class that occurs, classes ascending.
fn rows_by_class(labels: &[i64]) -> Vec<Vec<usize>> {
    let mut classes = labels.to_vec();
    classes.sort_unstable();
    classes.dedup();
    let mut rows = vec![Vec::new(); classes.len()];
    for (row, label) in labels.iter().enumerate() {
        rows[classes.partition_point(|class| class < label)].push(row);
    }
    rows
}

/// Returns the most probable class counts of `draws` rows drawn without replacement; ties are broken at random.
fn approximate_mode(counts: &[usize], draws: usize, random: &mut RandomState) -> Vec<usize> {
    let total: usize = counts.iter().sum();
    let exact: Vec<f64> = counts.iter().map(|&count| count as f64 / total as f64 * draws as f64).collect();
    let mut taken: Vec<usize> = exact.iter().map(|share| share.floor() as usize).collect();
    let mut missing = draws - taken.iter().sum::<usize>();
    let remainders: Vec<f64> = exact.iter().map(|share| share - share.floor()).collect();
    let mut distinct = remainders.clone();
    distinct.sort_by(|a, b| b.total_cmp(a));
    distinct.dedup();
    for remainder in distinct {
        if missing == 0 {
            break;
        }
        let tied: Vec<usize> = (0..counts.len()).filter(|&class| remainders[class] == remainder).collect();
        let more = tied.len().min(missing);
        for class in random.choose(&tied, more) {
            taken[class] += 1;
        }
        missing -= more;
    }
    taken
}
