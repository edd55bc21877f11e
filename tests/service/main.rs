//! The whole service as a child process, against real servers that the tests start and end.

mod app;
mod fake_gcs;
mod http;
mod pictures;
mod provision;
mod proxy;
mod pubsub;
mod push_token;
mod server;
mod support;
