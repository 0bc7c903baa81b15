//! The sentence of a diagnosis: the findings with their numbers and suggestions.

use crate::history::diagnosis::finding::Finding;
use crate::history::number::brief;

/// Returns all findings as one sentence, the most important first.
pub(super) fn render(findings: &[Finding]) -> String {
    findings.iter().map(render_one).collect::<Vec<_>>().join("; also ")
}

/// Returns one finding as a clause.
fn render_one(finding: &Finding) -> String {
    let more = |still_falls: bool| if still_falls { "; it is still falling: train longer" } else { "" };
    match *finding {
        Finding::NotFinite { epoch } => {
            format!("diverged in epoch {epoch}: the loss is NaN or infinite; try a smaller learning rate")
        }
        Finding::Grows { first, last } => format!(
            "diverged: training loss rises from {} to {}; try a smaller learning rate",
            brief(first),
            brief(last)
        ),
        Finding::Lost { lowest, last, constant } => format!(
            "diverged: training loss had fallen to {} and ends at {}, no better than a constant prediction ({}); \
             try a smaller learning rate",
            brief(lowest),
            brief(last),
            brief(constant)
        ),
        Finding::Overfits { epoch, lowest, last, training } => format!(
            "overfitting from epoch {}: validation loss is lowest in epoch {epoch} ({}) and ends at {}, \
             while training loss ends at {}",
            epoch + 1,
            brief(lowest),
            brief(last),
            brief(training)
        ),
        Finding::Jumps { jitter } => format!(
            "unstable: training loss fluctuates by {}; \
             try a smaller learning rate or larger batches",
            percent(jitter)
        ),
        Finding::ValidationJumps { jitter } => format!(
            "unstable: validation loss fluctuates by {}; \
             try a smaller learning rate or more validation rows",
            percent(jitter)
        ),
        Finding::Creeps { epoch, lowest, last } => format!(
            "unstable: training loss rises again from {} in epoch {epoch} to {}; try a smaller learning rate",
            brief(lowest),
            brief(last)
        ),
        Finding::Underfits { lowest, constant, still_falls } if lowest < constant => format!(
            "underfitting: training loss gets no lower than {}, {} below a constant prediction ({}){}",
            brief(lowest),
            percent(1.0 - lowest / constant),
            brief(constant),
            more(still_falls)
        ),
        Finding::Underfits { lowest, constant, still_falls } => format!(
            "underfitting: training loss gets no lower than {}, no better than a constant prediction ({}){}",
            brief(lowest),
            brief(constant),
            more(still_falls)
        ),
        Finding::SameTarget => {
            "underfitting: the target is the same in every training row, so there is nothing to learn".to_owned()
        }
        Finding::Good { first, last, validation, still_improves } => {
            let moves = if last < first { "falls" } else { "goes" };
            let validation = validation.map(|end| format!(", and validation loss ends at {}", brief(end)));
            format!(
                "good: training loss {moves} from {} to {}{}{}",
                brief(first),
                brief(last),
                validation.unwrap_or_default(),
                if still_improves { "; still improving at the last epoch: train longer" } else { "" }
            )
        }
    }
}

/// Formats a share as `12 %`.
fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}
