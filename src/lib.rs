//! Stores renditions of every picture that lands in a Cloud Storage bucket, by default one: a PNG thumbnail.
//!
//! # Bird's eye
//!
//! A picture lands in a bucket, Cloud Storage notifies Pub/Sub, and Pub/Sub posts the notification to this service,
//! which downloads the object, renders its outputs from one decode and stores each under the name that its rendition
//! makes of the source's. Pub/Sub delivers at least once, in no order, and again after every answer but a 2xx. So the
//! service keeps no state: an event is done when all its outputs are stored, and until then it is answered 503 and comes
//! again.
//!
//! # The data's way
//!
//! ```text
//! POST /   server     body in, 1 MiB at most
//!  parse   event      six shapes of request   -> Event
//!  admit   work       Event                   -> Job, or the reason why it is none
//!  open    store      Job                     -> Source: one version's headers, its body still outside
//!  admit   budget     its size                -> Reservation of memory
//!  read    store      Source                  -> bytes, with checksum and size as stored
//!  render  render     bytes, targets          -> outputs, on a core of its own
//!  write   pipeline   outputs                 -> the target bucket, each if its place is as it was seen
//! 204|503  outcome    how it ended            -> what Pub/Sub and the operator are told
//! ```
//!
//! # Code map
//!
//! - [`config`] turns the command line and the environment into a configuration in which every value holds.
//! - [`server`] alone knows HTTP. It answers, and logs one line per event in the form that [`log`] gives it.
//! - [`push_token`] lets callers in where no IAM does; it alone knows the server of Google's keys.
//! - [`event`] and [`names`] parse what comes in, into an [`object`]; after that no text is checked again.
//! - [`rendition`] names outputs after their sources.
//! - [`work`] decides what is work: outputs to make, or to remove with their source, and where they go.
//! - [`pipeline`] is the way above; `place` holds the argument why an old picture never ends up over a new one, and
//!   `retire` the one why nothing of a deleted picture stays.
//! - [`store`] alone knows Cloud Storage and its stand-in, a local folder; [`stored`] is what an output is in there.
//! - [`budget`] shares out memory and cores.
//! - [`render`] alone knows pixels and codecs: a pure function from bytes and targets to files.
//! - [`outcome`] classifies every end exhaustively: retried or not, its severity, its name. [`report`] measures.
//! - [`reconcile`] compares a bucket with its outputs, and makes or announces to a [`topic`] what is missing.
//! - [`thumb`] puts the renderer to work on local files.
//! - [`firebase`] turns the parameters of Firebase's Resize Images extension into this service's variables.
//!
//! # Invariants
//!
//! - Nothing is lost: only the picture's own bytes and configured limits make a failure permanent. An unclassified
//!   error is retried, and so is what a larger container could do.
//! - No partial or unchecked read is rendered, and every read is pinned to one generation.
//! - Every write is conditional on what its place held, so duplicates are free and order doesn't matter.
//! - An object of ours is never a source: known by its place, its notification or its metadata.
//! - An event that waits for memory holds none, and one that holds a core waits for nothing.
//! - Names from outside never reach a path, a URL or a log line unchecked.
//! - No unsafe code of ours, and bad input never panics; should it, the event is answered 503 and the process lives.
//!
//! # Compiled here
//!
//! An `async fn` is compiled where it is polled: in the binary, and again in each test. What they call of the library are
//! therefore functions that return a [`BoxFuture`](futures_util::future::BoxFuture).
//!
//! # Deadlines
//!
//! One call to the store ends within 20 s ([`store::CALL_TIMEOUT`]), its few in-process retries included, and a body is
//! given up after 15 s of silence. An event ends within `EVENT_TIMEOUT` (50 s) of its arrival, waiting in line included.
//! Cloud Run's request timeout (55 s) and the subscription's ack deadline (60 s) lie above, so that the answer to a slow
//! event is ours and not a hang-up. On SIGTERM the service takes what waits in the kernel's queue and no new connection
//! after that. Every request whose first byte is there by then is answered: one that isn't whole within 2 s 503, one
//! that isn't done within 8 s too; and the service is gone before Cloud Run's SIGKILL at 10 s.
//!
//! # Absent on purpose
//!
//! No state and no cache: Cloud Storage holds both. No retry queue: Pub/Sub is one. No
//! CORS, compression or routes for callers that don't exist. No trait for stores or mocks: tests run real servers. No
//! health check that calls the cloud: an outage there is no reason to restart here.

pub mod budget;
pub mod config;
pub mod event;
pub mod firebase;
mod google;
pub mod log;
pub mod names;
pub mod object;
pub mod outcome;
pub mod pipeline;
pub mod push_token;
pub mod reconcile;
pub mod render;
pub mod rendition;
pub mod report;
pub mod server;
pub mod store;
pub mod stored;
pub mod thumb;
pub mod topic;
mod trace;
pub mod work;
