//! The thread pool that trains a stack, and the data of each thread.

use std::sync::Mutex;

use rayon::ThreadPool;

use crate::data::prepare::features::Features;
use crate::device::fault;
use crate::tensor::raw_values::{RawF32, RawValues};
use crate::tensor::threads;
use crate::train::fused_cpu::group::{Assignment, Membership, ThreadGroup, assign};
use crate::train::fused_cpu::workspace::{Weights, Workspace};
use crate::train::state::timing::Timing;

/// Minimum number of rows of a batch for each member of a group.
const MIN_ROWS: usize = 16;

/// Minimum work, in floating-point operations of matrix products, for which another thread is faster: per epoch for
/// threads that train replicas by themselves, and per step for threads that share a batch. A thread does about 100
/// operations per nanosecond; a barrier takes microseconds, and waking a thread tens of microseconds.
#[cfg(not(test))]
const MIN_WORK: (usize, usize) = (50_000_000, 4_000_000);
#[cfg(test)]
const MIN_WORK: (usize, usize) = (1, 1); // so that tests need no large networks to have threads

/// The thread pool.
pub(crate) struct Pool {
    replicas: usize,
    rayon_pool: Option<ThreadPool>, // all threads but the calling one
    workers: Vec<Mutex<Worker>>,
    /// The gradient of each worker, `[parameters]`.
    pub(crate) gradients: Vec<RawF32>,
    /// The batch statistics of each worker.
    pub(crate) statistics: Vec<RawValues<f64>>,
}

/// Data of one thread.
pub(crate) struct Worker {
    pub(crate) weights: Vec<Weights>,           // of each replica
    pub(crate) training: Features,              // features of all rows, [rows, …]
    pub(crate) validation: Option<Features>,    // the same for validation rows
    pub(crate) workspace: Workspace,            // for its part of a batch
    pub(crate) validation_workspace: Workspace, // for blocks of validation rows
    pub(crate) losses: Vec<(usize, f64)>,       // replica, and the sum of its rows' losses
}

impl Pool {
    /// Creates the threads, each with an equal worker.
    pub(crate) fn new(replicas: usize, threads: usize, worker: impl Fn() -> Worker) -> Pool {
        let workers: Vec<Worker> = (0..threads).map(|_| worker()).collect();
        let rayon_pool = (threads > 1).then(|| {
            let builder = rayon::ThreadPoolBuilder::new().num_threads(threads - 1);
            // libtorch's number of threads is thread-local, so each thread sets it to 1.
            let builder = builder.start_handler(|_| {
                threads::set_libtorch(1);
                fault::guard_worker_thread(); // the scope panics in the calling thread as a worker does
            });
            builder.thread_name(|number| format!("train-{number}")).build().expect("the system gives threads")
        });
        let gradients = workers.iter().map(|worker| worker.workspace.gradient()).collect();
        let statistics = workers.iter().map(|worker| worker.workspace.statistics()).collect();
        Pool { replicas, rayon_pool, workers: workers.into_iter().map(Mutex::new).collect(), gradients, statistics }
    }

    /// Returns the number of threads.
    pub(crate) fn threads(&self) -> usize {
        self.workers.len()
    }

    /// Returns the workers, while none of them is running.
    pub(crate) fn workers(&mut self) -> impl Iterator<Item = &mut Worker> {
        self.workers.iter_mut().map(|worker| worker.get_mut().expect("no thread has panicked"))
    }

    /// Returns the time that the calling thread has spent in each phase.
    pub(crate) fn timing(&mut self) -> &mut Timing {
        &mut self.workers().next().expect("there is a worker").workspace.timing
    }

    /// Calls `work` for all replicas that still train: once for those that a thread trains by itself, and once for the
    /// one that it shares with a group of at most `max_members` threads, in which it has the given number.
    pub(crate) fn run_on_all_threads(
        &self,
        training: &[bool],
        max_members: usize,
        work: impl Fn(&mut Worker, &[usize], usize, &ThreadGroup) + Sync,
    ) {
        let replicas: Vec<usize> = (0..self.replicas).filter(|&replica| training[replica]).collect();
        let (assignments, groups) = assign(&replicas, self.threads(), max_members);
        let on_thread = |thread: usize| {
            let _no_grad = tch::no_grad_guard();
            let Assignment { own, shared } = &assignments[thread];
            // From the start, so that its group never waits for a thread that has failed.
            let _guard = shared.map(|membership| groups[membership.group].barrier.guard());
            let mut worker = self.workers[thread].lock().expect("no thread has panicked");
            work(&mut worker, own, 0, &ThreadGroup::new(thread, 1));
            if let Some(Membership { replica, group, member }) = *shared {
                work(&mut worker, &[replica], member, &groups[group]);
            }
        };
        match &self.rayon_pool {
            None => on_thread(0),
            Some(pool) => pool.in_place_scope(|scope| {
                scope.spawn_broadcast(|_, context| on_thread(context.index() + 1));
                on_thread(0);
            }),
        }
    }

    /// Returns `function` of each item, in order, computed on all threads.
    pub(crate) fn map<T: Send, R: Send>(&self, items: Vec<T>, function: impl Fn(T) -> R + Sync) -> Vec<R> {
        let Some(pool) = &self.rayon_pool else { return items.into_iter().map(function).collect() };
        let results: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::with_capacity(items.len()));
        let queue = Mutex::new(items.into_iter().enumerate());
        let on_thread = || {
            let _no_grad = tch::no_grad_guard();
            loop {
                let next = queue.lock().expect("no thread has panicked").next();
                let Some((index, item)) = next else { break };
                let result = function(item);
                results.lock().expect("no thread has panicked").push((index, result));
            }
        };
        pool.in_place_scope(|scope| {
            scope.spawn_broadcast(|_, _| on_thread());
            on_thread();
        });
        let mut results = results.into_inner().expect("no thread has panicked");
        results.sort_by_key(|(index, _)| *index);
        results.into_iter().map(|(_, result)| result).collect()
    }
}

/// Returns the number of threads that is efficient, at most `threads`; `operations` is the number per row.
pub(crate) fn useful_threads(operations: usize, replicas: usize, rows: usize, batch: usize, threads: usize) -> usize {
    let for_replicas = (operations * rows * replicas / MIN_WORK.0).min(replicas);
    threads.min(for_replicas.max(useful_members(operations, batch) * replicas)).max(1)
}

/// Returns the number of threads that may share a batch.
pub(crate) fn useful_members(operations: usize, batch: usize) -> usize {
    (operations * batch / MIN_WORK.1).min(batch / MIN_ROWS)
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

    use tch::Tensor;

    use super::*;
    use crate::train::fused_cpu::plan::Plan;

    #[test]
    fn a_failing_thread_does_not_block_its_group() {
        let plan = Plan::empty();
        let no_rows = || Features::new(&Tensor::zeros([0, 0], (tch::Kind::Float, tch::Device::Cpu)));
        let pool = Pool::new(3, 2, || Worker {
            weights: Vec::new(),
            training: no_rows(),
            validation: None,
            workspace: Workspace::new(&plan, 1),
            validation_workspace: Workspace::new(&plan, 1),
            losses: Vec::new(),
        });
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            pool.run_on_all_threads(&[true; 3], 2, |_, replicas, _, group| match replicas {
                [1] => resume_unwind(Box::new("as if libtorch had failed")),
                [2] => while group.barrier.wait() {},
                _ => {}
            });
        }));
        assert_eq!(outcome.unwrap_err().downcast_ref(), Some(&"as if libtorch had failed"));
    }
}
