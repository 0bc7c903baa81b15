//! The frame of the pages, and their scripts and style.
//!
//! They are those of the report, in files of their own, so that the content security policy allows no script in a page.

use serde_json::Value;

use crate::io::host_name::host_name;
use crate::report::frame::{self, Head, LIBRARY, LICENSE, fill, header};
use crate::report::html::{self, json, text};
use crate::report::sweep;
use crate::serve::http::answer::{Answer, Kind};
use crate::views::document::block::Section;

const FRAME: &str = include_str!("../page/page.html");
const STYLE: &str = include_str!("../page/style.css");
const LIVE: &str = include_str!("../page/live.js");
const RUN: &str = include_str!("../page/run.js");
const TABLE: [&str; 3] =
    [include_str!("../page/rows.js"), include_str!("../page/groups.js"), include_str!("../page/table.js")];
const SWEEP: &str = include_str!("../page/sweep.js");

/// Scripts of a kind of page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bundle {
    /// The table, and pages of runs.
    Runs,
    /// Pages of sweeps.
    Sweeps,
}

impl Bundle {
    const ALL: [Bundle; 2] = [Bundle::Runs, Bundle::Sweeps];

    fn file(self) -> &'static str {
        match self {
            Bundle::Runs => "runs.js",
            Bundle::Sweeps => "sweeps.js",
        }
    }

    fn text(self) -> String {
        let scripts: Vec<&str> = match self {
            Bundle::Runs => [&frame::SCRIPTS[..], &[LIVE, RUN], &TABLE].concat(),
            Bundle::Sweeps => [&frame::SCRIPTS[..], &sweep::SCRIPTS, &[LIVE, SWEEP]].concat(),
        };
        format!("(() => {{\n\"use strict\";\n{}\n}})();\n", scripts.join("\n"))
    }
}

/// Returns a script or the style by its file name.
pub fn asset(name: &str) -> Option<Answer> {
    match name {
        "style.css" => Some(Answer::ok(Kind::Style, [&frame::STYLE[..], &[STYLE]].concat().join("\n"))),
        "charts.js" => Some(Answer::ok(Kind::Script, format!("/*!\n{LICENSE}*/\n{LIBRARY}"))),
        name => Bundle::ALL
            .into_iter()
            .find(|bundle| bundle.file() == name)
            .map(|bundle| Answer::ok(Kind::Script, bundle.text())),
    }
}

/// Returns a page with these sections and the data of its charts.
pub fn page(head: &Head, sections: &[Section], data: &Value, bundle: Bundle) -> String {
    let link = |section: &Section| format!("<li><a href=\"#{}\">{}</a></li>", section.id, section.title);
    let links: Vec<String> = sections.iter().map(link).collect();
    let main: Vec<String> = sections.iter().map(html::section).collect();
    let host = host_name();
    fill(
        FRAME,
        &[
            ("title", &text(&format!("{} – runner", head.title))),
            ("bundle", bundle.file()),
            ("host", &text(&host)),
            ("header", &header(head)),
            ("sections", &links.join("\n")),
            ("main", &main.join("\n")),
            (
                "footer",
                &format!(
                    "<p>runner {} on {}. Charts by uPlot, © Leon Sorokin, under the MIT license.</p>",
                    env!("CARGO_PKG_VERSION"),
                    text(&host)
                ),
            ),
            ("data", &json(data)),
        ],
    )
}
