//! Precision and determinism of this process: float32, TF32 or bfloat16, and reproducible results.
//!
//! TF32 rounds the factors of a product to 10 bits of mantissa, and is several times faster on recent GPUs. PyTorch
//! disables it for matrix products and enables it for convolutions. Here it is disabled for both by default, so that
//! GPU results can be compared with the CPU's. bfloat16 is that of `torch.autocast`. The history records the setting.

use std::sync::atomic::{AtomicBool, Ordering};

use tch::Device;

use crate::device::precision::Precision;

/// Whether the layers compute in bfloat16.
static IS_BF16: AtomicBool = AtomicBool::new(false);

/// Precision and determinism settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ComputeMode {
    /// Precision of the layers.
    pub precision: Precision,
    /// Whether only deterministic algorithms are allowed. An operation without one fails.
    pub deterministic: bool,
}

impl ComputeMode {
    /// Applies the settings to this process. Call it before the first tensor is on a GPU.
    ///
    /// # Panics
    /// If libtorch rejects the settings, which does not happen.
    pub fn apply(self) {
        let done = switches::set_arithmetic(self.precision == Precision::Tf32, self.deterministic);
        assert!(done, "libtorch refuses its own switches");
        IS_BF16.store(self.precision == Precision::Bf16, Ordering::Relaxed);
    }

    /// Returns the current settings of this process.
    pub fn current() -> ComputeMode {
        let (tf32, deterministic) = switches::arithmetic().expect("libtorch tells its own switches");
        let precision = match (is_bf16(), tf32) {
            (true, _) => Precision::Bf16,
            (false, true) => Precision::Tf32,
            (false, false) => Precision::Float32,
        };
        ComputeMode { precision, deterministic }
    }

    /// Returns the precision of a device, as recorded in the history: the CPU has no TF32.
    pub fn precision_on(self, device: Device) -> Precision {
        let is_float32 = self.precision == Precision::Tf32 && !device.is_cuda();
        if is_float32 { Precision::Float32 } else { self.precision }
    }
}

/// Returns whether the layers compute in bfloat16.
pub fn is_bf16() -> bool {
    IS_BF16.load(Ordering::Relaxed)
}

/// Computes outputs of a network on a device. If the precision is bfloat16, they may be bfloat16.
pub fn autocast<T>(device: Device, compute: impl FnOnce() -> T) -> T {
    let _autocast = is_bf16().then(|| Autocast::start(device.is_cuda()));
    compute()
}

/// Autocast of this thread, until it is dropped.
struct Autocast {
    is_cuda: bool,
}

impl Autocast {
    fn start(is_cuda: bool) -> Autocast {
        assert!(switches::autocast(is_cuda, true), "libtorch refuses its own autocast");
        Autocast { is_cuda }
    }
}

impl Drop for Autocast {
    fn drop(&mut self) {
        let _ = switches::autocast(self.is_cuda, false); // it was started, so it can be ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn applied_settings_are_the_current_ones() {
        for precision in [Precision::Bf16, Precision::Tf32, Precision::Float32] {
            for deterministic in [true, false] {
                let wanted = ComputeMode { precision, deterministic };
                wanted.apply();
                assert_eq!(ComputeMode::current(), wanted);
            }
        }
    }

    #[test]
    fn the_cpu_has_no_tf32() {
        let of = |precision, device| ComputeMode { precision, deterministic: false }.precision_on(device);
        assert_eq!(of(Precision::Tf32, Device::Cpu), Precision::Float32);
        assert_eq!(of(Precision::Tf32, Device::Cuda(1)), Precision::Tf32);
        assert_eq!(of(Precision::Bf16, Device::Cpu), Precision::Bf16);
        assert_eq!(of(Precision::Float32, Device::Cuda(0)), Precision::Float32);
    }

    #[test]
    fn bf16_rounds_products_to_bfloat16_and_only_under_autocast() {
        let third = tch::Tensor::from_slice(&[1.0_f32 / 3.0]).view([1, 1]);
        let square = || autocast(Device::Cpu, || third.matmul(&third)).double_value(&[0, 0]);
        let exact = square();
        ComputeMode { precision: Precision::Bf16, deterministic: false }.apply();
        let rounded = square();
        assert_eq!(third.matmul(&third).double_value(&[0, 0]), exact, "outside");
        ComputeMode::default().apply();
        assert_eq!(square(), exact);
        // 1/3 is 0.333984375 in bfloat16, and its square 0.111328125 or 0.11181640625, with 8 significant bits
        assert_eq!(rounded, 0.111_328_125, "{exact}");
    }
}
