//! HTML building blocks: escaped text, tables and sections.

use std::fmt::Write;

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

/// Returns JSON that can be embedded in a script element.
pub fn json(value: &serde_json::Value) -> String {
    value.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// A section of the page.
#[derive(Clone, Debug)]
pub struct Section {
    /// The ID, used in links.
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// Content as HTML.
    pub body: String,
}

impl Section {
    /// Returns the section as HTML.
    pub fn html(&self) -> String {
        let Section { id, title, body } = self;
        format!(
            "<section class=\"card\" id=\"{id}\" aria-labelledby=\"{id}-title\">\n<h2 id=\"{id}-title\">{title}</h2>\n{body}\n</section>"
        )
    }
}

/// A cell of a table.
#[derive(Clone, Debug)]
pub struct Cell {
    html: String,
    class: &'static str,
    is_head: bool,
}

impl Cell {
    /// Creates a cell from HTML.
    pub fn html(html: String) -> Cell {
        Cell { html, class: "", is_head: false }
    }

    /// Creates a cell from plain text.
    pub fn text(raw: &str) -> Cell {
        Cell::html(text(raw))
    }

    /// Creates a right-aligned cell for a number.
    pub fn number(figure: &str) -> Cell {
        Cell::text(figure).of_class("n")
    }

    /// Creates a row header from HTML.
    pub fn head(html: String) -> Cell {
        Cell { html, class: "", is_head: true }
    }

    /// Returns the cell with this CSS class.
    pub fn of_class(self, class: &'static str) -> Cell {
        Cell { class, ..self }
    }

    fn written(&self, html: &mut String) {
        let class = if self.class.is_empty() { String::new() } else { format!(" class=\"{}\"", self.class) };
        let (tag, scope) = if self.is_head { ("th", " scope=\"row\"") } else { ("td", "") };
        let _ = write!(html, "<{tag}{scope}{class}>{}</{tag}>", self.html); // writing to a String cannot fail
    }
}

/// A table with a caption and column heads, in a box that scrolls horizontally if necessary.
#[derive(Clone, Debug)]
pub struct Table {
    caption: String,
    heads: Vec<Cell>,
    rows: Vec<(String, Vec<Cell>)>,
    attributes: &'static str,
    is_tall: bool,
}

impl Table {
    /// Creates a table with these columns.
    pub fn new(caption: &str, heads: impl IntoIterator<Item = Cell>) -> Table {
        let heads = heads.into_iter().collect();
        Table { caption: caption.to_owned(), heads, rows: Vec::new(), attributes: "", is_tall: false }
    }

    /// Returns the table with these HTML attributes.
    pub fn with(self, attributes: &'static str) -> Table {
        Table { attributes, ..self }
    }

    /// Returns the table in a box that scrolls vertically if it is higher than the screen.
    pub fn tall(self) -> Table {
        Table { is_tall: true, ..self }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.row_with("", cells);
    }

    /// Adds a row with attributes.
    pub fn row_with(&mut self, attributes: &str, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push((attributes.to_owned(), cells.into_iter().collect()));
    }

    /// Returns whether the table has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the table as HTML.
    pub fn html_text(&self) -> String {
        let caption = text(&self.caption);
        let tall = if self.is_tall { " tall" } else { "" };
        let space = if self.attributes.is_empty() { "" } else { " " };
        let mut html = format!(
            "<p class=\"caption\" aria-hidden=\"true\">{caption}</p>\n<div class=\"scroll{tall}\" tabindex=\"0\" role=\"group\" aria-label=\"{caption}\"><table{space}{}>\n<caption>{caption}</caption>\n<thead><tr>",
            self.attributes
        );
        for head in &self.heads {
            let class = if head.class.is_empty() { String::new() } else { format!(" class=\"{}\"", head.class) };
            let _ = match head.html.is_empty() {
                true => write!(html, "<td{class}></td>"),
                false => write!(html, "<th scope=\"col\"{class}>{}</th>", head.html),
            };
        }
        html.push_str("</tr></thead>\n<tbody>\n");
        for (attributes, cells) in &self.rows {
            let space = if attributes.is_empty() { "" } else { " " };
            let _ = write!(html, "<tr{space}{attributes}>");
            cells.iter().for_each(|cell| cell.written(&mut html));
            html.push_str("</tr>\n");
        }
        html.push_str("</tbody></table></div>");
        html
    }
}

/// Returns a paragraph of text.
pub fn paragraph(raw: &str) -> String {
    format!("<p>{}</p>", text(raw))
}

/// Returns a paragraph of less prominent text.
pub fn note(raw: &str) -> String {
    format!("<p class=\"note\">{}</p>", text(raw))
}

/// Returns a box with a heading and a list of messages.
pub fn boxed(class: &str, heading: &str, items: &[String]) -> String {
    let heading = text(heading);
    match items {
        [one] => format!("<div class=\"box {class}\"><strong>{heading}</strong><p>{}</p></div>", text(one)),
        several => {
            let items: String = several.iter().map(|item| format!("<li>{}</li>", text(item))).collect();
            format!("<div class=\"box {class}\"><strong>{heading}</strong><ul>{items}</ul></div>")
        }
    }
}

/// Returns content that is collapsed until the reader opens it.
pub fn folded(summary: &str, body: &str) -> String {
    format!("<details><summary>{}</summary>\n{body}\n</details>", text(summary))
}

/// Returns a group's name with a sample of its line.
pub fn key(place: usize, label: &str) -> String {
    let border = ["solid", "dashed", "dotted"][place / 7 % 3];
    format!(
        "<span class=\"key\"><span class=\"swatch\" style=\"color: var(--s{}); border-top-style: {border}\"></span>{}</span>",
        place % 7,
        text(label)
    )
}

/// Returns the content of each group below its name; with a single group, without the name.
pub fn by_group(parts: &[(String, String)]) -> String {
    let several = parts.len() > 1;
    let of_group = |(label, body): &(String, String)| {
        let label = text(label);
        let heading = if several { format!("<h3 class=\"group-name\">{label}</h3>\n") } else { String::new() };
        format!("<div class=\"of-group stack\" data-name=\"{label}\">{heading}{body}</div>")
    };
    let parts: Vec<String> = parts.iter().map(of_group).collect();
    format!("<div class=\"by-group stack\">{}</div>", parts.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_can_neither_open_an_element_nor_leave_an_attribute() {
        assert_eq!(text("<b a=\"x\" b='y'>&\u{1b}"), "&lt;b a=&quot;x&quot; b=&#39;y&#39;&gt;&amp;\u{fffd}");
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
        let mut table = Table::new("A < B", [Cell::text(""), Cell::text("loss").of_class("n")]);
        table.row([Cell::head(text("first")), Cell::number("0.5")]);
        let html = table.html_text();
        assert!(html.contains("<caption>A &lt; B</caption>"));
        assert!(html.contains("<td></td><th scope=\"col\" class=\"n\">loss</th>"));
        assert!(html.contains("<th scope=\"row\">first</th><td class=\"n\">0.5</td>"));
    }
}
