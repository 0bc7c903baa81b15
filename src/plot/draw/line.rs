//! Lines of many points: interrupted at missing values, and reduced to the points that are visible.

use crate::plot::draw::shape::Point;

/// Splits a line at points without a position.
pub fn split_at_gaps(points: impl IntoIterator<Item = Option<Point>>) -> Vec<Vec<Point>> {
    let mut split_at_gaps = vec![Vec::new()];
    for point in points {
        match point {
            Some(point) => split_at_gaps.last_mut().expect("never empty").push(point),
            None => split_at_gaps.push(Vec::new()),
        }
    }
    split_at_gaps.retain(|piece| !piece.is_empty());
    split_at_gaps
}

/// Keeps the first, lowest, highest and last point of each pixel column; the line looks the same.
pub fn thin(points: Vec<Point>) -> Vec<Point> {
    const COLUMN: f64 = 1.0;
    if points.len() < 512 {
        return points;
    }
    let column = |point: &Point| (point.0 / COLUMN).floor();
    let mut thin: Vec<Point> = Vec::new();
    for same in points.chunk_by(|one, other| column(one) == column(other)) {
        let by_height = |one: &&usize, other: &&usize| same[**one].1.total_cmp(&same[**other].1);
        let places: Vec<usize> = (0..same.len()).collect();
        let mut kept = vec![0, same.len() - 1];
        kept.extend(places.iter().min_by(by_height));
        kept.extend(places.iter().max_by(by_height));
        kept.sort_unstable();
        kept.dedup();
        thin.extend(kept.into_iter().map(|place| same[place]));
    }
    thin
}

/// Returns a step function through the points: each value holds until the next point.
pub fn step_line(points: &[Point]) -> Vec<Point> {
    let mut stairs: Vec<Point> = Vec::with_capacity(2 * points.len());
    for &(x, y) in points {
        if let Some(&(_, before)) = stairs.last() {
            stairs.push((x, before));
        }
        stairs.push((x, y));
    }
    stairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_broken_where_a_value_is_missing() {
        let points = [None, Some((0.0, 1.0)), Some((1.0, 2.0)), None, None, Some((4.0, 1.0)), None];
        assert_eq!(split_at_gaps(points), [vec![(0.0, 1.0), (1.0, 2.0)], vec![(4.0, 1.0)]]);
        assert!(split_at_gaps([None, None]).is_empty());
    }

    #[test]
    fn a_thinned_line_keeps_its_ends_and_its_peaks() {
        let points: Vec<Point> =
            (0..10_000).map(|at| (f64::from(at) / 100.0, if at == 5_003 { 99.0 } else { f64::from(at % 7) })).collect();
        let thinned = thin(points.clone());
        assert!(thinned.len() <= 4 * 101, "{}", thinned.len());
        assert_eq!((thinned.first(), thinned.last()), (points.first(), points.last()));
        assert!(thinned.contains(&(50.03, 99.0)));
        assert!(thinned.is_sorted_by(|one, other| one.0 <= other.0));
        assert_eq!(thin(points[..100].to_vec()), points[..100]);
    }

    #[test]
    fn a_staircase_holds_each_value_until_the_next() {
        assert_eq!(step_line(&[(0.0, 1.0), (2.0, 3.0)]), [(0.0, 1.0), (2.0, 1.0), (2.0, 3.0)]);
    }
}
