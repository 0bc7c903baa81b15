//! Checks the expectations of a sweep before it is trained.

use serde_json::Value;

use crate::config::suggest;
use crate::sweep::expectation::{BEST, DIVERGED, IMPORTANCE, MOST_IMPORTANT, SweepExpectation};
use crate::sweep::record::Configuration;
use crate::sweep::space::origin::{Origin, SpaceFault};

/// What the expectations of a sweep can be about.
pub(super) struct Checked<'a> {
    /// Path of the metric that ranks the configurations.
    pub(super) metric: &'a str,
    /// Keys of the settings that differ.
    pub(super) settings: &'a [String],
    /// The configurations.
    pub(super) configurations: &'a [Configuration],
    /// Whether halving drops configurations, so that not all are trained to the end.
    pub(super) drops_some: bool,
}

impl Checked<'_> {
    /// Checks all expectations.
    ///
    /// # Errors
    /// If one names an unknown metric or setting, or has no bound or an impossible one.
    pub(super) fn check(&self, expectations: &[SweepExpectation]) -> Result<(), SpaceFault> {
        for (number, expectation) in expectations.iter().enumerate() {
            let number = number.to_string();
            let place = |key: &str| Origin::file(&["sweep", "expect", &number, key]);
            self.check_one(expectation).map_err(|(key, fault)| fault.at(&place(key)))?;
        }
        Ok(())
    }

    /// Whether the metric and the settings of an expectation exist.
    pub(super) fn knows(&self, expectation: &SweepExpectation) -> bool {
        let needs_all = self.drops_some && is_of_all(&expectation.metric);
        !needs_all
            && self.paths().contains(&expectation.metric)
            && expectation.among.keys().all(|key| self.settings.contains(key))
    }

    /// Returns all paths.
    fn paths(&self) -> Vec<String> {
        let of_settings = |prefix: &'static str| self.settings.iter().map(move |key| format!("{prefix}{key}"));
        let fixed = [self.metric, MOST_IMPORTANT, DIVERGED].map(str::to_owned);
        fixed.into_iter().chain(of_settings(BEST)).chain(of_settings(IMPORTANCE)).collect()
    }

    /// Checks an expectation; the error names its key.
    fn check_one(&self, expectation: &SweepExpectation) -> Result<(), (&'static str, SpaceFault)> {
        let SweepExpectation { claim, metric, among, at_least, at_most, is } = expectation;
        if claim.as_ref().is_some_and(|claim| claim.trim().is_empty() || claim.contains('\n')) {
            return Err(("claim", SpaceFault::new("`claim` must be a single line", "write a short sentence")));
        }
        let paths = self.paths();
        if !paths.contains(metric) {
            let message = format!("`metric` must be a metric of this sweep, found `{metric}`");
            let all =
                || format!("allowed are {}", suggest::list(&paths.iter().map(String::as_str).collect::<Vec<_>>()));
            let near = suggest::nearest(metric, paths.iter().map(String::as_str));
            let hint = near.map_or_else(all, |near| format!("did you mean `{near}`?"));
            return Err(("metric", SpaceFault::new(message, hint)));
        }
        if self.drops_some && is_of_all(metric) {
            let message =
                format!("`{metric}` needs configurations that are all trained to the end, and `halving` drops some");
            return Err(("metric", SpaceFault::new(message, "remove the expectation, or `halving`")));
        }
        if let Some(key) = among.keys().find(|key| !self.settings.contains(key)) {
            let message = format!("`where` names `{key}`, which the sweep does not vary");
            let hint = suggest::hint(key, self.settings.iter().map(String::as_str));
            return Err(("where", SpaceFault::new(message, hint)));
        }
        if !among.is_empty() && !metric.starts_with(BEST) && metric != self.metric {
            let hint = "remove `where`, or use `best.KEY`";
            return Err(("where", SpaceFault::new(format!("`where` does not apply to `{metric}`"), hint)));
        }
        let has_bound = at_least.is_some() || at_most.is_some();
        if !has_bound && is.is_none() {
            let message = format!("the expectation of `{metric}` has no bound");
            return Err(("metric", SpaceFault::new(message, "add `at_least`, `at_most` or `is`")));
        }
        for (key, bound) in [("at_least", at_least), ("at_most", at_most)] {
            if bound.is_some_and(|bound| !bound.is_finite()) {
                return Err((key, SpaceFault::new(format!("`{key}` must be a finite number"), "write a number")));
            }
        }
        if let (Some(least), Some(most)) = (at_least, at_most)
            && least > most
        {
            let message = format!("`at_least` must not exceed `at_most`, which is {most}, found {least}");
            return Err(("at_least", SpaceFault::new(message, "swap them")));
        }
        match (self.is_word(metric), has_bound, is.is_some()) {
            (true, true, _) => {
                let message = format!("`{metric}` is a word, which has no bounds");
                Err(("metric", SpaceFault::new(message, "use `is`")))
            }
            (false, _, true) => {
                let message = format!("`is` is for words, but `{metric}` is a number");
                Err(("is", SpaceFault::new(message, "use `at_least` and `at_most`")))
            }
            _ => Ok(()),
        }
    }

    /// Whether the value of a path is a word.
    fn is_word(&self, metric: &str) -> bool {
        let setting = metric.strip_prefix(BEST).filter(|_| metric != self.metric);
        let is_word = |value: &Value| !value.is_number();
        metric == MOST_IMPORTANT
            || setting.is_some_and(|key| self.configurations.iter().filter_map(|one| one.set.get(key)).any(is_word))
    }
}

/// Whether the value of a path follows from all configurations.
fn is_of_all(metric: &str) -> bool {
    metric == MOST_IMPORTANT || metric.starts_with(IMPORTANCE)
}
