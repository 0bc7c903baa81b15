//! How the screen looks: what the user has chosen, and texts that fit.

use ratatui::style::{Color, Style};

use crate::cli::commands::watch::view::View;
use crate::cli::truncate::truncated;

/// What the user has chosen.
#[derive(Clone, Debug)]
pub struct Look {
    /// Index of the metric; `None` for the one that matters.
    metric: Option<usize>,
    /// Whether the scale of the values is logarithmic.
    pub is_logarithmic: bool,
    /// Whether the help is shown.
    pub shows_help: bool,
    /// Whether there are colors.
    pub is_colored: bool,
}

impl Look {
    /// Returns the look at the start.
    pub fn new(is_colored: bool) -> Look {
        Look { metric: None, is_logarithmic: false, shows_help: false, is_colored }
    }

    /// Chooses another metric.
    pub fn choose(&mut self, view: &View, step: isize) {
        let metrics = isize::try_from(view.metrics.len().max(1)).unwrap_or(1);
        let next = isize::try_from(self.metric(view)).unwrap_or(0) + step;
        self.metric = usize::try_from(next.rem_euclid(metrics)).ok();
    }

    /// Returns the index of the metric that is shown.
    pub fn metric(&self, view: &View) -> usize {
        self.metric.filter(|metric| *metric < view.metrics.len()).unwrap_or_else(|| view.first_metric())
    }

    /// Returns a style with this color, if there are colors.
    pub fn color(&self, color: Color) -> Style {
        if self.is_colored { Style::new().fg(color) } else { Style::new() }
    }
}

/// Returns a text of at most this width; a longer one ends with `…`.
pub fn shortened(text: &str, width: u16) -> String {
    if width == 0 { String::new() } else { truncated(text, usize::from(width)) }
}
