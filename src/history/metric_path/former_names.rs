//! Former names of metric paths. Experiment files and command lines may use them for ever.

use std::borrow::Cow;

/// Former paths and their current names. A path includes all paths below it.
const RENAMED: [(&str, &str); 6] = [
    ("diagnosis.verdict", "diagnosis.label"),
    ("diagnosis.gap", "diagnosis.val_loss_rise"),
    ("test.positives", "test.prevalence"),
    ("data.resample.leak", "data.resample.leakage"),
    ("data.resample.from", "data.resample.rows_before"),
    ("data.resample.to", "data.resample.rows_after"),
];

/// Returns the current name of a metric path: `diagnosis.label` for `diagnosis.verdict`. Other paths stay as they are.
pub fn current(path: &str) -> Cow<'_, str> {
    let renamed = RENAMED.iter().find_map(|(former, current)| {
        let below = path.strip_prefix(former)?;
        (below.is_empty() || below.starts_with('.')).then(|| format!("{current}{below}"))
    });
    renamed.map_or(Cow::Borrowed(path), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn former_paths_become_current_ones_and_others_stay() {
        assert_eq!(current("diagnosis.verdict"), "diagnosis.label");
        assert_eq!(current("data.resample.from.1"), "data.resample.rows_before.1");
        for path in ["diagnosis.label", "diagnosis.verdicts", "data.resample.tool", "status", ""] {
            assert!(matches!(current(path), Cow::Borrowed(same) if same == path), "{path}");
        }
    }
}
