//! The frame of a page: head, style, scripts and footer around its sections. `page.html` is filled in one pass.

use serde_json::Value;

use crate::report::html::{self, json, text};
use crate::views::document::block::Section;

const FRAME: &str = include_str!("page/page.html");
/// Styles of all pages.
pub const STYLE: [&str; 2] = [include_str!("vendor/uplot/uPlot.min.css"), include_str!("page/style.css")];
/// The library that draws charts.
pub const LIBRARY: &str = include_str!("vendor/uplot/uPlot.iife.min.js");
/// Its license.
pub const LICENSE: &str = include_str!("vendor/uplot/LICENSE");
/// Scripts of all pages, in order.
pub const SCRIPTS: [&str; 7] = [
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

/// The head of a page.
#[derive(Clone, Debug)]
pub struct Head {
    /// Line above the title.
    pub kicker: String,
    /// Title.
    pub title: String,
    /// Questions of the experiments.
    pub questions: Vec<String>,
    /// Key facts by name.
    pub facts: Vec<(&'static str, String)>,
}

/// Returns a page with these boxes and sections. `source` is what it was written from, `more_scripts` follow those of all
/// pages.
pub fn page(
    head: &Head,
    boxes: &[String],
    sections: &[Section],
    source: &str,
    data: &Value,
    more_scripts: &[&str],
) -> String {
    let links: Vec<String> =
        sections.iter().map(|section| format!("<li><a href=\"#{}\">{}</a></li>", section.id, section.title)).collect();
    let main: Vec<String> = boxes.iter().cloned().chain(sections.iter().map(html::section)).collect();
    let footer = format!(
        "<p>Written by runner {} from {source}. Charts by uPlot, © Leon Sorokin, under the MIT license. The file holds everything that it shows, and needs no network.</p>",
        env!("CARGO_PKG_VERSION")
    );
    fill(
        FRAME,
        &[
            ("title", &text(&format!("{} – runner", head.title))),
            ("style", &STYLE.join("\n")),
            ("header", &header(head)),
            ("sections", &links.join("\n")),
            ("main", &main.join("\n")),
            ("footer", &footer),
            ("data", &json(data)),
            ("library", &format!("/*!\n{LICENSE}*/\n{LIBRARY}")),
            ("script", &[&SCRIPTS, more_scripts].concat().join("\n")),
        ],
    )
}

/// Returns the head of a page.
pub fn header(head: &Head) -> String {
    let question = |question: &String| format!("<p class=\"question\">{}</p>\n", html::prose(question));
    let questions: String = head.questions.iter().map(question).collect();
    let fact = |(name, fact): &(&str, String)| format!("<div><dt>{}</dt><dd>{}</dd></div>", text(name), text(fact));
    let facts: String = head.facts.iter().map(fact).collect();
    format!(
        "<header class=\"top\"><div class=\"wrap\">\n<div><p class=\"kicker\">{}</p>\n<h1>{}</h1></div>\n\
         <div class=\"needs-js\"><button type=\"button\" id=\"theme\">Dark colors</button></div>\n{questions}\
         <dl class=\"facts\">{facts}</dl>\n</div></header>",
        text(&head.kicker),
        text(&head.title)
    )
}

/// Fills the placeholders of a template in one pass; inserted text is not searched for placeholders.
pub fn fill(template: &'static str, parts: &[(&str, &str)]) -> String {
    let mut page = String::with_capacity(template.len() + parts.iter().map(|(_, part)| part.len()).sum::<usize>());
    let mut rest = template;
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
