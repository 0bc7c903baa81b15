//! Titles and subtitles of plots, and the noun for their trials.

use crate::compare::group::Group;
use crate::history::number::counted;
use crate::plot::charts::metric_labels::list;

/// Returns the title: that of the experiment, with the variant of a single group.
pub fn title(groups: &[&Group]) -> String {
    let title = |group: &Group| group.config().and_then(|config| Some(config.get("title")?.as_str()?.to_owned()));
    match groups {
        [group] => match (title(group), group.variant()) {
            (Some(title), Some("base") | None) => title,
            (Some(title), Some(variant)) => format!("{title}: {variant}"),
            (None, _) => group.label.clone(),
        },
        groups => {
            let labels: Vec<&str> = groups.iter().map(|group| group.label.as_str()).collect();
            let first = groups.first().and_then(|group| group.experiment());
            let is_one = first.is_some() && groups.iter().all(|group| group.experiment() == first);
            let shared = if is_one { groups.first().and_then(|group| title(group)) } else { None };
            shared.unwrap_or_else(|| list(&labels, 4))
        }
    }
}

/// Returns the title followed by the kind of plot.
pub fn title_of_kind(groups: &[&Group], what: &str) -> String {
    format!("{} – {what}", title(groups))
}

/// Returns the subtitle: experiments, data, and number of trials.
pub fn subtitle(groups: &[&Group]) -> String {
    let mut experiments: Vec<&str> = groups.iter().filter_map(|group| group.experiment()).collect();
    experiments.dedup();
    let histories = groups.iter().flat_map(|group| &group.trials).filter_map(|trial| trial.history());
    let mut data: Vec<&str> = histories.map(|history| history.data.name.as_str()).collect();
    data.dedup();
    let mut parts = Vec::new();
    match (&experiments[..], &data[..]) {
        ([], _) => {}
        // the title already names the experiments
        ([_, _, ..], [one]) => parts.push((*one).to_owned()),
        ([_, _, ..], _) => {}
        (names, [one]) => parts.push(format!("{} on {one}", list(names, 4))),
        (names, _) => parts.push(list(names, 4)),
    }
    parts.extend(trials(groups));
    parts.join(" · ")
}

/// Returns the number of trials per group, if any group has several.
fn trials(groups: &[&Group]) -> Option<String> {
    let counts: Vec<usize> = groups.iter().map(|group| group.trials.len()).collect();
    let (least, most) = (*counts.iter().min()?, *counts.iter().max()?);
    let each = if groups.len() > 1 { " each" } else { "" };
    match (least, most) {
        (1, 1) => {
            let lone = groups.first().filter(|group| groups.len() == 1 && group.experiment().is_some());
            lone.map(|group| group.trials[0].name())
        }
        (least, most) if least == most => Some(format!("{}{each}", counted(most, trial_noun(groups)))),
        (least, most) => Some(format!("{least} to {}{each}", counted(most, trial_noun(groups)))),
    }
}

/// Returns the noun for the trials of these groups: fold, seed or trial.
pub fn trial_noun(groups: &[&Group]) -> &'static str {
    let folds = |group: &&&Group| group.trials.iter().any(|trial| trial.fold().is_some());
    let seeds = |group: &&&Group| group.seeds().len() > 1;
    let ours = groups.iter().flat_map(|group| &group.trials).all(|trial| trial.history().is_some());
    match (groups.iter().any(|group| folds(&group)), groups.iter().any(|group| seeds(&group))) {
        (true, false) if ours => "fold",
        (false, _) if ours => "seed",
        _ => "trial",
    }
}
