//! Renders sections as HTML. Names are escaped, so they can become neither elements nor attributes.

use std::fmt::Write;

use base64::Engine;

use crate::history::number::count;
use crate::plot::Plot;
use crate::views::classes::confusion::ConfusionMatrix;
use crate::views::document::badge::Badge;
use crate::views::document::block::{Block, Section, Tile};
use crate::views::document::statistic::MISSING;
use crate::views::document::table::{Cell, Row, RowKind, Table};

/// A table with more rows scrolls within its box.
const MAX_ROWS: usize = 12;

/// Text with more characters may wrap within its cell.
const MAX_LINE: usize = 24;

/// Escapes text for HTML elements and attributes.
pub fn text(raw: &str) -> String {
    let mut escaped = String::with_capacity(raw.len());
    for character in raw.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // Control characters are not allowed in HTML; replace them visibly.
            control if control.is_control() && !matches!(control, '\n' | '\t') => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Escapes sentences; names in backticks become code.
pub(super) fn prose(raw: &str) -> String {
    let escaped = text(raw);
    let parts: Vec<&str> = escaped.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return escaped; // an unpaired backtick
    }
    let part = |(place, part): (usize, &&str)| match place % 2 {
        0 => (*part).to_owned(),
        _ => format!("<code>{part}</code>"),
    };
    parts.iter().enumerate().map(part).collect()
}

/// Returns JSON that can be embedded in a script element.
pub fn json(value: &serde_json::Value) -> String {
    value.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// Returns a plot as an image for readers without JavaScript; `None` if it is large.
pub(super) fn static_image(plot: anyhow::Result<Plot>, alt: &str) -> Option<String> {
    const LARGEST: usize = 150_000;
    let svg = plot.ok().map(|plot| plot.svg.finish()).filter(|svg| svg.len() <= LARGEST)?;
    let svg = base64::engine::general_purpose::STANDARD.encode(svg);
    Some(format!("<img class=\"static\" alt=\"{alt}\" src=\"data:image/svg+xml;base64,{svg}\">"))
}

/// Returns a section.
pub fn section(section: &Section) -> String {
    let Section { id, title, blocks: content } = section;
    let content = blocks(content);
    format!(
        "<section class=\"card\" id=\"{id}\" aria-labelledby=\"{id}-title\">\n<h2 id=\"{id}-title\">{title}</h2>\n{content}\n</section>"
    )
}

/// Returns blocks one below the other.
fn blocks(content: &[Block]) -> String {
    content.iter().map(block).collect::<Vec<_>>().join("\n")
}

/// Returns a block.
pub fn block(block: &Block) -> String {
    match block {
        Block::Heading(heading) => format!("<h3>{}</h3>", text(heading)),
        Block::Paragraph(words) => format!("<p>{}</p>", prose(words)),
        Block::Note(words) => format!("<p class=\"note\">{}</p>", prose(words)),
        Block::ChartNote(words) => format!("<p class=\"note needs-js\">{}</p>", text(words)),
        Block::Callout { is_fault, heading, items } => callout(*is_fault, heading, items),
        Block::Diagnosis(before, badges, after) => {
            let words = [text(before), self::badges(badges), text(after)];
            let words: Vec<String> = words.into_iter().filter(|words| !words.is_empty()).collect();
            format!("<p class=\"reading\">{}</p>", words.join(" "))
        }
        Block::Tiles(tiles) => format!("<dl class=\"tiles\">{}</dl>", tiles.iter().map(tile).collect::<String>()),
        Block::Table(content) => table(content),
        Block::Confusion(matrix) => confusion(matrix),
        Block::Command(place, command) => format!(
            "<div class=\"command\"><pre><code id=\"command-{place}\">{}</code></pre><button type=\"button\" \
             class=\"needs-js\" data-copy=\"command-{place}\" aria-label=\"Copy the command\">Copy</button></div>",
            text(command)
        ),
        Block::Folded(summary, content) => {
            format!("<details><summary>{}</summary>\n{}\n</details>", text(summary), blocks(content))
        }
        Block::ByGroup(groups) => by_group(groups),
        Block::Html(html) => html.clone(),
    }
}

fn callout(is_fault: bool, heading: &str, items: &[String]) -> String {
    let class = if is_fault { "box bad" } else { "box" };
    let items = match items {
        [one] => format!("<p>{}</p>", prose(one)),
        several => {
            format!("<ul>{}</ul>", several.iter().map(|item| format!("<li>{}</li>", prose(item))).collect::<String>())
        }
    };
    format!("<div class=\"{class}\"><strong>{}</strong>{items}</div>", text(heading))
}

fn tile(Tile { name, value, note }: &Tile) -> String {
    format!("<div><dt>{}</dt><dd>{}<small>{}</small></dd></div>", text(name), text(value), text(note))
}

fn badges(badges: &[Badge]) -> String {
    let badge = |Badge { class, text: words }: &Badge| format!("<span class=\"{class}\">{}</span>", text(words));
    badges.iter().map(badge).collect::<Vec<_>>().join(" ")
}

/// Returns the content of each group below its label; with a single group, without the label.
fn by_group(groups: &[(String, Vec<Block>)]) -> String {
    let group = |(label, content): &(String, Vec<Block>)| {
        let label = text(label);
        let heading = if groups.len() > 1 { format!("<h3 class=\"group-name\">{label}</h3>\n") } else { String::new() };
        format!("<div class=\"of-group stack\" data-name=\"{label}\">{heading}{}</div>", blocks(content))
    };
    format!("<div class=\"by-group stack\">{}</div>", groups.iter().map(group).collect::<Vec<_>>().join("\n"))
}

/// Returns a box that scrolls if its content is too wide, below its caption. A caption within the table would scroll out
/// of sight, so it is there for screen readers only.
fn scrolling(caption: &str, is_tall: bool, attributes: &str, rows: &str) -> String {
    let (caption, tall) = (text(caption), if is_tall { " tall" } else { "" });
    format!(
        "<p class=\"caption\" aria-hidden=\"true\">{caption}</p>\n<div class=\"scroll{tall}\" tabindex=\"0\" role=\"group\" \
         aria-label=\"{caption}\"><table{attributes}>\n<caption>{caption}</caption>\n{rows}</table></div>"
    )
}

fn table(table: &Table) -> String {
    let mut rows = String::from("<thead><tr>");
    for column in &table.columns {
        let class = if column.is_number { " class=\"n\"" } else { "" };
        // writing to a String cannot fail
        let _ = match column.head.is_empty() {
            true => write!(rows, "<td{class}></td>"),
            false => write!(rows, "<th scope=\"col\"{class}>{}</th>", text(&column.head)),
        };
    }
    rows.push_str("</tr></thead>\n<tbody>\n");
    table.rows.iter().for_each(|row| rows.push_str(&self::row(row, table)));
    rows.push_str("</tbody>");
    let id = if table.id.is_empty() { String::new() } else { format!(" id=\"{}\"", table.id) };
    let wide = if matches!(table.id, "comparison" | "configurations") { " class=\"wide\"" } else { "" };
    scrolling(&table.caption, table.rows.len() > MAX_ROWS, &format!("{wide}{id}"), &rows)
}

fn row(row: &Row, table: &Table) -> String {
    let attributes = match row.kind {
        RowKind::Plain => String::new(),
        RowKind::Baseline => " class=\"base\"".to_owned(),
        RowKind::Setting(origin) => format!(" data-origin=\"{origin}\""),
    };
    let cells = row.cells.iter().enumerate();
    let cells: String =
        cells.map(|(place, content)| cell(content, place == 0, table.columns[place].is_number)).collect();
    format!("<tr{attributes}>{cells}</tr>\n")
}

fn cell(cell: &Cell, is_first: bool, is_number: bool) -> String {
    let code = |words: &str| format!("<span class=\"code\">{}</span>", text(words).replace('.', ".<wbr>"));
    let (class, html) = match cell {
        Cell::Text(words) if is_number => ("n", text(words)),
        Cell::Text(words) if !is_first && words.chars().count() > MAX_LINE => ("words", text(words)),
        Cell::Text(words) => ("", text(words)),
        Cell::Code(words) if is_first => ("", code(words)),
        Cell::Code(words) => ("value", code(words)),
        Cell::Ranked { text: words, is_best } => (if *is_best { "n best" } else { "n starred" }, text(words)),
        Cell::Label(place, label) => {
            let border = ["solid", "dashed", "dotted"][place / 7 % 3];
            let style = format!("color: var(--s{}); border-top-style: {border}", place % 7);
            let label = text(label).replace('_', "_<wbr>");
            ("", format!("<span class=\"key\"><span class=\"swatch\" style=\"{style}\"></span>{label}</span>"))
        }
        Cell::Share(share) if *share <= 0.0 => ("bar-cell", String::new()),
        Cell::Share(share) => {
            let (width, percent) = (8.0 * share.min(1.0), 100.0 * share);
            let bar = format!("<span class=\"bar\" style=\"width: {width:.2}rem\"></span>");
            ("", format!("{bar}<span class=\"hidden\">{percent:.1} %</span>"))
        }
        Cell::Badges(labels) if labels.is_empty() => ("", MISSING.to_owned()),
        Cell::Badges(labels) => ("", badges(labels)),
        Cell::Setting(value, origin) => {
            ("value", format!("{}<br>{}", code(value), badges(std::slice::from_ref(origin))))
        }
        Cell::Met(true) => ("", "<span class=\"met\">✓ met</span>".to_owned()),
        Cell::Met(false) => ("", "<span class=\"missed\">✗ missed</span>".to_owned()),
    };
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    match is_first && !matches!(cell, Cell::Met(_)) {
        true => format!("<th scope=\"row\"{class}>{html}</th>"),
        false => format!("<td{class}>{html}</td>"),
    }
}

/// Returns a confusion matrix, each cell in a color for its share of the true class.
fn confusion(matrix: &ConfusionMatrix) -> String {
    let mut rows = String::from("<thead><tr><th scope=\"col\">true class</th>");
    for name in &matrix.classes {
        let _ = write!(rows, "<th scope=\"col\">{}</th>", text(name));
    }
    rows.push_str("</tr></thead>\n<tbody>\n");
    for (truth, counts) in matrix.counts.iter().enumerate() {
        let _ = write!(rows, "<tr><th scope=\"row\">{}</th>", text(&matrix.classes[truth]));
        for (predicted, &number) in counts.iter().enumerate() {
            let share = matrix.share(truth, predicted);
            let (alpha, is_hot) = heat(share.unwrap_or(0.0), truth == predicted);
            let kind = match (truth == predicted, number) {
                (true, _) => "hit",
                (false, 0) => "",
                (false, _) => "slip",
            };
            let hot = if is_hot { " hot" } else { "" };
            let percent = share.map_or(MISSING.to_owned(), |share| format!("{:.1} %", 100.0 * share));
            let number = count(usize::try_from(number).unwrap_or(usize::MAX));
            let _ = write!(
                rows,
                "<td class=\"{kind}{hot}\" style=\"--a: {alpha:.3}\">{number}<small>{percent}</small></td>"
            );
        }
        rows.push_str("</tr>\n");
    }
    rows.push_str("</tbody>");
    scrolling(&matrix.caption, false, &format!(" class=\"confusion\" data-group=\"{}\"", matrix.group), &rows)
}

/// Returns the opacity of a cell's color, and whether its text color is inverted. Opacities between the two ranges are
/// skipped, because neither text color is readable on them. Mistakes are rare, so their color follows the square root.
fn heat(share: f64, is_hit: bool) -> (f64, bool) {
    let strength = if is_hit { share } else { share.sqrt() };
    match strength <= 0.5 {
        true => (0.04 + strength * 1.1, false),
        false => (0.85 + (strength - 0.5) * 0.3, true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_can_neither_open_an_element_nor_leave_an_attribute() {
        assert_eq!(text("<b a=\"x\" b='y'>&\u{1b}"), "&lt;b a=&quot;x&quot; b=&#39;y&#39;&gt;&amp;\u{fffd}");
    }

    #[test]
    fn names_in_backticks_are_code_and_a_lone_backtick_stays() {
        assert_eq!(prose("class `a<b`, `c`"), "class <code>a&lt;b</code>, <code>c</code>");
        assert_eq!(prose("a ` b"), "a ` b");
    }

    #[test]
    fn json_holds_no_end_of_a_script_and_reads_back() {
        let value = serde_json::json!({ "title": "</script><!-- & -->", "loss": ["nan", 0.5] });
        let embedded = json(&value);
        assert!(!embedded.contains(['<', '>', '&']), "{embedded}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&embedded).unwrap(), value);
    }

    #[test]
    fn tables_name_their_columns_and_rows() {
        let mut content = Table::new("A < B", ["", "loss"], 1..);
        content.row(["first", "0.5"]);
        let html = table(&content);
        assert!(html.contains("<caption>A &lt; B</caption>"));
        assert!(html.contains("<td></td><th scope=\"col\" class=\"n\">loss</th>"));
        assert!(html.contains("<th scope=\"row\">first</th><td class=\"n\">0.5</td>"));
    }

    #[test]
    fn no_cell_has_a_color_on_which_no_text_is_readable() {
        for percent in 0..=100 {
            for is_hit in [true, false] {
                let (alpha, is_hot) = heat(f64::from(percent) / 100.0, is_hit);
                assert!((0.0..=1.0).contains(&alpha) && (if is_hot { alpha >= 0.85 } else { alpha <= 0.6 }));
            }
        }
    }
}
