//! Checks the record of a sweep, which somebody may have edited.

use std::collections::HashSet;

use anyhow::{Context, ensure};

use crate::sweep::record::SweepRecord;

/// Checks that the stacks of a sweep have valid names, and that they train all configurations.
///
/// # Errors
/// When they do not.
pub(super) fn check(record: &SweepRecord) -> anyhow::Result<()> {
    let SweepRecord { stacks, configurations, .. } = record;
    record.halving.map_or(Ok(()), |halving| halving.check()).context("`halving` is invalid")?;
    let has_size = record.search.rounds.is_none_or(|rounds| rounds.size > 0);
    ensure!(has_size, "`rounds.size` must be at least 1, found 0");
    ensure!(!stacks.is_empty(), "`stacks` must have at least one stack, found none");
    ensure!(!configurations.is_empty(), "`configurations` must have at least one configuration, found none");
    let (mut names, mut trained) = (HashSet::new(), HashSet::new());
    for stack in stacks {
        let name = &stack.name;
        // it is the name of a directory, and the beginning of the names of leases
        let is_valid =
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        ensure!(is_valid, "names of stacks must have letters and digits only, found `{name}`");
        ensure!(names.insert(name), "names of stacks must differ, found `{name}` twice");
        ensure!(!stack.configurations.is_empty(), "stack `{name}` must have at least one configuration, found none");
        for configuration in &stack.configurations {
            let found = record.configuration(configuration);
            found.with_context(|| format!("stack `{name}` has no configuration `{configuration}`"))?;
            trained.insert(configuration);
        }
    }
    let missing = configurations.iter().find(|configuration| !trained.contains(&configuration.name));
    match missing {
        Some(missing) => anyhow::bail!("no stack trains configuration `{}`", missing.name),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::record::{StackPlan, record_for_tests};
    use crate::sweep::rounds::Rounds;

    #[test]
    fn a_record_whose_stacks_do_not_train_all_configurations_is_refused() {
        let error = |stacks: &[(&str, &[&str])]| {
            let mut record = record_for_tests(&["0000", "0001"], &[0]);
            record.stacks = stacks
                .iter()
                .map(|(name, configurations)| StackPlan {
                    name: (*name).to_owned(),
                    configurations: configurations.iter().map(|name| (*name).to_owned()).collect(),
                    seeds: None,
                })
                .collect();
            check(&record).map_err(|error| error.to_string()).err()
        };
        let both: &[&str] = &["0000", "0001"];
        assert_eq!(error(&[("S000", &["0000"]), ("S001", &["0001"])]), None);
        let mut record = record_for_tests(&["0000"], &[0]);
        record.search.rounds = Some(Rounds { size: 0, trials: 4 });
        assert!(check(&record).unwrap_err().to_string().contains("`rounds.size` must be at least 1"));
        for (stacks, words) in [
            (&[][..], "`stacks` must have at least one"),
            (&[("S000", &["0000"][..])], "no stack trains configuration `0001`"),
            (&[("S000", both), ("S000", both)], "found `S000` twice"),
            (&[("S000", both), ("S001", &[])], "stack `S001` must have at least one configuration"),
            (&[("S000", &["0000", "0001", "0002"])], "stack `S000` has no configuration `0002`"),
            (&[("../S000", both)], "found `../S000`"),
            (&[("S.000", both)], "found `S.000`"),
            (&[("", both)], "found ``"),
        ] {
            let error = error(stacks).unwrap_or_default();
            assert!(error.contains(words), "{error} {words}");
        }
    }
}
