//! Tables of the user's own, through the program: what is read, and what is refused with which words.

mod descriptions;
mod formats;
mod place;
mod positive_class;
mod rare_classes;
mod stated_columns;
mod training;
mod values;
