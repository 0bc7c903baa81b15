//! Run directories: found from any directory and under the right name, usable for predictions without the data, and
//! missing files are reported.

mod data;
mod missing_parts;
mod newest_run;
mod paths;
mod table_run;
