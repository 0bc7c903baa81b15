//! Nearest neighbors by exact Euclidean distance, in blocks, so that memory stays bounded however many rows there are.

use tch::{Kind, Tensor};

/// So many distances are held at a time: 128 MB of them.
const BLOCK: i64 = 1 << 24;

/// The numbers of the `count` points nearest to each query, nearest first; of a query that is a point itself, it comes
/// first (or one that is the same).
///
/// # Shapes
/// `queries` `[queries, features]`, `points` `[points, features]`, f64 on one device; `count` at most the number of
/// points → `[queries, count]`, int64.
pub fn nearest(queries: &Tensor, points: &Tensor, count: usize) -> Tensor {
    let (rows, all) = (queries.size()[0], points.size()[0]);
    let block = (BLOCK / all.max(1)).clamp(1, rows.max(1));
    let blocks: Vec<Tensor> = (0..rows)
        .step_by(block as usize)
        .map(|start| {
            let some = queries.narrow(0, start, block.min(rows - start));
            // 2: differences, and not the product formula, which loses small distances between large numbers
            let distances = Tensor::cdist(&some, points, 2.0, 2); // [block, points]
            distances.topk(count as i64, 1, false, true).1
        })
        .collect();
    match blocks.is_empty() {
        true => Tensor::empty([0, count as i64], (Kind::Int64, queries.device())),
        false => Tensor::cat(&blocks, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_distances_between_large_numbers_are_not_lost() {
        let points = Tensor::from_slice(&[1e9_f64, 1e9 + 1e-3, 1e9 + 3e-3, 1e9 - 1e-2]).unsqueeze(1);
        let found = nearest(&points, &points, 3);
        assert_eq!(Vec::<Vec<i64>>::try_from(&found).unwrap(), [[0, 1, 2], [1, 0, 2], [2, 1, 0], [3, 0, 1]]);
    }

    #[test]
    fn blocks_find_what_one_matrix_finds() {
        let points = (Tensor::arange(5000 * 3, (Kind::Double, tch::Device::Cpu)) * 0.7).sin().view([5000, 3]);
        let found = nearest(&points, &points, 4); // 25 million distances: two blocks
        let (_, wanted) = Tensor::cdist(&points.narrow(0, 4000, 10), &points, 2.0, 2).topk(4, 1, false, true);
        assert_eq!(found.narrow(0, 4000, 10), wanted);
    }
}
