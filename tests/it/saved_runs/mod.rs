//! `eval` and `predict`: the files of a run are enough to restore its networks with the same metrics.

mod arrays;
mod damaged_runs;
mod different_metrics;
mod ensembles;
mod finding_runs;
mod image_files;
mod images;
mod metrics;
mod new_arrays;
mod saved_run;
mod tables;
