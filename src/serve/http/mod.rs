//! The HTTP server: connections, access, paths and answers.

pub mod access;
pub mod answer;
pub mod route;
pub mod server;
