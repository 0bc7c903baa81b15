//! Parses numbers in text: plain numbers and printed numbers of NumPy, PyTorch and TensorFlow.

/// Parses a number: `0.5`, `nan`, `-inf`, `np.float32(0.5)`, `tensor(0.5, device='cuda:0')`,
/// `tf.Tensor(0.5, shape=(), dtype=float32)`, `<tf.Tensor: shape=(), dtype=float32, numpy=0.5>`, also in brackets. Returns
/// `None` for other text.
pub fn parse(text: &str) -> Option<f64> {
    let text = text.trim();
    plain(text).or_else(|| plain(printed(text)?))
}

fn plain(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

/// Returns the value inside a printed object.
fn printed(text: &str) -> Option<&str> {
    if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return Some(inner);
    }
    if let Some(inner) = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')) {
        return inner.rsplit_once("numpy=").map(|(_, value)| value);
    }
    let (kind, inner) = text.strip_suffix(')')?.split_once('(')?;
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_');
    let is_kind = !kind.is_empty() && kind.chars().all(is_name);
    let value = inner.split(',').next().unwrap_or_default().trim();
    is_kind.then(|| value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_numbers_of_python_are_parsed() {
        for text in [
            "0.5",
            " 5e-1 ",
            "np.float32(0.5)",
            "numpy.float64(0.5)",
            "tensor(0.5)",
            "tensor([0.5])",
            "tensor(0.5, device='cuda:0', grad_fn=<NllLossBackward0>)",
            "tf.Tensor(0.5, shape=(), dtype=float32)",
            "<tf.Tensor: shape=(), dtype=float32, numpy=0.5>",
            "[0.5]",
        ] {
            assert_eq!(parse(text), Some(0.5), "{text}");
        }
        assert!(parse("np.float32(nan)").unwrap().is_nan());
        assert_eq!(parse("-Infinity"), Some(f64::NEG_INFINITY));
    }

    #[test]
    fn other_text_is_not_a_number() {
        for text in [
            "",
            "low",
            "[0.5, 0.25]",
            "tensor([0.5, 0.25])",
            "(0.5)",
            "tensor(",
            "0.5)",
            "a b(0.5)",
            "[]",
            "<>",
            "00:18",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
