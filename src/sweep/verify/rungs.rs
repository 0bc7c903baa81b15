//! Decides the rungs of a stack again from the histories of its trials, and compares them with the recorded ones.

use crate::experiment::halving::decision::{Judged, Rung, Verdict};
use crate::experiment::halving::replay::{StackTrial, replay};
use crate::experiment::halving::rule::HalvingRule;
use crate::experiment::halving::rung_metric::RungMetric;
use crate::experiment::plan::study::Study;
use crate::experiment::store::run_record::RunRecord;
use crate::history::{History, Status};
use crate::sweep::verify::findings::Findings;

/// Compares the rungs in the run record of a stack, which is the file `file`, with those that follow from the histories of its
/// trials, and the histories with the rungs. `expected` is the halving of the stack.
pub(super) fn check_rungs(
    file: &str,
    expected: Option<HalvingRule>,
    run: &RunRecord,
    study: &Study,
    histories: &[(String, History)],
    findings: &mut Findings,
) {
    if run.halving != expected {
        findings.add(file, "its halving is not that of the sweep");
    }
    let recorded: Vec<&Rung> = run.stacks().flat_map(|stack| &stack.rungs).collect();
    let Some((rule, metric)) = expected.and_then(|rule| RungMetric::parse(&rule.metric).map(|metric| (rule, metric)))
    else {
        if !recorded.is_empty() {
            findings.add(file, "it has rungs, but the sweep has no halving");
        }
        return;
    };
    let trials: Vec<(StackTrial, usize)> =
        histories.iter().filter_map(|(_, history)| stack_trial(study, history)).collect();
    let epochs = trials.iter().map(|(_, epochs)| *epochs).max().unwrap_or(0);
    let trials: Vec<StackTrial> = trials.into_iter().map(|(trial, _)| trial).collect();
    let again = replay(&rule, &metric, epochs, &trials);
    for (number, (found, expected)) in recorded.iter().zip(&again).enumerate() {
        if *found != expected {
            findings.add(file, format!("rung {} {}", number + 1, difference(expected, found)));
        }
    }
    if recorded.len() != again.len() {
        findings.add(file, format!("there must be {} rungs, found {}", again.len(), recorded.len()));
    }
    for (file, history) in histories {
        let dropped = again.iter().find(|rung| !rung.keeps(&history.variant)).map(|rung| rung.epoch);
        let trained = history.history.len();
        match (history.status, dropped) {
            (Status::Dropped, None) => findings.add(file, "it was dropped, but no rung drops it"),
            (Status::Dropped, Some(epoch)) if trained != epoch => {
                findings.add(
                    file,
                    format!("it must have {epoch} epochs, the rung at which it was dropped, found {trained}"),
                );
            }
            (_, Some(epoch)) if trained > epoch => {
                findings.add(file, format!("it has {trained} epochs, but a rung drops it after epoch {epoch}"));
            }
            _ => {}
        }
    }
}

/// Returns a trial and the number of epochs that it had to train.
fn stack_trial<'a>(study: &'a Study, history: &'a History) -> Option<(StackTrial<'a>, usize)> {
    let plan = study.plans.iter().find(|plan| plan.variant == history.variant)?;
    let train = &plan.network()?.train;
    let trial = StackTrial {
        configuration: &history.variant,
        seed: history.seed,
        status: history.status,
        curves: &history.history,
        monitor: train.monitored(plan.has_validation(), plan.info.target),
    };
    Some((trial, train.epochs))
}

/// Returns the difference of two rungs as text: who continues, or if these are the same, the first different mean or verdict.
fn difference(expected: &Rung, found: &Rung) -> String {
    let (must_be, is) = (describe(expected), describe(found));
    if must_be != is {
        return format!("must be {must_be}, found {is}");
    }
    let judged = |judged: &Judged| {
        let mean = judged.mean.map_or_else(|| "no mean".to_owned(), |mean| format!("the mean {}", mean.0));
        let verdict = match judged.verdict {
            Verdict::Kept => "kept",
            Verdict::Close => "close",
            Verdict::Dropped => "dropped",
        };
        format!("`{}` with {mean} ({verdict})", judged.name)
    };
    let pairs = expected.configurations.iter().zip(&found.configurations);
    let different = pairs.enumerate().find(|(_, (expected, found))| expected != found);
    different.map_or_else(String::new, |(place, (expected, found))| {
        format!("must have {} in place {}, found {}", judged(expected), place + 1, judged(found))
    })
}

/// Returns a rung as text: its epoch, and the configurations that continue.
fn describe(rung: &Rung) -> String {
    let kept = rung.configurations.iter().filter(|judged| judged.verdict != Verdict::Dropped);
    let names: Vec<&str> = kept.map(|judged| judged.name.as_str()).collect();
    let names = if names.is_empty() { "no configuration".to_owned() } else { names.join(", ") };
    format!("after epoch {} with {names} of {} continuing", rung.epoch, rung.configurations.len())
}
