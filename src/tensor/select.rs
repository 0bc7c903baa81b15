//! Selection of rows by index.

use tch::Tensor;

/// Returns these rows, in this order: `[rows, …]` → `[selected, …]`.
pub fn select_rows(tensor: &Tensor, rows: &[usize]) -> Tensor {
    let _no_grad = tch::no_grad_guard();
    let indices: Vec<i64> = rows.iter().map(|&row| row as i64).collect();
    tensor.index_select(0, &Tensor::from_slice(&indices).to_device(tensor.device()))
}
