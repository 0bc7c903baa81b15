//! Precision and determinism of a GPU: full float32 or TF32, and reproducible results.
//!
//! TF32 rounds the factors of a product to 10 bits of mantissa, and is several times faster on recent GPUs. PyTorch
//! disables it for matrix products and enables it for convolutions. Here it is disabled for both by default, so that
//! GPU results can be compared with the CPU's. The history records the setting. The CPU always computes in float32.

use tch::Device;

/// Precision and determinism settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ComputeMode {
    /// Whether matrix products and convolutions may round their factors to TF32.
    pub tf32: bool,
    /// Whether only deterministic algorithms are allowed. An operation without one fails.
    pub deterministic: bool,
}

impl ComputeMode {
    /// Applies the settings to libtorch. Call it before the first tensor is on a GPU.
    ///
    /// # Panics
    /// If libtorch rejects the settings, which does not happen.
    pub fn apply(self) {
        let done = switches::set_arithmetic(self.tf32, self.deterministic);
        assert!(done, "libtorch refuses its own switches");
    }

    /// Returns libtorch's current settings.
    pub fn current() -> ComputeMode {
        let (tf32, deterministic) = switches::arithmetic().expect("libtorch tells its own switches");
        ComputeMode { tf32, deterministic }
    }

    /// Returns the precision as recorded in the history: `float32`, or `tf32` on a GPU with TF32.
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
            let wanted = ComputeMode { tf32, deterministic };
            wanted.apply();
            assert_eq!(ComputeMode::current(), wanted);
        }
    }

    #[test]
    fn the_cpu_computes_in_float32_whatever_a_gpu_would() {
        let fast = ComputeMode { tf32: true, deterministic: false };
        assert_eq!(fast.precision(Device::Cpu), "float32");
        assert_eq!(fast.precision(Device::Cuda(1)), "tf32");
        assert_eq!(ComputeMode::default().precision(Device::Cuda(0)), "float32");
    }
}
