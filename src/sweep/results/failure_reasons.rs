//! Why configurations failed.

use crate::sweep::results::configuration_result::Outcome;
use crate::sweep::results::ranking::Ranking;

/// Returns why configurations failed, a line for each reason.
pub fn of(ranking: &Ranking) -> Vec<String> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for result in &ranking.results {
        if let Outcome::Failed(failure) = &result.outcome {
            let name = result.configuration.name.as_str();
            match reasons.iter_mut().find(|(cause, _)| *cause == failure.cause) {
                Some((_, names)) => names.push(name),
                None => reasons.push((&failure.cause, vec![name])),
            }
        }
    }
    let line = |(cause, names): (&str, Vec<&str>)| match &names[..] {
        [first, second, third, fourth, rest @ ..] if !rest.is_empty() => {
            format!("{first}, {second}, {third}, {fourth} and {} more: {cause}", rest.len())
        }
        names => format!("{}: {cause}", names.join(", ")),
    };
    reasons.into_iter().map(line).collect()
}
