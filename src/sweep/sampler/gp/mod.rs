//! Search with a Gaussian process, which learns from results.
//!
//! A Gaussian process with a Matérn 5/2 kernel and noise is fitted to the values so far. Its kernel has a length scale for each number
//! and for each value of a choice.
//! The configuration with the largest expected improvement over the best mean of the process is proposed (Jones et al. 1998;
//! Snoek et al. 2012). Bad values are clipped first, so that diverged trainings do not hide the differences of good ones.
//! `tests/golden/gp.json` holds likelihoods and predictions of scikit-learn's `GaussianProcessRegressor`.
//!
//! This folder knows numbers only: no files, no settings, no processes. The same observations and the same generator give the
//! same proposal.

mod cholesky;
mod length_scales;
mod process;
pub mod propose;
