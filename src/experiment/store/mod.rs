//! The files of a run directory: writing, finding and reading them.

pub mod about;
pub mod best_trial;
pub mod find;
pub mod history_fields;
pub mod load_model;
pub mod newest;
pub mod preprocessing_file;
pub mod pretrained;
pub mod run_id;
pub mod run_name;
pub mod run_record;
pub mod run_state;
pub mod stack_record;
pub mod trial_data;
pub mod whole_run;
