//! HTTP: what Pub/Sub posts and what it is answered.

mod answer;
mod body;
mod event_line;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::Response;
use axum::routing::{get, post};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use self::event_line::EventLine;
use crate::event::Event;
use crate::outcome::Failure;
use crate::pipeline::Pipeline;
use crate::push_token::Verifier;
use crate::report::Report;
use crate::trace::Trace;

/// A request's headers must be there by then.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// The most that a request's headers may take, in bytes.
const MAX_HEADER_BYTES: usize = 64 << 10;
/// After a shutdown signal, work in flight may go on for so long before it is answered 503.
const GRACE: Duration = Duration::from_secs(8);
/// Then answers have so long to leave; Cloud Run kills ten seconds after its signal.
const LAST_ANSWERS: Duration = Duration::from_millis(500);

/// The service as its handlers see it.
#[derive(Clone)]
struct Service {
    pipeline: Arc<Pipeline>,
    /// Lets callers in where no IAM does.
    callers: Option<Arc<Verifier>>,
    /// The project that trace names are made with.
    project: Option<Arc<str>>,
    /// Turns true when the grace after a shutdown signal is over.
    grace_over: watch::Receiver<bool>,
}

/// Serves until `shutdown`, then lets work in flight finish for a while.
///
/// With `callers`, only those it knows may post events.
pub async fn serve(
    listener: TcpListener,
    pipeline: Arc<Pipeline>,
    callers: Option<Verifier>,
    project: Option<String>,
    shutdown: impl Future<Output = ()>,
) {
    let (end_grace, grace_over) = watch::channel(false);
    let service = Service {
        pipeline,
        callers: callers.map(Arc::new),
        project: project.map(Arc::from),
        grace_over,
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
    let connections = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => break,
        };
        match stream {
            Ok((stream, _)) => spawn_connection(stream, &router, &connections),
            // Out of file descriptors: those in use come back as their work ends.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    drop(listener);
    let mut finished = std::pin::pin!(connections.shutdown());
    if tokio::time::timeout(GRACE, &mut finished).await.is_err() {
        end_grace.send_replace(true);
        let _ = tokio::time::timeout(LAST_ANSWERS, finished).await;
    }
}

fn spawn_connection(stream: TcpStream, router: &Router, connections: &GracefulShutdown) {
    // Answers are small and complete: nothing is gained by waiting to fill a packet.
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_HEADER_BYTES)
        // Who has sent all may say so, and still wants the answer.
        .half_close(true)
        .serve_connection(
            TokioIo::new(stream),
            TowerToHyperService::new(router.clone()),
        );
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        // Any other broken connection is the caller's to mend: the event comes again.
        if let Err(error) = connection.await
            && error.is_parse()
        {
            answer::log_unparsed(&error);
        }
    });
}

async fn push(State(service): State<Service>, request: Request) -> Response {
    let start = Instant::now();
    let (parts, body) = request.into_parts();
    if let Some(callers) = &service.callers {
        let authorization = parts.headers.get(AUTHORIZATION);
        // The body of one who is not let in is never read.
        if let Err(refused) = callers
            .verify(authorization.map(HeaderValue::as_bytes))
            .await
        {
            return answer::unauthorized(&refused);
        }
    }
    let body = match body::read(body).await {
        Ok(body) => body,
        Err(refused) => return answer::malformed(refused.status(), &refused.to_string()),
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
    // In a task of its own: a caller that hangs up doesn't stop work that is nearly done, and a panic stays inside.
    let task = tokio::spawn(async move {
        let mut report = Report::default();
        let mut grace_over = service.grace_over;
        let ended = tokio::select! {
            ended = service.pipeline.handle(&line.event, line.start, &mut report) => ended,
            _ = grace_over.wait_for(|over| *over) => Err(Failure::ShuttingDown),
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
