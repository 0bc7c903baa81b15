//! Why configurations failed.

use std::collections::HashMap;

use crate::sweep::dir::ended::{EndedStack, Failure};
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

/// Stacks that failed for the same cause.
#[derive(Debug, PartialEq, Eq)]
pub struct FailedStacks<'a> {
    /// Their names, sorted.
    pub stacks: Vec<&'a str>,
    /// The error of the first one, with its causes.
    pub error: &'a str,
    /// What to do about it; the stacks can have different hints.
    pub hints: Vec<&'a str>,
    /// Whether they ran out of memory.
    pub is_out_of_memory: bool,
}

/// Returns the failed stacks by cause.
pub fn of_stacks(ended: &HashMap<String, EndedStack>) -> Vec<FailedStacks<'_>> {
    let mut failed: Vec<(&str, &Failure)> =
        ended.values().filter_map(|end| Some((end.stack.as_str(), end.failure.as_ref()?))).collect();
    failed.sort_by_key(|(stack, _)| *stack);
    let mut reasons: Vec<(&str, FailedStacks)> = Vec::new();
    for (stack, failure) in failed {
        let place = reasons.iter().position(|(cause, _)| *cause == failure.cause).unwrap_or_else(|| {
            let is_out_of_memory = failure.cause.contains("is out of memory");
            let of_cause =
                FailedStacks { stacks: Vec::new(), error: &failure.error, hints: Vec::new(), is_out_of_memory };
            reasons.push((&failure.cause, of_cause));
            reasons.len() - 1
        });
        let (_, reason) = &mut reasons[place];
        reason.stacks.push(stack);
        reason.hints.extend(
            failure.hint.as_deref().filter(|hint| !reason.hints.contains(hint)).into_iter().collect::<Vec<_>>(),
        );
    }
    reasons.into_iter().map(|(_, reason)| reason).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_with_the_same_cause_are_one_reason_with_all_their_hints() {
        let end = |stack: &str, cause: &str, hint: &str| {
            let error = format!("failed to train stack {stack}: {cause}");
            let failure = Failure { error, cause: cause.to_owned(), hint: Some(hint.to_owned()) };
            let end = EndedStack { failure: Some(failure), ..EndedStack::new(stack, 1, "w", String::new()) };
            (stack.to_owned(), end)
        };
        let mut ended = HashMap::from([
            end("S002", "no space", "files are in `b`"),
            end("S000", "no space", "files are in `a`"),
            end("S003", "the machine is out of memory: 4 MiB", "`--stack 2`"),
        ]);
        ended.insert("S001".to_owned(), EndedStack::new("S001", 1, "w", String::new()));
        let reasons = of_stacks(&ended);
        assert_eq!(reasons.len(), 2);
        assert_eq!(
            (&reasons[0].stacks[..], reasons[0].error),
            (&["S000", "S002"][..], "failed to train stack S000: no space")
        );
        assert_eq!(reasons[0].hints, ["files are in `a`", "files are in `b`"]);
        assert_eq!((reasons[0].is_out_of_memory, reasons[1].is_out_of_memory), (false, true));
    }
}
