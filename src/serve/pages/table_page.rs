//! The page with the table of all runs and sweeps. A script fills it.

use serde_json::json;

use crate::report::frame::Head;
use crate::serve::pages::shell::{self, Bundle};
use crate::views::document::block::{Block, Section};

/// Returns the page of the runs in `place`.
pub fn page(place: &str) -> String {
    let kicker = place.to_owned();
    let head = Head { kicker, title: "Runs and sweeps".to_owned(), questions: Vec::new(), facts: Vec::new() };
    let section = |id: &'static str, title: &'static str, html: &str| Section {
        id,
        title,
        blocks: vec![Block::Html(html.to_owned())],
    };
    let sections = [
        section("sweeps", "Sweeps", "<div id=\"sweep-list\" class=\"stack\"></div>"),
        section("runs", "Runs", "<div id=\"run-list\" class=\"stack\"></div>"),
    ];
    let data = json!({
        // the charts of runs have nothing to show
        "groups": [], "metrics": [], "shown": [], "grids": [], "trials": [], "observed": [],
        "kind": "table",
    });
    shell::page(&head, &sections, &data, Bundle::Runs)
}
