//! `eval` and `predict`: what a run left is enough to have its networks again, with their figures.

mod damaged_runs;
mod different_figures;
mod figures;
mod finding_runs;
mod images;
mod saved_run;
mod tables;
