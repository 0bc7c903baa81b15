//! Drawing primitives and layout: axes, lines, markers, text, panels.

pub mod axis;
pub mod color;
pub mod font;
pub mod grid;
pub mod label_spacing;
pub mod legend;
pub mod line;
pub mod marker;
pub mod page;
pub mod panel;
pub mod shape;
pub mod ticks;
