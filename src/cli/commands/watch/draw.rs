//! Draws the screen: state and progress, the curves of a metric, and the trials or workers.

use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};

use crate::cli::commands::watch::chart;
use crate::cli::commands::watch::look::{Look, shortened};
use crate::cli::commands::watch::view::{State, View};
use crate::cli::text::number_format::seconds;
use crate::cli::text::table::Columns;

/// Smallest height with a table.
const HEIGHT_WITH_TABLE: u16 = 16;

/// Draws all.
pub fn draw(frame: &mut Frame, view: &View, look: &Look) {
    let area = frame.area();
    let notes = view.notes.iter().take(if area.height < HEIGHT_WITH_TABLE { 1 } else { 3 });
    let notes: Vec<Line> = notes.map(|note| Line::from(shortened(note, area.width))).collect();
    let table = if area.height < HEIGHT_WITH_TABLE { Vec::new() } else { table(view, area.height / 3) };
    let [head, note, rows, foot] = [2, notes.len() as u16, table.len() as u16, 1].map(Constraint::Length);
    let [head, note, middle, rows, foot] = Layout::vertical([head, note, Constraint::Min(0), rows, foot]).areas(area);
    frame.render_widget(Paragraph::new(header(view, look, area.width)), head);
    frame.render_widget(Paragraph::new(notes), note);
    match view.metrics.get(look.metric(view)) {
        Some(metric) => chart::draw(frame, middle, metric, look),
        None => {
            let text = match view.state {
                State::Training => "waiting for the first epoch",
                State::Finished | State::Interrupted | State::Failed | State::Deleted => "there are no epochs",
            };
            frame.render_widget(Paragraph::new(text).alignment(Alignment::Center).block(Block::bordered()), middle);
        }
    }
    let head_of_table = look.color(Color::DarkGray).add_modifier(Modifier::BOLD);
    let styled = |(place, line): (usize, String)| {
        let line = shortened(&line, area.width);
        if place == 0 { Line::styled(line, head_of_table) } else { Line::from(line) }
    };
    frame.render_widget(Paragraph::new(table.into_iter().enumerate().map(styled).collect::<Vec<_>>()), rows);
    let keys = shortened("q quit  Tab metric  l log scale  ? help", area.width);
    frame.render_widget(Paragraph::new(Line::styled(keys, look.color(Color::DarkGray))), foot);
    if look.shows_help {
        help(frame, area);
    }
}

/// Returns the name with the state on the right, and the progress as a bar and in words.
fn header(view: &View, look: &Look, width: u16) -> Vec<Line<'static>> {
    let color = match view.state {
        State::Training => Color::Cyan,
        State::Finished => Color::Green,
        State::Interrupted => Color::Yellow,
        State::Failed | State::Deleted => Color::Red,
    };
    let width = usize::from(width);
    let state = view.state.word();
    let room = width.saturating_sub(state.len() + 2);
    let name = shortened(&view.name, room as u16);
    let facts = shortened(&format!("  {}", view.facts.join(", ")), room.saturating_sub(name.chars().count()) as u16);
    let used = name.chars().count() + facts.chars().count() + state.len();
    let first = Line::from(vec![
        Span::styled(name, Style::new().add_modifier(Modifier::BOLD)),
        Span::raw(facts),
        Span::raw(" ".repeat(width.saturating_sub(used))),
        Span::styled(state, look.color(color).add_modifier(Modifier::BOLD)),
    ]);
    let left = view.left.map(|left| format!(", {} left", seconds(left))).unwrap_or_default();
    let text = format!("{:3.0} %  {}{left}", (view.share * 100.0).floor(), view.progress);
    let bar = width.saturating_sub(text.chars().count() + 1).min(40);
    let full = ((bar as f64 * view.share).round() as usize).min(bar);
    let second = Line::from(vec![
        Span::styled("█".repeat(full), look.color(color)),
        Span::styled("░".repeat(bar - full), look.color(Color::DarkGray)),
        Span::raw(shortened(&format!(" {text}"), (width - bar) as u16)),
    ]);
    vec![first, second]
}

/// Returns the lines of the table, at most this number; the last one says how many rows are left out.
fn table(view: &View, most: u16) -> Vec<String> {
    let (header, numbers) = &view.columns;
    let most = usize::from(most);
    if view.rows.is_empty() || most < 2 {
        return Vec::new();
    }
    let shown = if view.rows.len() < most { view.rows.len() } else { most - 2 };
    let mut columns = Columns::new(header, numbers.iter().copied());
    view.rows.iter().take(shown).for_each(|row| columns.row(row));
    let mut lines: Vec<String> = columns.text().lines().map(str::to_owned).collect();
    let more = view.rows.len() - shown;
    lines.extend((more > 0).then(|| format!("… {more} more")));
    lines
}

/// Draws the meaning of the keys over everything else.
fn help(frame: &mut Frame, area: Rect) {
    let lines = [
        "q, Esc        quit; the run continues",
        "Tab, arrows   another metric",
        "l             logarithmic scale",
        "Ctrl-Z        suspend",
        "?             close this help",
    ];
    let (width, height) = (42.min(area.width), 7.min(area.height));
    let popup = Rect::new((area.width - width) / 2, (area.height - height) / 2, width, height);
    frame.render_widget(Clear, popup);
    frame.render_widget(Paragraph::new(lines.map(Line::from).to_vec()).block(Block::bordered().title(" keys ")), popup);
}
