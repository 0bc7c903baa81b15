//! Bar over the stacks of a run that worker processes train.

use indicatif::{ProgressBar, ProgressStyle};

use crate::experiment::run::progress::StacksProgress;

/// Number of positions of the bar for a stack.
const POSITIONS: u64 = 1000;

/// Draws the bar, which moves with the epochs of the stacks in training.
pub fn start(stacks: &StacksProgress) -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {msg}, {elapsed} so far").expect("a valid template");
    let bar = ProgressBar::new(stacks.all as u64 * POSITIONS).with_style(style);
    update(&bar, stacks);
    bar
}

/// Moves the bar to this progress.
pub fn update(bar: &ProgressBar, stacks: &StacksProgress) {
    let part = |&(epoch, epochs): &(usize, usize)| epoch as u64 * POSITIONS / epochs.max(1) as u64;
    bar.set_position(stacks.ended as u64 * POSITIONS + stacks.training.iter().map(part).sum::<u64>());
    bar.set_message(text(stacks));
}

/// Returns the progress in words: `1 of 5 stacks done, epochs 19/40, 7/40`.
pub fn text(stacks: &StacksProgress) -> String {
    let done = format!("{} of {} stacks done", stacks.ended, stacks.all);
    let epochs: Vec<String> = stacks.training.iter().map(|(epoch, epochs)| format!("{epoch}/{epochs}")).collect();
    match epochs.len() {
        0 => done,
        1 => format!("{done}, epoch {}", epochs[0]),
        2..=4 => format!("{done}, epochs {}", epochs.join(", ")),
        several => format!("{done}, {several} in training"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_epochs_of_a_few_stacks_are_listed() {
        let of = |training: &[(usize, usize)]| text(&StacksProgress { ended: 1, all: 9, training: training.to_vec() });
        assert_eq!(of(&[]), "1 of 9 stacks done");
        assert_eq!(of(&[(19, 40)]), "1 of 9 stacks done, epoch 19/40");
        assert_eq!(of(&[(19, 40), (7, 40)]), "1 of 9 stacks done, epochs 19/40, 7/40");
        assert_eq!(of(&[(1, 4); 5]), "1 of 9 stacks done, 5 in training");
    }
}
