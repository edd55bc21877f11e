//! The HTTP server, which receives pushed events.

mod answer;
mod body;
mod bound;
mod connection;
mod event_line;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::Response;
use axum::routing::{get, post};
use futures_util::future::BoxFuture;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use self::bound::{Connections, LogThrottle};
use self::event_line::EventLine;
use crate::event::Event;
use crate::outcome::Failure;
use crate::pipeline::Pipeline;
use crate::push_token::Verifier;
use crate::report::Report;
use crate::trace::Trace;

/// The most connections that the kernel keeps until they are accepted.
const BACKLOG: usize = 1024;
/// How long work in flight may go on after a shutdown signal, before it is answered 503.
const GRACE: Duration = Duration::from_secs(8);
/// How long those answers may take to be sent; Cloud Run kills ten seconds after its signal.
const LAST_ANSWERS: Duration = Duration::from_millis(500);

/// The state that handlers share.
#[derive(Clone)]
struct Service {
    pipeline: Arc<Pipeline>,
    /// Authenticates callers where no IAM does.
    callers: Option<Arc<Verifier>>,
    /// The project that trace names are made with.
    project: Option<Arc<str>>,
    phase: watch::Receiver<Phase>,
}

/// The phase of the service's life; each task that the shutdown waits for holds a receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No signal yet.
    Serving,
    /// A shutdown signal came: requests that have begun are finished.
    Stopping,
    /// The grace period is over: requests in flight are answered 503.
    Over,
}

/// Serves until `shutdown`, then lets work in flight finish for a while.
///
/// With `callers`, only authenticated callers may post events.
pub fn serve(
    listener: TcpListener,
    pipeline: Arc<Pipeline>,
    callers: Option<Verifier>,
    project: Option<String>,
    shutdown: BoxFuture<'static, ()>,
) -> BoxFuture<'static, ()> {
    Box::pin(run(listener, pipeline, callers, project, shutdown))
}

async fn run(
    listener: TcpListener,
    pipeline: Arc<Pipeline>,
    callers: Option<Verifier>,
    project: Option<String>,
    mut shutdown: BoxFuture<'static, ()>,
) {
    let connections = Connections::new(pipeline.budget.bytes());
    let (phase, seen) = watch::channel(Phase::Serving);
    let service = Service {
        pipeline,
        callers: callers.map(Arc::new),
        project: project.map(Arc::from),
        phase: seen.clone(),
    };
    let router = Router::new()
        .route("/", post(push))
        .route("/health", get(|| async { "ok\n" }))
        .method_not_allowed_fallback(|method: Method| async move {
            answer::malformed(
                StatusCode::METHOD_NOT_ALLOWED,
                &format!("{method} is not allowed here"),
            )
        })
        .fallback(|uri: Uri| async move {
            answer::malformed(
                StatusCode::NOT_FOUND,
                &format!("{:?} is not served; post to /", uri.path()),
            )
        })
        .with_state(service);
    let serve = |stream| connection::serve(stream, router.clone(), seen.clone());
    let mut failures = LogThrottle::default();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => break,
        };
        match stream {
            Ok((stream, _)) => connections.admit(stream, serve),
            Err(error) => {
                if let Some(times) = failures.note(Instant::now()) {
                    tracing::warn!(
                        message = format!("can't accept connections, {times} times: {error}"),
                        reason = "accept"
                    );
                }
                // Probably out of file descriptors, which are freed as work ends.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    for stream in drain_backlog(listener) {
        connections.admit(stream, serve);
    }
    drop((router, seen));
    phase.send_replace(Phase::Stopping);
    if tokio::time::timeout(GRACE, phase.closed()).await.is_err() {
        phase.send_replace(Phase::Over);
        let _ = tokio::time::timeout(LAST_ANSWERS, phase.closed()).await;
    }
}

/// Accepts the connections in the kernel's backlog, and closes the listener.
fn drain_backlog(listener: TcpListener) -> Vec<TcpStream> {
    let Ok(listener) = listener.into_std() else {
        return Vec::new();
    };
    let accepted = std::iter::from_fn(|| match listener.accept() {
        Ok((stream, _)) => Some(Some(stream)),
        // The caller has hung up.
        Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => Some(None),
        Err(_) => None,
    });
    let registered = |stream: std::net::TcpStream| {
        stream.set_nonblocking(true).ok()?;
        TcpStream::from_std(stream).ok()
    };
    accepted
        .take(BACKLOG)
        .flatten()
        .filter_map(registered)
        .collect()
}

async fn push(State(service): State<Service>, request: Request) -> Response {
    let start = Instant::now();
    let (parts, body) = request.into_parts();
    if let Some(callers) = &service.callers {
        let authorization = parts.headers.get(AUTHORIZATION);
        // The body of an unauthorized request is never read.
        if let Err(error) = callers
            .verify(authorization.map(HeaderValue::as_bytes))
            .await
        {
            return answer::unauthorized(&error);
        }
    }
    let body = tokio::select! {
        biased;
        body = body::read(body) => body,
        () = connection::late(service.phase.clone()) => return answer::late(),
    };
    let body = match body {
        Ok(body) => body,
        Err(error) => return answer::malformed(error.status(), &error.to_string()),
    };
    let header = |name: &str| parts.headers.get(name).map(HeaderValue::as_bytes);
    let event = match Event::parse(header, &body) {
        Ok(event) => event,
        Err(malformed) => {
            return answer::malformed(StatusCode::BAD_REQUEST, &malformed.to_string());
        }
    };
    drop(body);
    let line = EventLine {
        event,
        trace: trace_of(&parts.headers),
        project: service.project.clone(),
        start,
    };
    let panicked = line.clone();
    // In a task of its own, as a caller that hangs up must not cancel work that is nearly done, and to contain panics.
    let task = tokio::spawn(async move {
        let mut report = Report::default();
        let mut phase = service.phase;
        let ended = tokio::select! {
            ended = service.pipeline.handle(&line.event, line.start, &mut report) => ended,
            _ = phase.wait_for(|phase| *phase == Phase::Over) => Err(Failure::ShuttingDown),
        };
        line.log(&report, &ended);
        answer::to(&ended)
    });
    task.await.unwrap_or_else(|_| {
        let ended = Err(Failure::Panicked);
        panicked.log(&Report::default(), &ended);
        answer::to(&ended)
    })
}

fn trace_of(headers: &HeaderMap) -> Option<Trace> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    Trace::parse(text("traceparent"), text("x-cloud-trace-context"))
}
