//! Text of the `[data.arrays]` part of an experiment file, with a comment for each choice.

use crate::config::check::Invalid;
use crate::data::arrays::layout::Channels;
use crate::data::arrays::open_arrays::OpenArrays;
use crate::data::arrays::settings::{Arrays, is_file};
use crate::data::dataset::DatasetInfo;
use crate::data::inspect::csv_section::{FEWEST_TO_HOLD_OUT, comment_lines, quoted};
use crate::data::inspect::problem::Problem;
use crate::data::table::target_kind::TargetKind;
use crate::data::target::Target;

/// What is known of a file of arrays without its features.
#[derive(Debug)]
pub struct ArraySummary {
    /// Shapes and counts.
    pub info: DatasetInfo,
    /// Kind of the target; `None` for yes-or-no labels.
    pub problem: Option<Problem>,
    /// Whether the features are bytes, as those of images.
    pub has_bytes: bool,
    /// Whether the channels of images are last.
    pub has_channels_last: bool,
    /// Whether the targets are one-hot classes.
    pub is_one_hot: bool,
}

impl ArraySummary {
    /// Reads the targets of a file whose arrays have the usual names.
    ///
    /// # Errors
    /// When an array is missing or cannot be used.
    pub fn read(path: &str) -> Result<ArraySummary, Invalid> {
        let settings = likely_settings(path);
        let mut opened = OpenArrays::open(&settings)?;
        let (arrays, targets) = opened.targets(&settings)?;
        let info = opened.info(&targets);
        let training = arrays[0].as_ref().expect("there are training rows");
        let problem = match info.target {
            Target::Classes(_) => {
                Some(Problem::Classes { names: targets.names.clone(), rows: targets.counts(training), stated: None })
            }
            Target::Values(_) => Some(Problem::of_numbers(&training.numbers())),
            Target::Labels(_) => None,
        };
        let has_bytes = opened.element.largest_byte() == Some(255);
        let (has_channels_last, is_one_hot) = (settings.channels.is_some(), settings.task.is_some());
        Ok(ArraySummary { info, problem, has_bytes, has_channels_last, is_one_hot })
    }

    /// Returns the part `[data.arrays]`; `path` is the path of the file as it is written.
    pub fn section(&self, path: &str) -> String {
        let mut lines = vec!["[data.arrays]".to_owned(), format!("path = {}", quoted(path))];
        if self.has_channels_last {
            lines.push("# images have the channels last, as in Keras\nchannels = \"last\"".to_owned());
        }
        if self.is_one_hot {
            let comment =
                "each row of the targets has exactly one 1: one-hot classes; \"labels\" if a row can have several";
            lines.extend(comment_lines(comment));
            lines.push("task = \"classes\"".to_owned());
        }
        let (comment, scale) = match self.has_bytes {
            true => ("bytes to 0–1", "unit"),
            false => (
                "scales each feature to mean 0 and standard deviation 1 (training rows); \"min_max\" scales it to 0–1 instead",
                "standard",
            ),
        };
        lines.extend(comment_lines(comment));
        lines.push(format!("scale = \"{scale}\""));
        lines.extend(split_lines(&self.info, self.problem.as_ref()));
        lines.join("\n") + "\n"
    }
}

/// Returns whether some rows are held out: by the data set itself, or by the split.
pub fn holds_out(info: &DatasetInfo) -> bool {
    info.rows >= FEWEST_TO_HOLD_OUT || info.validation_rows * info.test_rows > 0
}

/// Returns the setting `split` for the parts that the data set does not have itself, with a comment.
pub(super) fn split_lines(info: &DatasetInfo, problem: Option<&Problem>) -> Vec<String> {
    let own = [("test", info.test_rows), ("validation", info.validation_rows)];
    let parts: Vec<&str> = own.iter().filter(|(_, rows)| *rows == 0).map(|(part, _)| *part).collect();
    if info.rows < FEWEST_TO_HOLD_OUT || parts.is_empty() {
        return Vec::new();
    }
    let stratify = if problem.is_some_and(Problem::can_be_stratified) { ", stratify = true" } else { "" };
    let fractions: String = parts.iter().map(|part| format!("{part} = 0.2, ")).collect();
    vec![
        format!("# 20 % {}", parts.join(", 20 % of the rest ")),
        format!("split = {{ {fractions}random_state = 42{stratify} }}"),
    ]
}

/// Returns the settings of the arrays of a file, with the channels last if the images can only be understood so, and with
/// classes if each row of the targets has exactly one 1.
pub fn likely_settings(path: &str) -> Arrays {
    let settings = Arrays::of_files(path);
    let last = Arrays { channels: Some(Channels::Last), ..settings.clone() };
    let settings =
        if OpenArrays::open(&settings).is_err() && OpenArrays::open(&last).is_ok() { last } else { settings };
    let one_hot = Arrays { task: Some(TargetKind::Classes), ..settings.clone() };
    let has_targets =
        |settings: &Arrays| OpenArrays::open(settings).is_ok_and(|mut opened| opened.targets(settings).is_ok());
    if !has_targets(&settings) && has_targets(&one_hot) { one_hot } else { settings }
}

/// Returns the part `[data.arrays]` for a file whose arrays have other names, with the names to fill in.
pub fn section_to_complete(path: &str, names: &[String]) -> String {
    if is_file(path) {
        return format!("[data.arrays]\nx = {}\n# the file of the targets\ny = \"y.npy\"\n", quoted(path));
    }
    let name = |place: usize| names.get(place).map_or("\"?\"".to_owned(), |name| quoted(name));
    format!(
        "[data.arrays]\npath = {}\n# the array of the features\nx = {}\n# the array of the targets\ny = {}\n",
        quoted(path),
        name(0),
        name(1)
    )
}
