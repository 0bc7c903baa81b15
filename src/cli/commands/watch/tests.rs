//! What the screen shows, as text.

use insta::assert_snapshot;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::draw::draw;
use super::look::Look;
use super::view::{Curve, Metric, Point, State, View, table_metrics};

/// A run of two seeds at epoch 12 of 20.
fn run_in_training() -> View {
    let point = |epoch: usize, factor: f64| {
        let mean = factor / epoch as f64 + 0.1;
        Point { epoch: epoch as f64, mean, low: mean * 0.9, high: mean * 1.1 }
    };
    let curve = |label: &str, factor: f64| Curve {
        label: label.to_owned(),
        points: (1..=12).map(|epoch| point(epoch, factor)).collect(),
    };
    let metric = |name: &str, factor: f64| Metric {
        name: name.to_owned(),
        curves: vec![curve("validation", factor * 1.2), curve("training", factor)],
    };
    let row = |seed: usize| {
        let values = ["0.1833", "0.9312", "0.2000", "0.9277"].map(str::to_owned);
        let first = [format!("base-seed{seed}"), "12/20".to_owned(), "training".to_owned()];
        first.into_iter().chain(values).collect()
    };
    View {
        name: "digits_mlp".to_owned(),
        facts: ["2026-11-29T215012Z-3f0c1e", "2 trials", "cpu"].map(str::to_owned).to_vec(),
        state: State::Training,
        share: 0.6,
        progress: "epoch 12/20".to_owned(),
        left: Some(4.1),
        notes: vec!["best val_loss 0.2000: base-seed1, epoch 12".to_owned()],
        main_metric: Some("val_loss".to_owned()),
        metrics: vec![metric("loss", 2.0), metric("acc", 0.5)],
        columns: (
            ["trial", "epoch", "state", "loss", "acc", "val_loss", "val_acc"].map(str::to_owned).to_vec(),
            vec![1, 3, 4, 5, 6],
        ),
        rows: (0..2).map(row).collect(),
    }
}

/// Draws a view, and returns the screen as text.
fn screen(view: &View, look: &Look, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, view, look)).unwrap();
    let buffer = terminal.backend().buffer().clone();
    let line = |row: u16| -> String { (0..width).map(|column| buffer[(column, row)].symbol()).collect() };
    (0..height).map(|row| line(row).trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_run_in_training_on_80_columns() {
    assert_snapshot!(screen(&run_in_training(), &Look::new(true), 80, 24));
}

#[test]
fn a_run_in_training_on_40_columns_without_colors() {
    assert_snapshot!(screen(&run_in_training(), &Look::new(false), 40, 12));
}

#[test]
fn another_metric_on_a_logarithmic_scale() {
    let view = run_in_training();
    let mut look = Look::new(true);
    look.choose(&view, 1);
    look.is_logarithmic = true;
    let shown = screen(&view, &look, 80, 24);
    assert!(shown.contains(" acc (log)"), "{shown}");
    look.choose(&view, 1);
    assert!(screen(&view, &look, 80, 24).contains(" loss (log)"));
    look.choose(&view, -1);
    assert!(screen(&view, &look, 80, 24).contains(" acc (log)"));
}

#[test]
fn a_complete_run_and_the_help() {
    let view = View { state: State::Finished, share: 1.0, left: None, ..run_in_training() };
    let mut look = Look::new(true);
    look.shows_help = true;
    assert_snapshot!(screen(&view, &look, 80, 24));
}

#[test]
fn many_workers_and_long_texts_are_cut() {
    let row = |number: usize| {
        let stack = format!("S{number:03}");
        [stack, "3/50".to_owned(), "4".to_owned(), format!("node{number} 4711"), "training".to_owned()].to_vec()
    };
    let curve = |label: &str, last: f64| {
        let point = |epoch: usize| {
            let mean = last + 1.0 / epoch as f64;
            Point { epoch: epoch as f64, mean, low: mean, high: mean }
        };
        Curve { label: label.to_owned(), points: (1..=50).map(point).collect() }
    };
    let view = View {
        facts: ["sweep 2026-11-29T215012Z-3f0c1e", "64 configurations", "128 trials", "20 workers"]
            .map(str::to_owned)
            .to_vec(),
        progress: "12 of 128 done, 40 in training, 2 failed".to_owned(),
        share: 0.2,
        left: Some(754.0),
        notes: vec![
            "best C012: best.val_acc 0.9721 ± 0.0021, lr=0.003 batch=64 optimizer=adam(amsgrad=true) epochs=50"
                .to_owned(),
        ],
        main_metric: Some("val_acc".to_owned()),
        metrics: vec![Metric {
            name: "val_acc".to_owned(),
            curves: vec![curve("best C012", 0.9), curve("C020", 0.8), curve("C021", 0.7)],
        }],
        columns: (["stack", "epoch", "configurations", "worker", "state"].map(str::to_owned).to_vec(), vec![1, 2]),
        rows: (0..20).map(row).collect(),
        ..run_in_training()
    };
    assert_snapshot!(screen(&view, &Look::new(true), 80, 24));
    let tiny = screen(&view, &Look::new(true), 12, 4);
    assert!(tiny.starts_with("di…  running"), "{tiny}");
    screen(&view, &Look::new(true), 1, 1);
}

#[test]
fn without_epochs_and_without_finite_values_there_is_a_sentence() {
    let view = View { metrics: Vec::new(), rows: Vec::new(), ..run_in_training() };
    assert!(screen(&view, &Look::new(true), 80, 24).contains("waiting for the first epoch"));
    let mut view = run_in_training();
    for curve in &mut view.metrics[0].curves {
        curve.points.iter_mut().for_each(|point| (point.mean, point.low, point.high) = (-1.0, -1.0, -1.0));
    }
    let mut look = Look::new(true);
    look.is_logarithmic = true;
    assert!(screen(&view, &look, 80, 24).contains("no values above 0 for a logarithmic scale"));
}

#[test]
fn of_many_metrics_the_table_has_the_monitored_one_and_those_of_validation_rows() {
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let few = names(&["lr", "loss", "acc", "val_loss", "val_acc", "seconds"]);
    assert_eq!(table_metrics(&few, Some("val_acc")), ["loss", "acc", "val_loss", "val_acc"]);
    let many = names(&["loss", "ap", "f1", "val_loss", "val_ap", "val_f1"]);
    assert_eq!(table_metrics(&many, Some("val_ap")), ["val_ap", "val_loss", "val_f1", "loss"]);
    let training = names(&["loss", "ap", "f1", "precision", "recall"]);
    assert_eq!(table_metrics(&training, Some("f1")), ["f1", "loss", "ap", "precision"]);
}
