//! The renderer seen from outside: golden pictures, refusals, and what no input may do.

mod cases;
mod golden;
mod hostile;
mod mutations;
mod output;
mod pictures;
mod properties;
mod refused;
mod targets;
