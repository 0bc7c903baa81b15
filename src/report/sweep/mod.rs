//! The page of a sweep: the best configuration, the table of all configurations, plots and the importance of the settings.

mod confirmation;
pub mod payload;
pub mod sections;

use crate::history::number::{count, seconds};
use crate::report::frame::{self, Head};
use crate::report::html::text;
use crate::sweep::confirmation::Confirmation;
use crate::sweep::dir::SweepDir;
use crate::sweep::dir::state::SweepState;
use crate::sweep::results::Overview;

/// Scripts of the page, after those of all pages.
pub const SCRIPTS: [&str; 3] =
    [include_str!("../page/scatter.js"), include_str!("../page/parallel.js"), include_str!("../page/sweep.js")];

/// Returns the page of a sweep. `name` is how the commands on it name the sweep.
pub fn html(
    dir: &SweepDir,
    state: &SweepState,
    overview: &Overview,
    confirmation: Option<&Confirmation>,
    name: &str,
) -> String {
    let head = head(state, overview);
    let source = format!("the sweep {}", dir.path().file_name().unwrap_or_default().to_string_lossy());
    let sections = sections::all(state, overview, confirmation, name);
    frame::page(&head, &[], &sections, &text(&source), &payload::of(overview), &SCRIPTS)
}

/// Returns the head of the page.
pub fn head(state: &SweepState, overview: &Overview) -> Head {
    let document = overview.record.source.text.parse::<toml_edit::DocumentMut>().ok();
    let line = |key: &str| {
        let text = document.as_ref()?.get(key)?.as_str()?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let experiment = &overview.record.experiment;
    Head {
        kicker: format!("Sweep of {experiment}"),
        title: line("title").unwrap_or_else(|| experiment.clone()),
        questions: line("question").into_iter().collect(),
        facts: facts(state, overview),
    }
}

/// Returns the key facts below the title.
fn facts(state: &SweepState, overview: &Overview) -> Vec<(&'static str, String)> {
    let record = overview.record;
    let trials: usize = overview.ranking.results.iter().map(|result| result.done).sum();
    let took: f64 = state.ended.values().map(|end| end.seconds).sum();
    let has_one = record.seeds.len() == 1 && record.further_seeds.is_empty();
    let mut facts = vec![
        ("configurations", count(record.configurations.len())),
        (if has_one { "seed" } else { "seeds" }, record.seeds_text()),
        ("trials", count(trials)),
    ];
    if took > 0.0 {
        facts.push(("time of all workers", seconds(took)));
    }
    if let Some(rounds) = record.search.rounds {
        facts.push(("method", format!("{} in rounds of {}", record.search.method.name(), count(rounds.size))));
    }
    facts.push(("device", record.options.device.clone()));
    if let Some((day, _)) = record.started.split_once('T') {
        facts.push(("run on", day.to_owned()));
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::dir::sweep_dir::empty_for_tests;
    use crate::sweep::results::Ranking;
    use crate::sweep::results::overview::fixtures;

    const HOSTILE: &str = "</script><img src=x onerror=alert(1)>\" onload='x' {{data}}";

    fn page(change: impl FnOnce(&mut crate::sweep::record::SweepRecord)) -> String {
        let (mut record, ended) = fixtures::sweep(12);
        change(&mut record);
        let state = SweepState { ended, ..SweepState::default() };
        let overview = Overview::new(&record, Ranking::new(&record, &state.ended, false), "best.val_loss", false);
        let (_folder, dir) = empty_for_tests();
        html(&dir, &state, &overview, None, "t")
    }

    #[test]
    fn the_page_has_all_sections_and_the_best_configuration_first() {
        let page = page(|_| {});
        for id in ["summary", "by-setting", "parallel", "progress", "importance", "all-configurations", "environment"] {
            assert!(page.contains(&format!("<section class=\"card\" id=\"{id}\"")), "no section {id}");
        }
        let data = page.split_once("id=\"payload\">").unwrap().1.split_once("</script>").unwrap().0;
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        let sweep = &data["sweep"];
        assert_eq!(sweep["columns"].as_array().unwrap().len(), 3);
        let values: Vec<f64> = sweep["configurations"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["status"] == "done")
            .map(|one| one["value"].as_f64().unwrap())
            .collect();
        assert!(values.len() == 11 && values.is_sorted(), "{values:?}");
    }

    #[test]
    fn no_name_becomes_an_element_or_an_attribute() {
        let page = page(|record| {
            record.experiment = HOSTILE.to_owned();
            record.metric = HOSTILE.to_owned();
            record.command = Some(HOSTILE.to_owned());
            record.options.device = HOSTILE.to_owned();
            record.source.text = format!("title = {HOSTILE:?}\nquestion = {HOSTILE:?}");
            for configuration in &mut record.configurations {
                configuration.set.insert("train.optimizer".to_owned(), serde_json::json!(HOSTILE));
            }
            record.configurations[0].set.insert("train.optimizer".to_owned(), serde_json::json!("adam"));
        });
        assert!(!page.contains("<img src=x"), "a name became an element");
        let (before, data) = page.split_once("id=\"payload\">").unwrap();
        let (_, after) = data.split_once("</script>").unwrap();
        assert!(!before.contains("\" onload=") && !after.contains("\" onload="), "a name left its attribute");
        assert_eq!(page.matches("</script").count(), 3, "a name ended a script");
    }
}
