//! Plot of the importance of the settings: a bar for each.

use crate::config::hint::hinted;
use crate::plot::charts::sweep::page::page;
use crate::plot::draw::color::{BLUE, INK, QUIET};
use crate::plot::draw::font::LABEL;
use crate::plot::draw::page::{Page, PageOptions};
use crate::plot::draw::shape::{Anchor, Rect};
use crate::plot::format::svg::Svg;
use crate::sweep::results::Overview;

const WIDTH: f64 = 560.0;
const ROW: f64 = 26.0;
const NUMBER_ROOM: f64 = 44.0;

/// Draws a bar for each setting.
///
/// # Errors
/// When there are too few configurations.
pub(super) fn draw(overview: &Overview, options: &PageOptions) -> anyhow::Result<Svg> {
    let Some(importance) = &overview.importance else {
        let hint = "it needs at least ten configurations with all of their trials and different results";
        return Err(hinted("the importance of the settings is not known: too few configurations", hint));
    };
    let rows: Vec<(&str, f64)> = importance.iter().map(|(key, share)| (overview.labels.label(key), *share)).collect();
    let notes = vec![
        "Share of each setting in the variance of the metric that single settings explain (functional ANOVA, random forest)."
            .to_owned(),
    ];
    let page = Page { notes, ..page(overview, "importance of the settings") };
    let height = ROW * rows.len() as f64 + 4.0;
    let size = [WIDTH, height, 0.7 * height];
    Ok(page.draw(options, size, |svg, room| draw_rows(svg, room, &rows)))
}

fn draw_rows(svg: &mut Svg, room: Rect, rows: &[(&str, f64)]) {
    let widest = rows.iter().map(|(name, _)| LABEL.room(name)).fold(0.0, f64::max).min(0.35 * room.width);
    let frame = room.inset(widest + 12.0, 0.0, NUMBER_ROOM, 0.0);
    let height = room.height / rows.len() as f64;
    for (number, (name, share)) in rows.iter().enumerate() {
        let middle = room.y + (number as f64 + 0.5) * height;
        let base = middle + LABEL.cap_height() / 2.0;
        svg.text((frame.x - 8.0, base), Anchor::End, LABEL, INK, &LABEL.shorten(name, widest));
        let bar = Rect {
            x: frame.x,
            y: middle - 0.32 * height,
            width: (share * frame.width).max(1.0),
            height: 0.64 * height,
        };
        svg.rect(bar, BLUE);
        svg.text((bar.right() + 6.0, base), Anchor::Start, LABEL, QUIET, &format!("{share:.2}"));
    }
}
