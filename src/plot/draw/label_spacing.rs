//! Moves overlapping labels apart, as little as necessary.

/// Returns label positions that are at least `gap` apart and within `from..=to`, as close as possible to the `wished`
/// ones. Their order is preserved; if there is not enough space, the gap is smaller. The result is in the order of
/// `wished`.
pub fn spread_out(wished: &[f64], gap: f64, from: f64, to: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wished.len()).collect();
    order.sort_by(|&one, &other| wished[one].total_cmp(&wished[other]));
    let gap = match wished.len() {
        0 | 1 => gap,
        count => gap.min((to - from).max(0.0) / (count - 1) as f64),
    };
    // Blocks of touching labels: the sum of wished positions, each minus its offset in the block, and the number of
    // labels.
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    let middle = |(sum, count): (f64, usize)| sum / count as f64;
    for &label in &order {
        blocks.push((wished[label], 1));
        while let [.., one, other] = blocks[..] {
            if middle(other) >= middle(one) + gap * one.1 as f64 {
                break;
            }
            blocks.pop();
            let shift = gap * (one.1 * other.1) as f64;
            *blocks.last_mut().expect("two were there") = (one.0 + other.0 - shift, one.1 + other.1);
        }
    }
    let mut placed = vec![0.0; wished.len()];
    let mut labels = order.into_iter();
    for block in blocks {
        for number in 0..block.1 {
            placed[labels.next().expect("as many as are in blocks")] = middle(block) + gap * number as f64;
        }
    }
    within(wished, placed, gap, from, to)
}

/// Moves labels outside the range back in, and pushes their neighbors along.
fn within(wished: &[f64], mut placed: Vec<f64>, gap: f64, from: f64, to: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..placed.len()).collect();
    order.sort_by(|&one, &other| placed[one].total_cmp(&placed[other]).then(wished[one].total_cmp(&wished[other])));
    let mut least = from;
    for &label in &order {
        placed[label] = placed[label].max(least);
        least = placed[label] + gap;
    }
    let mut most = to;
    for &label in order.iter().rev() {
        placed[label] = placed[label].min(most);
        most = placed[label] - gap;
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn labels_that_are_far_apart_stay_where_they_are() {
        assert_eq!(spread_out(&[30.0, 10.0], 12.0, 0.0, 100.0), [30.0, 10.0]);
        assert_eq!(spread_out(&[50.0, 50.0], 10.0, 0.0, 100.0), [45.0, 55.0]);
        assert_eq!(spread_out(&[0.0, 1.0], 10.0, 0.0, 100.0), [0.0, 10.0]);
        assert!(spread_out(&[], 10.0, 0.0, 100.0).is_empty());
    }

    proptest! {
        #[test]
        fn no_two_labels_lie_upon_each_other(wished in prop::collection::vec(0.0..200.0f64, 1..14)) {
            let placed = spread_out(&wished, 14.0, 0.0, 200.0);
            let mut sorted = placed.clone();
            sorted.sort_by(f64::total_cmp);
            prop_assert!(sorted.windows(2).all(|pair| pair[1] - pair[0] > 14.0 - 1e-6), "{placed:?}");
            prop_assert!(sorted[0] > -1e-6 && sorted[sorted.len() - 1] < 200.0 + 1e-6, "{placed:?}");
            for (one, other) in wished.iter().zip(&placed).flat_map(|a| wished.iter().zip(&placed).map(move |b| (a, b))) {
                prop_assert!(one.0 >= other.0 || one.1 <= other.1, "the order is kept: {wished:?} {placed:?}");
            }
        }
    }
}
