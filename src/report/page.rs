//! The page of runs: its sections in order, with the data of their charts.

use crate::compare::find::Found;
use crate::compare::group::Group;
use crate::plot::charts::best_first::best_first;
use crate::report::frame::{self, Head};
use crate::report::html;
use crate::report::{curves, payload};
use crate::views::classes::{by_class, thresholds};
use crate::views::document::block::Section;
use crate::views::trials::Runs;
use crate::views::{data, expectations, layers, metrics, references, settings, summary, title};

/// Returns the page for these runs.
pub fn html(found: &Found) -> String {
    let first = found.groups.first().map(|group| group.label.as_str());
    let groups = &best_first_of_run(found);
    let runs = Runs::of_groups(groups);
    let sections: Vec<Section> = [
        Some(summary::section(groups, first)),
        curves::section(groups),
        Some(metrics::section(groups)),
        expectations::section(&runs),
        references::section(&runs),
        by_class::section(groups),
        thresholds::section(groups),
        settings::section(groups, settings::Shown::All),
        layers::section(groups),
        layers::observed_section(groups),
        layers::learned_section(groups),
        data::section(groups),
        data::environment(groups),
    ]
    .into_iter()
    .flatten()
    .collect();
    let boxes: Vec<String> = summary::boxes(found).map(|block| html::block(&block)).collect();
    let trials: usize = groups.iter().map(|group| group.trials.len()).sum();
    let histories = if trials == 1 { "one history".to_owned() } else { format!("{trials} histories") };
    let head = Head {
        kicker: title::kicker(groups),
        title: title::title(groups),
        questions: title::questions(groups),
        facts: title::facts(groups),
    };
    frame::page(&head, &boxes, &sections, &histories, &payload::of(groups), &[])
}

/// Returns the groups. Variants of one run are ranked; several runs keep the order in which they are named.
fn best_first_of_run(found: &Found) -> Vec<Group> {
    let groups = found.groups.clone();
    if found.named.windows(2).all(|pair| pair[0] == pair[1]) { best_first(groups) } else { groups }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::compare::trial::Trial;
    use crate::history::test_record::TestRecord;
    use crate::history::{History, LayerRecord, NetworkRecord, trial_for_tests};

    const HOSTILE: &str = "</script><img src=x onerror=alert(1)>\" onload='x' {{data}}";

    /// Returns a trial with a hostile string in every field that holds a name.
    fn hostile() -> Found {
        let mut history = trial_for_tests(HOSTILE, 0, 1.0);
        history.experiment = HOSTILE.to_owned();
        history.config = serde_json::json!({ "title": HOSTILE, "question": HOSTILE, "train": { HOSTILE: HOSTILE } });
        history.started = HOSTILE.to_owned();
        history.data.name = HOSTILE.to_owned();
        history.data.sha256 = HOSTILE.to_owned();
        history.data.classes = vec![HOSTILE.to_owned(), HOSTILE.to_owned()];
        history.environment.device = HOSTILE.to_owned();
        history.environment.os = HOSTILE.to_owned();
        history.history.push(2, &[("loss", f64::NAN), (HOSTILE, 0.5)]);
        let layer = LayerRecord { name: HOSTILE.to_owned(), kind: HOSTILE.to_owned(), output: vec![1], parameters: 1 };
        history.network = Some(NetworkRecord { layers: vec![layer], parameters: 1 });
        history.test = Some(TestRecord {
            weights: HOSTILE.to_owned(),
            confusion: Some(vec![vec![1, 2], vec![3, 4]]),
            metrics: [(HOSTILE.to_owned(), crate::history::number::Number(0.5))].into_iter().collect(),
            ..TestRecord::default()
        });
        let group = |history: History| Group {
            label: HOSTILE.to_owned(),
            trials: vec![Trial::from_history(history, PathBuf::from(HOSTILE))],
        };
        Found {
            groups: vec![group(history.clone()), group(history)],
            faults: vec![anyhow::anyhow!(HOSTILE)],
            notes: vec![HOSTILE.to_owned()],
            named: Vec::new(),
        }
    }

    #[test]
    fn no_name_becomes_an_element_or_an_attribute() {
        let page = html(&hostile());
        assert!(!page.contains("<img src=x"), "a name became an element");
        let (before, data) = page.split_once("id=\"payload\">").unwrap();
        let (data, after) = data.split_once("</script>").unwrap();
        assert!(!before.contains("\" onload=") && !after.contains("\" onload="), "a name left its attribute");
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(data["groups"][0]["label"], HOSTILE);
        let scripts = page.matches("</script").count();
        assert_eq!(scripts, 3, "a name ended a script");
    }
}
