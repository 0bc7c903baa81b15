//! Assembles the page: the sections in order, inserted into `page.html` with its style, scripts and data.

use crate::compare::find::Found;
use crate::compare::group::Group;
use crate::config::hint::in_a_line;
use crate::plot::charts::best_first::best_first;
use crate::report::html::{self, json, text};
use crate::report::{curves, payload};
use crate::views::classes::{by_class, thresholds};
use crate::views::document::block::{Section, callout};
use crate::views::trials::Runs;
use crate::views::{data, expectations, layers, metrics, references, settings, summary, title};

const FRAME: &str = include_str!("page/page.html");
const STYLE: [&str; 2] = [include_str!("vendor/uplot/uPlot.min.css"), include_str!("page/style.css")];
const LIBRARY: &str = include_str!("vendor/uplot/uPlot.iife.min.js");
const LICENSE: &str = include_str!("vendor/uplot/LICENSE");
const SCRIPTS: [&str; 7] = [
    include_str!("page/marks.js"),
    include_str!("page/chart.js"),
    include_str!("page/curves.js"),
    include_str!("page/plane.js"),
    include_str!("page/details.js"),
    include_str!("page/tables.js"),
    include_str!("page/page.js"),
];

/// Marks a file as a report of runner.
pub const SIGN: &str = "<meta name=\"generator\" content=\"runner report\">";

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
    let links: Vec<String> =
        sections.iter().map(|section| format!("<li><a href=\"#{}\">{}</a></li>", section.id, section.title)).collect();
    let faults = found.faults.iter().map(in_a_line).collect();
    let boxes = [
        callout(true, "Some of the runs cannot be read; the others are below", faults),
        callout(false, "Notes", found.notes.clone()),
    ];
    let boxes = boxes.iter().flatten().map(html::block);
    let main: Vec<String> = boxes.chain(sections.iter().map(html::section)).collect();
    let trials: usize = groups.iter().map(|group| group.trials.len()).sum();
    let histories = if trials == 1 { "one history".to_owned() } else { format!("{trials} histories") };
    let footer = format!(
        "<p>Written by runner {} from {histories}. Charts by uPlot, © Leon Sorokin, under the MIT license. The file holds everything that it shows, and needs no network.</p>",
        env!("CARGO_PKG_VERSION")
    );
    fill(&[
        ("title", &text(&format!("{} – runner", title::title(groups)))),
        ("style", &STYLE.join("\n")),
        ("header", &header(groups)),
        ("sections", &links.join("\n")),
        ("main", &main.join("\n")),
        ("footer", &footer),
        ("data", &json(&payload::of(groups))),
        ("library", &format!("/*!\n{LICENSE}*/\n{LIBRARY}")),
        ("script", &SCRIPTS.join("\n")),
    ])
}

/// Returns the groups. Variants of one run are ranked; several runs keep the order in which they are named.
fn best_first_of_run(found: &Found) -> Vec<Group> {
    let groups = found.groups.clone();
    if found.named.windows(2).all(|pair| pair[0] == pair[1]) { best_first(groups) } else { groups }
}

/// Returns the head of the page.
fn header(groups: &[Group]) -> String {
    let questions = title::questions(groups);
    let questions: String =
        questions.iter().map(|question| format!("<p class=\"question\">{}</p>\n", text(question))).collect();
    let facts = title::facts(groups);
    let fact = |(name, fact): &(&str, String)| format!("<div><dt>{}</dt><dd>{}</dd></div>", text(name), text(fact));
    let facts: String = facts.iter().map(fact).collect();
    format!(
        "<header class=\"top\"><div class=\"wrap\">\n<div><p class=\"kicker\">{}</p>\n<h1>{}</h1></div>\n\
         <div class=\"needs-js\"><button type=\"button\" id=\"theme\">Dark colors</button></div>\n{questions}\
         <dl class=\"facts\">{facts}</dl>\n</div></header>",
        text(&title::kicker(groups)),
        text(&title::title(groups))
    )
}

/// Fills the placeholders of the template in one pass; inserted text is not searched for placeholders.
fn fill(parts: &[(&str, &str)]) -> String {
    let mut page = String::with_capacity(FRAME.len() + parts.iter().map(|(_, part)| part.len()).sum::<usize>());
    let mut rest = FRAME;
    while let Some((before, behind)) = rest.split_once("{{") {
        let (name, behind) = behind.split_once("}}").expect("the frame's places are closed");
        let (_, part) = parts.iter().find(|(known, _)| *known == name).expect("the frame's places are known");
        page.push_str(before);
        page.push_str(part);
        rest = behind;
    }
    page.push_str(rest);
    page
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
