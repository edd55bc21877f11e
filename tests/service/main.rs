//! The whole service as a child process, against real servers that the tests start and end.

mod answers;
mod app;
mod command_line;
mod conformance;
mod deployment;
mod fake_gcs;
mod http;
mod inputs;
mod logs;
mod pictures;
mod provision;
mod proxy;
mod pubsub;
mod push_token;
mod server;
mod support;
