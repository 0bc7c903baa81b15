//! A report: what became of one run, or of several side by side, as one HTML file that opens from disk, on any machine and
//! without a network.
//!
//! All that is said in words and tables is HTML from here ([`page`] puts it together), so that it can be read where scripts
//! are off, and is printed as it stands. What is drawn comes from figures that ride along as JSON (`payload`); the charts
//! are uPlot's, whose source is part of the file. Names are escaped (`markup`) and the file allows itself nothing that is
//! not in it. The same histories give the same bytes.

mod classes;
mod comparison;
mod curves;
mod data;
mod expected;
mod figures;
mod header;
mod layers;
mod markup;
pub mod page;
mod payload;
mod run;
mod settings;
mod summary;
mod thinned;
