//! Stores a PNG thumbnail of every picture that lands in a Cloud Storage bucket.

pub mod budget;
pub mod config;
mod content_encoding;
pub mod event;
pub mod log;
mod memory;
pub mod names;
pub mod outcome;
pub mod pipeline;
pub mod push_token;
pub mod render;
pub mod report;
pub mod server;
pub mod store;
pub mod stored;
pub mod thumb;
mod trace;
pub mod work;
