//! What a metric states about itself: name, range, direction, and the targets it supports.

use std::borrow::Cow;

use crate::data::target::Target;

/// Properties of a metric, stated once, in the metric's file.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricInfo {
    /// Name in histories; validation metrics add the prefix `val_`.
    pub name: Cow<'static, str>,
    /// Name in plots.
    pub label: Cow<'static, str>,
    /// Lowest and highest possible value.
    pub range: [f64; 2],
    /// Whether higher is better; `None` if neither direction is.
    pub higher_is_better: Option<bool>,
    /// Whether it ranks rows by their scores; other metrics need only the predictions.
    pub needs_scores: bool,
    /// Whether it is about the positive class of two classes.
    pub uses_positive_class: bool,
    /// Whether plots show it as a percentage.
    pub is_percent: bool,
    /// Supported targets.
    pub targets: Targets,
}

/// Targets that a metric supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Targets {
    /// Classes, single-label or multi-label.
    Classes,
    /// Classes, one per row.
    SingleLabelClasses,
    /// More classes than this, one per row.
    MoreClassesThan(usize),
    /// Two classes, or multi-label targets.
    TwoClassesOrLabels,
    /// Numbers (regression).
    Numbers,
    /// Every target.
    Any,
}

impl Targets {
    /// Returns whether the target is supported.
    pub fn contain(self, target: Target) -> bool {
        match self {
            Targets::Classes => matches!(target, Target::Classes(_) | Target::Labels(_)),
            Targets::SingleLabelClasses => matches!(target, Target::Classes(_)),
            Targets::MoreClassesThan(least) => matches!(target, Target::Classes(classes) if classes > least),
            Targets::TwoClassesOrLabels => matches!(target, Target::Classes(2) | Target::Labels(_)),
            Targets::Numbers => matches!(target, Target::Values(_)),
            Targets::Any => true,
        }
    }

    /// Returns a description for messages: "which is for …".
    pub fn describe(self) -> String {
        match self {
            Targets::Classes => "classes".to_owned(),
            Targets::SingleLabelClasses => "single-label classes".to_owned(),
            Targets::MoreClassesThan(least) => format!("more than {least} classes"),
            Targets::TwoClassesOrLabels => "2 classes or multi-label targets".to_owned(),
            Targets::Numbers => "numbers".to_owned(),
            Targets::Any => "every target".to_owned(),
        }
    }
}
