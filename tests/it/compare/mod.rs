//! `runner compare` and `runner export`: several runs, and histories of other programs.

mod comparing;
mod foreign;
mod one_screen;
mod ranking;
mod unusual_histories;
