//! Nearest neighbors by exact Euclidean distance, computed in blocks to bound the memory.

use tch::{Kind, Tensor};

/// Maximum number of distances in memory: 128 MB.
const BLOCK: i64 = 1 << 24;

/// Returns the indices of the `count` points nearest to each query, nearest first. If a query is one of the points,
/// that point comes first, or one equal to it.
///
/// # Shapes
/// `queries` `[queries, features]`, `points` `[points, features]`, f64 on one device; `count` is at most the number of
/// points. Returns `[queries, count]`, int64.
pub fn nearest(queries: &Tensor, points: &Tensor, count: usize) -> Tensor {
    let (rows, all) = (queries.size()[0], points.size()[0]);
    let block = (BLOCK / all.max(1)).clamp(1, rows.max(1));
    let blocks: Vec<Tensor> = (0..rows)
        .step_by(block as usize)
        .map(|start| {
            let some = queries.narrow(0, start, block.min(rows - start));
            // mode 2 subtracts; the faster formula with products is inexact for small distances between large numbers
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
