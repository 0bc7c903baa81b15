//! The data of stacks: all trials of a sweep are trained on the same.

use anyhow::{Context, anyhow, ensure};

use crate::config::hint::{Hint, into_error};
use crate::data::source::DataSpec;
use crate::experiment::plan::study::Study;
use crate::experiment::store::run_record::RunRecord;
use crate::experiment::store::stack_record::groups_of;
use crate::run_dir::RunDir;
use crate::sweep::dir::{SweepDir, data_sum};

/// Check of the data that a worker trains on.
#[derive(Clone, Copy, Debug)]
pub(super) struct DataCheck<'a> {
    /// Directory of the sweep, which has the checksums.
    pub dir: &'a SweepDir,
    /// Whether the data may differ from those of the sweep. Also then, a stack is trained on the same data from its
    /// beginning to its end.
    pub may_differ: bool,
}

impl DataCheck<'_> {
    /// Returns the checksum that data must have; `None` if it is not known.
    ///
    /// # Errors
    /// When the data differ and cannot be read.
    pub fn expected(&self, data: &DataSpec) -> anyhow::Result<Option<String>> {
        match self.may_differ {
            true => data.checksum_of_files().map_err(into_error),
            false => Ok(data_sum::known(self.dir, data)),
        }
    }

    /// Returns whether the run in the directory of a stack, if any, was trained on other data.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn is_of_other_data(&self, folder: &RunDir, study: &Study) -> anyhow::Result<bool> {
        let Ok(record) = RunRecord::read(folder.path()) else { return Ok(false) };
        for (group, plans) in record.groups.iter().zip(groups_of(&record.groups, &study.plans)) {
            let expected = self.expected(&plans[0].spec.data)?;
            if !group.data.is_empty() && expected.is_some_and(|expected| expected != group.data) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Checks the checksum of loaded data. The first worker that has loaded them records it.
    ///
    /// # Errors
    /// When the data differ from those of the sweep, or the checksum cannot be recorded.
    pub fn check(&self, data: &DataSpec, sum: &str) -> anyhow::Result<()> {
        let known = match data_sum::known(self.dir, data) {
            Some(known) => known,
            None => data_sum::record(self.dir, data, sum).context("failed to record the checksum of the data")?,
        };
        ensure!(self.may_differ || known == sum, changed(data, &known, sum));
        Ok(())
    }
}

/// Returns the error about data whose checksum was `known`, and is now `found`.
pub fn changed(data: &DataSpec, known: &str, found: &str) -> anyhow::Error {
    let short = |sum: &str| sum.chars().take(12).collect::<String>();
    let message = format!(
        "the data of `{}` have changed since the sweep started: their checksum was {}… and is now {}…",
        data.name(),
        short(known),
        short(found)
    );
    anyhow!(message).context(Hint("restore the data, start a new sweep, or mix the results with `--force`".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::spec::Spec;
    use crate::experiment::spec::source_text::SourceText;
    use crate::sweep::dir::sweep_dir::empty_for_tests;

    fn data() -> DataSpec {
        let text = "title = \"t\"\n[data.digits]\n[tree]\n";
        let source = SourceText { text: text.to_owned(), ..SourceText::default() };
        let spec: Spec = source.parse().unwrap();
        spec.data
    }

    #[test]
    fn the_first_checksum_counts_unless_data_may_differ() {
        let (_folder, dir) = empty_for_tests();
        let (data, check) = (data(), DataCheck { dir: &dir, may_differ: false });
        assert_eq!(check.expected(&data).unwrap(), None);
        check.check(&data, "0123456789abcdef").unwrap();
        check.check(&data, "0123456789abcdef").unwrap();
        assert_eq!(check.expected(&data).unwrap().as_deref(), Some("0123456789abcdef"));
        let error = format!("{:#}", check.check(&data, "ÄÖÜ").unwrap_err());
        assert!(error.contains("their checksum was 0123456789ab… and is now ÄÖÜ…"), "{error}");
        let forced = DataCheck { may_differ: true, ..check };
        forced.check(&data, "fedcba9876543210").unwrap();
        assert_eq!(check.expected(&data).unwrap().as_deref(), Some("0123456789abcdef"), "the sweep's own");
        assert_eq!(forced.expected(&data).unwrap(), None, "named data sets cannot change");
    }
}
