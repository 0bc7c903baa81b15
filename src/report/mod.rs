//! Reports of one or several runs: a single HTML file that opens from disk on any machine without network access, and
//! Markdown.
//!
//! The content comes from [`crate::views`]. In HTML, text and tables are plain HTML (assembled in [`page`] and [`sweep`], in a [`frame`]), so they can be
//! read without JavaScript and printed. Charts are drawn by uPlot, whose source is embedded, from values embedded as JSON
//! (`payload`). Names are escaped (`html`), and the file's content security policy allows only its own content. The same
//! histories give the same bytes.

pub mod curves;
pub mod frame;
pub mod html;
pub mod markdown;
pub mod markdown_table;
pub mod page;
pub mod payload;
pub mod sweep;
