//! Experiments on a directory of images.

use crate::data::inspect::array_section::holds_out;
use crate::data::inspect::image_section::ImageSummary;
use crate::experiment::template::file::{TRAINING_SHARE, assemble};
use crate::experiment::template::model::Task;

/// Height and width below which convolutions do not halve an image any more.
const SMALLEST: i64 = 8;

/// Numbers of channels of the convolutions.
const CHANNELS: [usize; 4] = [16, 32, 64, 64];

/// Returns the experiment on a directory of images. `path` is the path of the directory as it is written.
pub fn of_images(name: &str, summary: &ImageSummary, path: &str) -> String {
    let is_split = summary.info.validation_rows == 0;
    let share = if is_split && holds_out(&summary.info) { TRAINING_SHARE } else { 1.0 };
    let training_rows = (summary.info.rows as f64 * share) as usize;
    let task = Task { problem: &summary.problem, training_rows, holds_out: holds_out(&summary.info) };
    let question = "Which class does an image have?";
    let text = assemble(name, "Classify images", question, task, &summary.section(path));
    let mut side = summary.info.sample.dimensions()[1..].iter().copied().min().unwrap_or(0);
    let mut layers = String::new();
    for channels in CHANNELS {
        if side < SMALLEST {
            break;
        }
        side /= 2;
        layers += &format!(
            "    {{ conv2d = {{ channels = {channels}, kernel = 3, padding = 1 }} }}, \"relu\", {{ max_pool2d = 2 }},\n"
        );
    }
    let layers = format!("layers = [\n{layers}    \"flatten\",\n    ");
    // the layers of several classes are on one line
    text.lines()
        .map(|line| match line.strip_prefix("layers = [").and_then(|rest| rest.strip_suffix(']')) {
            Some(rest) => format!("{layers}{rest},\n]\n"),
            None => format!("{line}\n"),
        })
        .collect()
}
