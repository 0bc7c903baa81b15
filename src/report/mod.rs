//! HTML report of one or several runs: a single file that opens from disk on any machine, without network access.
//!
//! Text and tables are plain HTML (assembled in [`page`]), so they can be read without JavaScript and printed. Charts
//! are drawn by uPlot, whose source is embedded, from values embedded as JSON (`payload`). Names are escaped
//! (`markup`), and the file's content security policy allows only its own content. The same histories give the same
//! bytes.

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
