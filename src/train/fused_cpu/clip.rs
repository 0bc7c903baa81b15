//! Gradient clipping of the fused CPU backend, of the part of a gradient that a thread has.

use crate::train::regularize::clip::Clip;

/// What clipping does to the elements of a gradient.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ClipLimit {
    /// Multiplies them.
    Factor(f32),
    /// Brings them between the value and its negative.
    Value(f32),
}

impl ClipLimit {
    /// Returns the limit for a gradient with the L2 norm `norm()`; `None` if the norm is `None`.
    pub(crate) fn new(clip: Clip, norm: impl FnOnce() -> Option<f64>) -> Option<ClipLimit> {
        Some(match clip {
            Clip::Norm(limit) => {
                let factor = limit / (norm()? + 1e-6);
                ClipLimit::Factor(if factor > 1.0 { 1.0 } else { factor as f32 }) // NaN remains NaN
            }
            Clip::Value(limit) => ClipLimit::Value(limit as f32),
        })
    }

    /// Clips elements of the gradient, in place.
    pub(crate) fn apply(self, gradient: &mut [f32]) {
        match self {
            ClipLimit::Factor(factor) => gradient.iter_mut().for_each(|element| *element *= factor),
            ClipLimit::Value(limit) => gradient.iter_mut().for_each(|element| *element = element.clamp(-limit, limit)),
        }
    }
}
