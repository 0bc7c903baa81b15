//! Random generators of the replicas of a stack.
//!
//! libtorch draws from one default generator per device. While a stack trains, each replica has generators of its own,
//! and [`with_replica`] makes them the default ones during a draw. So every operation of libtorch draws for a replica
//! exactly what it draws when the replica is trained alone.
//!
//! A stack of one replica uses the default generators themselves.

use std::cell::{Cell, RefCell};
use std::sync::{Mutex, MutexGuard, PoisonError};

use switches::Generator;
use tch::{Device, Tensor};

thread_local! {
    /// Generators of each replica: of the CPU, and of the GPU on which the stack trains.
    static REPLICAS: RefCell<Vec<Vec<Generator>>> = const { RefCell::new(Vec::new()) };
    /// Whether a replica's generators are the default ones.
    static IS_ACTIVE: Cell<bool> = const { Cell::new(false) };
}

/// Held while a replica's generators are the default ones of the process.
static DEFAULT: Mutex<()> = Mutex::new(());

/// Gives each replica its own generators in this thread, until the returned value is dropped.
pub fn install_until_drop(replicas: usize, device: Device) -> impl Drop {
    let gpu = match device {
        Device::Cuda(index) => Some(Some(index)),
        _ => None,
    };
    let of_replica = || {
        let devices = [Some(None), gpu].into_iter().flatten();
        devices.map(|gpu| Generator::new(gpu).expect("every device has a default generator")).collect()
    };
    let generators = if replicas == 1 { Vec::new() } else { (0..replicas).map(|_| of_replica()).collect() };
    Installed { before: REPLICAS.replace(generators) }
}

/// Generators that were installed before.
struct Installed {
    before: Vec<Vec<Generator>>,
}

impl Drop for Installed {
    fn drop(&mut self) {
        REPLICAS.set(std::mem::take(&mut self.before));
    }
}

/// Calls `draw` with the generators of a replica as libtorch's default ones: `manual_seed` seeds them, and random
/// operations draw from them. Without installed generators, and within another call, the default ones do not change.
///
/// Do not start threads that draw in it: the default generators belong to the whole process.
pub fn with_replica<T>(replica: usize, draw: impl FnOnce() -> T) -> T {
    let _active = Active::start(replica);
    draw()
}

/// Calls `draw` with the values of each replica, under its generators: `values` `[replicas, …]`.
pub fn for_each_replica(values: &Tensor, mut draw: impl FnMut(usize, Tensor)) {
    for replica in 0..values.size()[0] {
        let of_replica = values.get(replica);
        with_replica(replica as usize, || draw(replica as usize, of_replica));
    }
}

/// Returns the results of `draw` for the values of each replica, under its generators: `values` `[replicas, …]`,
/// results `[…]` each → `[replicas, …]`.
pub fn map_each_replica(values: &Tensor, mut draw: impl FnMut(usize, &Tensor) -> Tensor) -> Tensor {
    let of_replicas = values.unbind(0);
    let results: Vec<Tensor> = of_replicas
        .iter()
        .enumerate()
        .map(|(replica, values)| {
            // without gaps in memory, as in a lone run: a GPU assigns random numbers by position in memory
            let values = if values.is_contiguous() { values.shallow_clone() } else { values.copy() };
            with_replica(replica, || draw(replica, &values))
        })
        .collect();
    Tensor::stack(&results, 0)
}

/// A replica whose generators are the default ones.
struct Active {
    replica: usize,
    _default: MutexGuard<'static, ()>,
}

impl Active {
    fn start(replica: usize) -> Option<Active> {
        if IS_ACTIVE.get() || REPLICAS.with_borrow(Vec::is_empty) {
            return None;
        }
        let _default = DEFAULT.lock().unwrap_or_else(PoisonError::into_inner);
        swap(replica);
        IS_ACTIVE.set(true);
        Some(Active { replica, _default })
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        swap(self.replica);
        IS_ACTIVE.set(false);
    }
}

/// Exchanges the default generators and those of a replica.
fn swap(replica: usize) {
    REPLICAS.with_borrow_mut(|replicas| {
        for generator in &mut replicas[replica] {
            assert!(generator.swap_with_default(), "libtorch has a default generator");
        }
    });
}
