//! The whole service as a child process, against real servers that the tests start and end.

mod answers;
mod app;
mod chain;
mod command_line;
mod conformance;
mod crash;
mod deletes;
mod deployment;
mod documents;
mod fake_gcs;
mod faults;
mod hostile;
mod http;
mod inputs;
mod logs;
mod order;
mod pictures;
mod provision;
mod proxy;
mod pubsub;
mod push_token;
mod reconcile;
mod rng;
mod server;
mod storage_control;
mod support;
