//! `runner serve`: who may read, what the pages have, and how they follow runs.

mod access;
mod client;
mod live;
mod requests;
mod start;
mod table;
