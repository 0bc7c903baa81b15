//! Vector instructions of the convolutions.

use pulp::WithSimd;

/// Vectors of at most [`LANES`](super::geometry::LANES) values, with AVX2 if the processor has it. Longer ones would be half
/// empty in images of 8 channels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vectors {
    #[cfg(target_arch = "x86_64")]
    avx2: Option<pulp::x86::V3>,
}

impl Vectors {
    /// Asks the processor what it has.
    pub(super) fn new() -> Vectors {
        Vectors {
            #[cfg(target_arch = "x86_64")]
            avx2: pulp::x86::V3::try_new(),
        }
    }

    /// Runs an operation with these vectors.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn dispatch<O: WithSimd>(self, operation: O) -> O::Output {
        use pulp::Simd;
        match self.avx2 {
            Some(simd) => Simd::vectorize(simd, operation),
            None => Simd::vectorize(pulp::Scalar::new(), operation),
        }
    }

    /// Runs an operation with these vectors.
    #[cfg(not(target_arch = "x86_64"))]
    pub(super) fn dispatch<O: WithSimd>(self, operation: O) -> O::Output {
        pulp::Arch::new().dispatch(operation)
    }
}
