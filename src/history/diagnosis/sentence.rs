//! The findings of a diagnosis in a sentence, with their numbers and what to try.

use crate::history::diagnosis::finding::Finding;
use crate::history::number::brief;

/// All findings in a sentence: it begins with the verdict, and names the others behind it.
pub(super) fn of(findings: &[Finding]) -> String {
    findings.iter().map(one).collect::<Vec<_>>().join("; also ")
}

fn one(finding: &Finding) -> String {
    let more = |still_falls: bool| if still_falls { "; it is still falling, so more epochs may help" } else { "" };
    match *finding {
        Finding::NotFinite { epoch } => {
            format!("diverged in epoch {epoch}: the loss is no longer a finite number; try a smaller learning rate")
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
            "unstable: training loss jumps up and down by {} of its level; \
             try a smaller learning rate or larger batches",
            percent(jitter)
        ),
        Finding::ValidationJumps { jitter } => format!(
            "unstable: validation loss jumps up and down by {} of its level; \
             try a smaller learning rate or more validation rows",
            percent(jitter)
        ),
        Finding::Creeps { epoch, lowest, last } => format!(
            "unstable: training loss rises again from {} in epoch {epoch} to {}; try a smaller learning rate",
            brief(lowest),
            brief(last)
        ),
        Finding::Underfits { lowest, constant, still_falls } if lowest < constant => format!(
            "underfitting: training loss gets no lower than {}; a constant prediction gets {} ({} explained){}",
            brief(lowest),
            brief(constant),
            percent(1.0 - lowest / constant),
            more(still_falls)
        ),
        Finding::Underfits { lowest, constant, still_falls } => format!(
            "underfitting: training loss gets no lower than {}, no better than a constant prediction ({}){}",
            brief(lowest),
            brief(constant),
            more(still_falls)
        ),
        Finding::SameTarget => {
            "underfitting: the target is the same in every training row, so there is nothing to learn, and no network \
             can be better than predicting it"
                .to_owned()
        }
        Finding::Good { first, last, validation, still_falls } => {
            let moves = if last < first { "falls" } else { "goes" };
            let validation = validation.map(|end| format!(", and validation loss ends at {}", brief(end)));
            format!(
                "good: training loss {moves} from {} to {}{}{}",
                brief(first),
                brief(last),
                validation.unwrap_or_default(),
                more(still_falls)
            )
        }
    }
}

/// `12 %`
fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}
