//! Disks that fail, and runners that meet in one folder: what was trained is kept, whole, and it is said where.

mod faulty_disk;
mod lasting_faults;
mod limits;
mod many_runners;
mod passing_faults;
mod reads;
mod removed_folders;
