//! What a run's folder is good for: it is found from any folder and by the right name, it predicts without the data, and
//! what is missing in it is said.

mod data;
mod missing_parts;
mod newest_run;
mod paths;
mod table_run;
