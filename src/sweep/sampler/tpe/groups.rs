//! Groups of parameters that the same observations have.

/// Returns the groups of `parameters` parameters, each in the order of the parameters: the parameters of a group are in the same
/// observations, so that their joint density can be estimated. A parameter that no observation has is a group of its own.
pub(super) fn groups(parameters: usize, observed: &[&[Option<f64>]]) -> Vec<Vec<usize>> {
    let pattern = |parameter: usize| observed.iter().map(|values| values[parameter].is_some()).collect::<Vec<bool>>();
    let mut groups: Vec<(Vec<bool>, Vec<usize>)> = Vec::new();
    for parameter in 0..parameters {
        let own = pattern(parameter);
        let same = groups.iter_mut().find(|(other, _)| *other == own && own.contains(&true));
        match same {
            Some((_, group)) => group.push(parameter),
            None => groups.push((own, vec![parameter])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_the_same_observations_are_together() {
        let (yes, no) = (Some(1.0), None);
        let observed = [&[yes, no, yes, no, yes, no][..], &[yes, yes, no, no, yes, no], &[yes, no, yes, no, yes, no]];
        assert_eq!(groups(6, &observed), [vec![0, 4], vec![1], vec![2], vec![3], vec![5]]);
        assert_eq!(groups(2, &[]), [[0], [1]]);
    }
}
