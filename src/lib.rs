//! Stores renditions of every picture that lands in a Cloud Storage bucket, by default one: a PNG thumbnail.
//!
//! # Bird's eye
//!
//! A picture lands in a bucket, Cloud Storage notifies Pub/Sub, and Pub/Sub posts the notification to this service,
//! which downloads the object, renders its outputs from one decode and stores each under a name that its rendition
//! derives from the source's. Pub/Sub delivers at least once, in no order, and again after every answer but a 2xx. So
//! the service keeps no state: an event is done when all its outputs are stored, and until then it is answered 503 and
//! redelivered.
//!
//! # Data flow
//!
//! ```text
//! POST /   server     body in, 1 MiB at most
//!  parse   event      six formats of request  -> Event
//!  admit   work       Event                   -> Job, or the reason to skip it
//!  open    store      Job                     -> Source: one version's headers, its body still outside
//!  admit   budget     its size                -> Reservation of memory
//!  read    store      Source                  -> bytes, with checksum and size as stored
//!  render  render     bytes, targets          -> outputs, on a core of its own
//!  write   pipeline   outputs                 -> the target bucket, conditional on what was there
//! 204|503  outcome    how it ended            -> the answer to Pub/Sub and the log line
//! ```
//!
//! # Code map
//!
//! - [`config`] validates the command line and the environment.
//! - [`server`] alone knows HTTP. It answers, and logs one line per event in the form that [`log`] gives it.
//! - [`push_token`] authenticates callers where no IAM does; it alone knows Google's key server.
//! - [`event`] and [`names`] parse requests into an [`object`] and its event; nothing is validated again after that.
//! - [`rendition`] derives outputs' names from their sources'.
//! - [`work`] decides what is work: outputs to make, or to remove with their source, and where they go.
//! - [`pipeline`] runs the stages above; its `place` argues why an old picture never replaces a new one, and its
//!   `retire` why no output of a deleted picture stays.
//! - [`store`] alone knows Cloud Storage and its stand-in, a local folder; [`stored`] is an output as stored there.
//! - [`budget`] shares out memory and cores.
//! - [`render`] alone knows pixels and codecs: a pure function from bytes and targets to files.
//! - [`outcome`] classifies every result exhaustively: retried or not, severity, label. [`report`] measures.
//! - [`reconcile`] compares a bucket with its outputs, and makes or announces to a [`topic`] what is missing.
//! - [`thumb`] renders local files.
//! - [`firebase`] turns the parameters of Firebase's Resize Images extension into this service's variables.
//!
//! # Invariants
//!
//! - Nothing is lost: only the picture's own bytes and configured limits make a failure permanent. Unclassified errors
//!   are retried, and so are pictures that a larger container could render.
//! - No partial or unchecked read is rendered, and every read is pinned to one generation.
//! - Every write is conditional on what its place held, so duplicates are free and order doesn't matter. A place is an
//!   output's name in the target bucket.
//! - An output is never a source: it is recognised by its place, or by its metadata in the notification or the store.
//! - An event that waits for memory holds none, and one that holds a core waits for nothing.
//! - Names from outside never reach a path, a URL or a log line unchecked.
//! - No unsafe code of ours, and bad input never panics; should it, the event is answered 503 and the process lives.
//!
//! # Compile time
//!
//! An `async fn` is compiled where it is polled: in the binary, and again in each test. The library's entry points are
//! therefore functions that return a [`BoxFuture`](futures_util::future::BoxFuture).
//!
//! # Deadlines
//!
//! One call to the store ends within 20 s ([`store::CALL_TIMEOUT`]), its few in-process retries included, and a body is
//! given up after 15 s without a byte. An event ends within `EVENT_TIMEOUT` (50 s) of its arrival, queueing included.
//! Cloud Run's request timeout (55 s) and the subscription's ack deadline (60 s) are longer, so that a slow event is
//! answered by us and not cut off.
//! On SIGTERM the service accepts the connections in the kernel's backlog and none after that. Every request whose
//! first byte has arrived by then is answered: 503 if it isn't complete within 2 s or not done within 8 s; and the
//! service exits before Cloud Run's SIGKILL at 10 s.
//!
//! # Absent on purpose
//!
//! No state and no cache: Cloud Storage holds both. No retry queue: Pub/Sub is one. No CORS, compression or routes for
//! callers that don't exist. No trait for stores or mocks: tests run real servers. No health check that calls the
//! cloud: an outage there is no reason to restart here.

#![warn(unreachable_pub)]

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
