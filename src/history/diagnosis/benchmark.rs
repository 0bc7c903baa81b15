//! Benchmark of the diagnosis on labeled learning curves.
//!
//! `tests/golden/diagnosis.py` generates the curves and documents their labels. `docs/DIAGNOSIS.md` has the confusion
//! matrices; run this test with `UPDATE_DOCS=1` to update them.

use std::fmt::Write as _;

use serde::Deserialize;

use super::{Diagnosis, Verdict, diagnose};
use crate::history::curves::Curves;
use crate::history::number::Number;

/// Rows and columns of the confusion matrix.
const ORDER: [Verdict; 5] =
    [Verdict::Good, Verdict::Underfitting, Verdict::Overfitting, Verdict::Unstable, Verdict::Diverged];

#[derive(Deserialize)]
struct Bench {
    curves: Vec<LabeledCurve>,
}

#[derive(Deserialize)]
struct LabeledCurve {
    name: String,
    source: String,
    verdict: Verdict,
    findings: Vec<Verdict>,
    constant_loss: Number,
    loss: Vec<Number>,
    val_loss: Vec<Number>,
    #[serde(default)]
    acc: Vec<Number>,
    #[serde(default)]
    val_acc: Vec<Number>,
}

impl LabeledCurve {
    fn diagnosis(&self, constant_loss: f64) -> Diagnosis {
        let mut curves = Curves { epoch: (1..=self.loss.len()).collect(), ..Curves::default() };
        let series =
            [("loss", &self.loss), ("val_loss", &self.val_loss), ("acc", &self.acc), ("val_acc", &self.val_acc)];
        for (name, values) in series.into_iter().filter(|(_, values)| !values.is_empty()) {
            curves.series.insert(name.to_owned(), values.clone());
        }
        diagnose(&curves, constant_loss).unwrap()
    }

    /// Returns whether the label is correct, and every finding of the expert was found.
    fn is_right(&self, found: &Diagnosis) -> bool {
        found.verdict == self.verdict && self.findings.iter().all(|finding| found.finds(*finding))
    }
}

fn read(name: &str) -> Vec<LabeledCurve> {
    let path = format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    let bench: Bench = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    bench.curves
}

fn right(curves: &[LabeledCurve]) -> usize {
    curves.iter().filter(|known| known.is_right(&known.diagnosis(known.constant_loss.0))).count()
}

/// Returns the Markdown section with the score, the confusion matrix and each curve with a wrong diagnosis.
fn section(title: &str, curves: &[LabeledCurve]) -> String {
    let found: Vec<Diagnosis> = curves.iter().map(|known| known.diagnosis(known.constant_loss.0)).collect();
    let from = |source: &str| curves.iter().filter(|known| known.source == source).count();
    let mut text = format!(
        "### {title}\n\n{} of {} curves are read as the expert reads them ({} synthetic, {} trained by PyTorch, {} by \
         scikit-learn, {} as reported by users).\n\n",
        right(curves),
        curves.len(),
        from("synthetic"),
        from("PyTorch"),
        from("scikit-learn"),
        from("reported")
    );
    let head: Vec<&str> = ORDER.iter().map(|verdict| verdict.word()).collect();
    let _ = writeln!(text, "| expert \\ diagnosis | {} |\n|---|{}", head.join(" | "), "--:|".repeat(ORDER.len()));
    for expected in ORDER {
        let count = |verdict: Verdict| {
            let both =
                |(known, found): &(&LabeledCurve, &Diagnosis)| known.verdict == expected && found.verdict == verdict;
            curves.iter().zip(&found).filter(both).count().to_string()
        };
        let _ = writeln!(text, "| {} | {} |", expected.word(), ORDER.map(count).join(" | "));
    }
    let has = |findings: &[Verdict]| findings.contains(&Verdict::Overfitting) && findings.contains(&Verdict::Unstable);
    let both = curves.iter().zip(&found).filter(|(known, _)| has(&known.findings));
    let _ = writeln!(
        text,
        "\nOverfitting and unstable at once: {} curves, both found in {} of them; found in {} of all curves.",
        both.clone().count(),
        both.filter(|(_, found)| has(&found.findings)).count(),
        found.iter().filter(|found| has(&found.findings)).count()
    );
    for (known, found) in curves.iter().zip(&found).filter(|(known, found)| !known.is_right(found)) {
        let words: Vec<&str> = known.findings.iter().map(|finding| finding.word()).collect();
        let _ = writeln!(text, "\n- {}: {} is right; found: {}", known.name, words.join(" and "), found.sentence);
    }
    text
}

#[test]
fn at_least_95_percent_of_the_diagnoses_agree_with_the_expert() {
    for name in ["diagnosis.json", "diagnosis_held_out.json"] {
        let curves = read(name);
        let wrong: Vec<String> = curves
            .iter()
            .map(|known| (known, known.diagnosis(known.constant_loss.0)))
            .filter(|(known, found)| !known.is_right(found))
            .map(|(known, found)| format!("{}: {:?}, found {:?}", known.name, known.findings, found.sentence))
            .collect();
        assert!(curves.len() >= 60, "{name}");
        assert!(60 * (curves.len() - wrong.len()) >= 57 * curves.len(), "{name}: {wrong:#?}");
    }
}

#[test]
fn diagnoses_that_users_reported_as_wrong_are_correct() {
    for name in ["diagnosis.json", "diagnosis_held_out.json"] {
        let curves = read(name);
        let reported = curves.iter().filter(|known| known.source == "reported" || known.name.starts_with("MNIST"));
        let found: Vec<(&str, Vec<Verdict>)> =
            reported.map(|known| (known.name.as_str(), known.diagnosis(known.constant_loss.0).findings)).collect();
        assert_eq!(
            found,
            [
                ("MNIST: overfit_mnist, 40 epochs", vec![Verdict::Overfitting]),
                ("reported: ten classes at chance, loss 2.55", vec![Verdict::Underfitting]),
                ("reported: training accuracy 0.886 below validation accuracy 0.958", vec![Verdict::Good]),
                ("reported: a constant regression target", vec![Verdict::Underfitting]),
            ]
        );
    }
}

#[test]
fn without_the_constant_loss_all_but_underfitting_is_found() {
    let curves = read("diagnosis.json");
    let known: Vec<&LabeledCurve> =
        curves.iter().filter(|known| !known.findings.contains(&Verdict::Underfitting)).collect();
    let right = known.iter().filter(|known| known.is_right(&known.diagnosis(f64::NAN))).count();
    assert!(60 * right >= 57 * known.len(), "{right} of {}", known.len());
}

#[test]
fn the_page_on_the_diagnosis_has_these_matrices() {
    let path = format!("{}/docs/DIAGNOSIS.md", env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once("<!-- bench -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- end of bench -->").unwrap();
    let tables = [
        section("The bench", &read("diagnosis.json")),
        section("Held out: the same kinds of curves, drawn with another seed", &read("diagnosis_held_out.json")),
    ];
    let wanted = format!("{before}<!-- bench -->\n\n{}\n<!-- end of bench -->{after}", tables.join("\n"));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    assert!(page == wanted || std::env::var_os("UPDATE_DOCS").is_some(), "run it again with UPDATE_DOCS=1:\n{wanted}");
}
