//! The threads that train a stack, and what each has for itself.

use std::sync::Mutex;

use rayon::ThreadPool;
use tch::Tensor;

use crate::device::fault;
use crate::tensor::raw_f32::RawF32;
use crate::tensor::threads;
use crate::train::fused_cpu::shard::{Weights, Workspace};
use crate::train::fused_cpu::team::{Membership, Share, ThreadGroup, share};
use crate::train::state::timing::Timing;

/// Members of a team have at least so many rows of a batch each.
const LEAST_ROWS: usize = 16;

/// The work, in floating-point operations of matrix products, below which another thread does not pay: of an epoch, for
/// replicas that each have a thread of their own, and of a step, for threads that share a batch. A thread does some 100
/// of them in a nanosecond; it takes microseconds to meet the others, and tens of them to be woken.
#[cfg(not(test))]
const LEAST_WORK: (usize, usize) = (50_000_000, 4_000_000);
#[cfg(test)]
const LEAST_WORK: (usize, usize) = (1, 1); // so that tests need no large networks to have threads

/// The threads.
pub(crate) struct Pool {
    replicas: usize,
    pool: Option<ThreadPool>, // of all threads but the caller's
    workers: Vec<Mutex<Worker>>,
    /// Where the gradient of each worker lies.
    pub(crate) gradients: Vec<RawF32>,
}

/// What a thread has for itself.
pub(crate) struct Worker {
    pub(crate) weights: Vec<Weights>,      // of each replica
    pub(crate) training: Tensor,           // the features of all rows, [rows, inputs]
    pub(crate) validation: Option<Tensor>, // the same of the validation rows
    pub(crate) shard: Workspace,           // for its part of a batch
    pub(crate) block: Workspace,           // for blocks of validation rows
    pub(crate) losses: Vec<(usize, f64)>,  // replicas, and the sums of their rows' losses
}

impl Pool {
    /// One worker for each thread, all alike.
    pub(crate) fn new(replicas: usize, threads: usize, worker: impl Fn() -> Worker) -> Pool {
        let workers: Vec<Worker> = (0..threads).map(|_| worker()).collect();
        let pool = (threads > 1).then(|| {
            let builder = rayon::ThreadPoolBuilder::new().num_threads(threads - 1);
            // libtorch keeps a thread's number of threads to itself: each must be told that it is to have one alone
            let builder = builder.start_handler(|_| {
                threads::set_libtorch(1);
                fault::guard_this_thread(); // the scope panics in the caller's thread as a worker does
            });
            builder.thread_name(|number| format!("train-{number}")).build().expect("the system gives threads")
        });
        let gradients = workers.iter().map(|worker| worker.shard.gradient()).collect();
        Pool { replicas, pool, workers: workers.into_iter().map(Mutex::new).collect(), gradients }
    }

    /// How many threads there are.
    pub(crate) fn threads(&self) -> usize {
        self.workers.len()
    }

    /// The workers, while none of them works.
    pub(crate) fn workers(&mut self) -> impl Iterator<Item = &mut Worker> {
        self.workers.iter_mut().map(|worker| worker.get_mut().expect("no thread has panicked"))
    }

    /// Where the caller's thread has spent its time.
    pub(crate) fn phases(&mut self) -> &mut Timing {
        &mut self.workers().next().expect("there is a worker").shard.phases
    }

    /// Has `of_replicas` done for all replicas that still train: for some at once that a thread has to itself, and for one
    /// that it shares with a team of at most `most_members`, of which it is the member of that number.
    pub(crate) fn on_all_threads(
        &self,
        training: &[bool],
        most_members: usize,
        of_replicas: impl Fn(&mut Worker, &[usize], usize, &ThreadGroup) + Sync,
    ) {
        let replicas: Vec<usize> = (0..self.replicas).filter(|&replica| training[replica]).collect();
        let (shares, teams) = share(&replicas, self.threads(), most_members);
        let on_thread = |thread: usize| {
            let _no_grad = tch::no_grad_guard();
            let Share { alone, together } = &shares[thread];
            // from the start: whatever this thread fails in, its team is not to wait for it
            let _guard = together.map(|membership| teams[membership.team].barrier.guard());
            let mut worker = self.workers[thread].lock().expect("no thread has panicked");
            of_replicas(&mut worker, alone, 0, &ThreadGroup::new(thread, 1));
            if let Some(Membership { replica, team, member }) = *together {
                of_replicas(&mut worker, &[replica], member, &teams[team]);
            }
        };
        match &self.pool {
            None => on_thread(0),
            Some(pool) => pool.in_place_scope(|scope| {
                scope.spawn_broadcast(|_, context| on_thread(context.index() + 1));
                on_thread(0);
            }),
        }
    }
}

impl Pool {
    /// What `of` makes of each, on all threads, in order.
    pub(crate) fn of_each<T: Send, R: Send>(&self, all: Vec<T>, of: impl Fn(T) -> R + Sync) -> Vec<R> {
        let Some(pool) = &self.pool else { return all.into_iter().map(of).collect() };
        let results: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::with_capacity(all.len()));
        let left = Mutex::new(all.into_iter().enumerate());
        let on_thread = || {
            let _no_grad = tch::no_grad_guard();
            loop {
                let next = left.lock().expect("no thread has panicked").next();
                let Some((place, one)) = next else { break };
                let result = of(one);
                results.lock().expect("no thread has panicked").push((place, result));
            }
        };
        pool.in_place_scope(|scope| {
            scope.spawn_broadcast(|_, _| on_thread());
            on_thread();
        });
        let mut results = results.into_inner().expect("no thread has panicked");
        results.sort_by_key(|(place, _)| *place);
        results.into_iter().map(|(_, result)| result).collect()
    }
}

/// How many threads are worth their while, at most `threads`; `operations` are those of a row.
pub(crate) fn useful_threads(operations: usize, replicas: usize, rows: usize, batch: usize, threads: usize) -> usize {
    let for_replicas = (operations * rows * replicas / LEAST_WORK.0).min(replicas);
    threads.min(for_replicas.max(useful_members(operations, batch) * replicas)).max(1)
}

/// How many threads may share a batch.
pub(crate) fn useful_members(operations: usize, batch: usize) -> usize {
    (operations * batch / LEAST_WORK.1).min(batch / LEAST_ROWS)
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

    use super::*;
    use crate::train::fused_cpu::plan::Plan;

    #[test]
    fn a_thread_that_fails_in_a_replica_of_its_own_keeps_no_team_waiting() {
        let plan = Plan::of_nothing();
        let tensor = || Tensor::zeros([0, 0], (tch::Kind::Float, tch::Device::Cpu));
        let crew = Pool::new(3, 2, || Worker {
            weights: Vec::new(),
            training: tensor(),
            validation: None,
            shard: Workspace::new(&plan, 1),
            block: Workspace::new(&plan, 1),
            losses: Vec::new(),
        });
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            crew.on_all_threads(&[true; 3], 2, |_, replicas, _, team| match replicas {
                [1] => resume_unwind(Box::new("as if libtorch had failed")),
                [2] => while team.barrier.wait() {},
                _ => {}
            });
        }));
        assert_eq!(outcome.unwrap_err().downcast_ref(), Some(&"as if libtorch had failed"));
    }
}
