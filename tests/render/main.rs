//! The renderer seen from outside: golden pictures, refusals, and what no input may do.

mod cases;
mod golden;
mod hostile;
mod lossy;
mod mutations;
mod output;
mod pictures;
#[path = "../shared/png_crcs.rs"]
mod png_crcs;
mod properties;
mod refused;
#[path = "../shared/rng.rs"]
mod rng;
mod targets;
