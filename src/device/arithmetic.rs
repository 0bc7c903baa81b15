//! How a GPU computes: in full float32 or in TF32, and whether the same run gives the same figures to the last digit.
//!
//! TF32 rounds the factors of a product to 10 bits of mantissa, and is some times as fast on recent GPUs. PyTorch leaves
//! it off for matrix products and on for convolutions; here it is off for both unless it is asked for, so that a GPU's
//! figures can be held against the CPU's. The history states which it was. On the CPU all is float32.

use tch::Device;

/// How a GPU computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arithmetic {
    /// Whether matrix products and convolutions may round their factors to TF32.
    pub tf32: bool,
    /// Whether only algorithms are used that give the same figures each time. An operation that has none fails.
    pub deterministic: bool,
}

impl Arithmetic {
    /// Makes libtorch compute so, from now on. To be called before the first tensor is on a GPU.
    ///
    /// # Panics
    /// When libtorch refuses, which it has no reason to.
    pub fn put_into_use(self) {
        let done = switches::set_arithmetic(self.tf32, self.deterministic);
        assert!(done, "libtorch refuses its own switches");
    }

    /// How libtorch computes now.
    pub fn in_use() -> Arithmetic {
        let (tf32, deterministic) = switches::arithmetic().expect("libtorch tells its own switches");
        Arithmetic { tf32, deterministic }
    }

    /// The precision in a word, as a history states it: `float32`, or `tf32` on a GPU where it is in use.
    pub fn precision(self, device: Device) -> &'static str {
        if self.tf32 && device.is_cuda() { "tf32" } else { "float32" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_into_use_is_in_use() {
        for (tf32, deterministic) in [(true, false), (false, true), (true, true), (false, false)] {
            let wanted = Arithmetic { tf32, deterministic };
            wanted.put_into_use();
            assert_eq!(Arithmetic::in_use(), wanted);
        }
    }

    #[test]
    fn the_cpu_computes_in_float32_whatever_a_gpu_would() {
        let fast = Arithmetic { tf32: true, deterministic: false };
        assert_eq!(fast.precision(Device::Cpu), "float32");
        assert_eq!(fast.precision(Device::Cuda(1)), "tf32");
        assert_eq!(Arithmetic::default().precision(Device::Cuda(0)), "float32");
    }
}
