//! A proxy in front of the fake Cloud Storage, which records requests and injects faults.

mod call;
mod fault;
mod wire;

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::http::{Answer, Client, PATIENCE};
use crate::storage_control::DELETING;
use wire::{Connection, Request};

pub use call::Call;
pub use fault::{Fault, REDIRECTED};

/// A running proxy; dropping it closes its port.
pub struct Proxy {
    inside: Arc<Inside>,
    accepting: AbortHandle,
}

/// One request that reached the proxy, as far as the fault let it come.
#[derive(Debug, Clone)]
pub struct Recorded {
    pub method: String,
    /// Path and query, byte for byte.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub call: Option<Call>,
    /// The fault that was injected into it.
    pub fault: Option<Fault>,
}

struct Inside {
    endpoint: String,
    upstream: String,
    client: Client,
    state: Mutex<State>,
    cleared: Notify,
    hit: Notify,
    quiet: Notify,
}

#[derive(Default)]
struct State {
    requests: Vec<Recorded>,
    armed: Vec<(Call, Fault, usize)>,
    /// The part that a request's path must have to meet a fault; empty for any.
    aim: String,
    hits: HashMap<(Call, Fault), usize>,
    forgotten: Vec<String>,
    /// The number of requests that upstream has yet to answer.
    under_way: usize,
}

impl Proxy {
    /// Starts a proxy that forwards to `upstream`, `http://HOST:PORT`.
    pub async fn start(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("the loopback interface has a free port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let inside = Arc::new(Inside {
            endpoint: format!("http://{address}"),
            upstream: upstream.to_owned(),
            client: Client::new(),
            state: Mutex::default(),
            cleared: Notify::new(),
            hit: Notify::new(),
            quiet: Notify::new(),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&inside))).abort_handle();
        Self { inside, accepting }
    }

    /// `http://127.0.0.1:PORT`, what `STORAGE_EMULATOR_HOST` takes.
    pub fn endpoint(&self) -> &str {
        &self.inside.endpoint
    }

    /// Every request so far, in the order of arrival.
    pub fn requests(&self) -> Vec<Recorded> {
        self.inside.state().requests.clone()
    }

    /// The requests so far that are this call.
    pub fn requests_of(&self, call: Call) -> Vec<Recorded> {
        let mut requests = self.requests();
        requests.retain(|request| request.call == Some(call));
        requests
    }

    /// How many requests so far are this call.
    pub fn count(&self, call: Call) -> usize {
        let state = self.inside.state();
        let requests = state.requests.iter();
        requests
            .filter(|request| request.call == Some(call))
            .count()
    }

    /// Injects the fault into the next `times` requests of that call; `usize::MAX` is always.
    pub fn inject(&self, call: Call, fault: Fault, times: usize) {
        self.inside.state().armed.push((call, fault, times));
    }

    /// Lets only requests meet faults whose path holds this, percent-encoded as on the wire.
    pub fn aim_at(&self, part: &str) {
        part.clone_into(&mut self.inside.state().aim);
    }

    /// How many requests of that call met that fault.
    pub fn hits(&self, call: Call, fault: Fault) -> usize {
        let state = self.inside.state();
        state.hits.get(&(call, fault)).copied().unwrap_or_default()
    }

    /// Drops query parameters of that name from now on, like a server that doesn't know them.
    pub fn forget(&self, parameter: &str) {
        self.inside.state().forgotten.push(parameter.to_owned());
    }

    /// Waits until more than `before` requests of that call met that fault.
    pub async fn until_hit(&self, call: Call, fault: Fault, before: usize) {
        let waiting = async {
            loop {
                let hit = self.inside.hit.notified();
                if self.hits(call, fault) > before {
                    return;
                }
                hit.await;
            }
        };
        let hit = tokio::time::timeout(PATIENCE, waiting).await;
        hit.unwrap_or_else(|_| panic!("no {call:?} came to meet {fault:?}"));
    }

    /// Waits until upstream has answered all requests, also those of dead clients.
    pub async fn until_quiet(&self) {
        let waiting = async {
            loop {
                let quiet = self.inside.quiet.notified();
                if self.inside.state().under_way == 0 {
                    return;
                }
                quiet.await;
            }
        };
        let quiet = tokio::time::timeout(PATIENCE, waiting).await;
        quiet.expect("every request ends when no fault holds it");
    }

    /// Injects no faults from now on; what was recorded and counted stays.
    pub fn clear(&self) {
        self.inside.state().armed.clear();
        self.inside.cleared.notify_waiters();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Recorded {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

impl Inside {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("no test panics while it holds the proxy's state")
    }

    /// The fault for a request of this call, if one is armed; counts it as a hit.
    fn fault(&self, call: Option<Call>, path: &str) -> Option<(Call, Fault)> {
        let mut state = self.state();
        if !path.contains(&state.aim) {
            return None;
        }
        let mut armed = state.armed.iter_mut();
        let (call, fault, times) =
            armed.find(|(armed, _, times)| Some(*armed) == call && *times > 0)?;
        *times -= 1;
        let hit = (*call, *fault);
        *state.hits.entry(hit).or_default() += 1;
        self.hit.notify_waiters();
        Some(hit)
    }

    fn record(&self, request: &Request, call: Option<Call>, fault: Option<Fault>) {
        let Request {
            method,
            path,
            headers,
            body,
        } = request.clone();
        self.state().requests.push(Recorded {
            method,
            path,
            headers,
            body,
            call,
            fault,
        });
    }

    fn without_forgotten(&self, path: &str) -> String {
        let state = self.state();
        let Some((path, query)) = path.split_once('?') else {
            return path.to_owned();
        };
        let key = |pair: &str| pair.split('=').next().unwrap_or_default().to_owned();
        let kept = query
            .split('&')
            .filter(|pair| !state.forgotten.contains(&key(pair)));
        format!("{path}?{}", kept.collect::<Vec<_>>().join("&"))
    }

    fn begin(&self) -> UnderWay<'_> {
        self.state().under_way += 1;
        UnderWay(self)
    }

    async fn forward(&self, request: &Request) -> Answer {
        if request.path == REDIRECTED {
            return fault::refusal(404);
        }
        let url = format!("{}{}", self.upstream, self.without_forgotten(&request.path));
        let framing = ["host", "connection", "content-length", "transfer-encoding"];
        let headers = request
            .headers
            .iter()
            .filter(|(name, _)| !framing.contains(&name.as_str()));
        let headers: Vec<_> = headers
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let _no_delete = DELETING.read().await;
        let answer = self
            .client
            .send(&request.method, &url, &headers, request.body.clone())
            .await;
        let mut answer = answer.unwrap_or_else(|error| Answer {
            body: Bytes::from(error),
            ..fault::refusal(502)
        });
        if request.path.contains("alt=media") {
            // Cloud Storage doesn't promise custom metadata in the headers of a download.
            let custom: Vec<_> = answer.headers.keys().cloned().collect();
            for name in custom {
                if name.as_str().starts_with("x-goog-meta-") {
                    answer.headers.remove(name);
                }
            }
        }
        answer
    }
}

/// A request in flight; dropping it ends it.
struct UnderWay<'a>(&'a Inside);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.state().under_way -= 1;
        self.0.quiet.notify_waiters();
    }
}

async fn accept(listener: TcpListener, inside: Arc<Inside>) {
    // The connections end with the test's runtime, or when the service lets go of them.
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(converse(stream, Arc::clone(&inside)));
    }
}

/// Serves one connection; an error means that the client has left, as it may.
async fn converse(stream: TcpStream, inside: Arc<Inside>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut connection = Connection::new(stream);
    while let Some(mut request) = connection.request().await? {
        let call = Call::of(&request);
        let under_way = inside.begin();
        // Taken before the fault counts as a hit, as a test that sees the hit may clear at once.
        let cleared = inside.cleared.notified();
        tokio::pin!(cleared);
        let Some((call, fault)) = inside.fault(call, &request.path) else {
            connection.body(&mut request).await?;
            inside.record(&request, call, None);
            let answer = inside.forward(&request).await;
            drop(under_way);
            connection.send(&wire::head(&answer)).await?;
            connection.send(&answer.body).await?;
            continue;
        };
        if call == Call::Write && fault == Fault::ResetInBody {
            connection.half_the_body(&mut request).await?;
        } else {
            connection.body(&mut request).await?;
        }
        inside.record(&request, Some(call), Some(fault));
        if fault == Fault::HeldUntilCleared && call == Call::Write {
            cleared.as_mut().await;
        }
        let answer = if fault.asks_upstream(call) {
            inside.forward(&request).await
        } else {
            fault::refusal(500)
        };
        if fault == Fault::HeldUntilCleared && call != Call::Write {
            cleared.await;
        }
        drop(under_way);
        return fault
            .answer(call, connection, answer, &inside.endpoint)
            .await;
    }
    Ok(())
}
