//! Serves one connection, also while the service shuts down.
//!
//! hyper's graceful shutdown closes a connection of which it has read nothing, even if a request waits in the kernel.
//! So the kernel is asked first: a request whose first byte was there by the signal is read and answered.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper::{Request, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustix::net::{RecvFlags, Shutdown};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};

use super::{Phase, answer};

/// The time limit of a request's headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// The most that a request's headers may take, in bytes.
const MAX_HEADER_BYTES: usize = 64 << 10;
/// How long a request that has begun to arrive may take after a shutdown signal.
const LATE: Duration = Duration::from_secs(2);
/// How long the caller may take to read a raw response.
const LINGER: Duration = Duration::from_millis(500);

/// Serves a connection until it ends, or until its last request after a shutdown signal is answered.
pub(super) async fn serve(stream: TcpStream, router: Router, mut phase: watch::Receiver<Phase>) {
    // Answers are small and complete: waiting to fill a packet gains nothing.
    let _ = stream.set_nodelay(true);
    let tracked = Arc::new(TrackedStream {
        stream,
        has_unclaimed_bytes: AtomicBool::new(false),
        is_answering: AtomicBool::new(false),
        begun: Notify::new(),
    });
    let router = TowerToHyperService::new(router);
    let service = service_fn(|request: Request<Incoming>| {
        tracked.begin();
        let bytes = head_bytes(&request);
        let (tracked, answered) = (Arc::clone(&tracked), router.call(request));
        async move {
            let answered = if bytes > MAX_HEADER_BYTES {
                let fault = format!("the head has {bytes} bytes, over {MAX_HEADER_BYTES}");
                let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
                Ok(answer::malformed(status, &fault))
            } else {
                answered.await
            };
            tracked.is_answering.store(false, Ordering::Relaxed);
            answered
        }
    });
    let socket = TokioIo::new(Socket(Arc::clone(&tracked)));
    let mut connection = pin!(protocol().serve_connection(socket, service));
    let mut ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = stopping(&mut phase) => None,
    };
    if ended.is_none() && tracked.is_arriving() {
        let begun = tracked.begun.notified();
        ended = tokio::select! {
            biased;
            ended = connection.as_mut() => Some(ended),
            () = begun => None,
            () = tokio::time::sleep(LATE) => {
                let response = answer::late_raw();
                return write_and_close(&tracked.stream, response.as_bytes()).await;
            }
        };
    }
    if ended.is_none() {
        connection.as_mut().graceful_shutdown();
        ended = Some(connection.await);
    }
    // Other errors are the caller's, and the event is redelivered.
    if let Some(Err(error)) = ended
        && error.is_parse()
    {
        answer::log_unparsed(&error);
    }
}

fn protocol() -> http1::Builder {
    let mut protocol = http1::Builder::new();
    protocol
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        // hyper checks after each read, and so takes up to twice as much.
        .max_buf_size(MAX_HEADER_BYTES)
        // A caller that has closed its sending half still wants the answer.
        .half_close(true);
    protocol
}

/// The approximate size of a request's head on the wire, from what hyper keeps of it.
fn head_bytes(request: &Request<Incoming>) -> usize {
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| name.as_str().len() + ": \r\n".len() + value.len());
    let uri = request.uri();
    let first = uri.path_and_query().map_or(0, |path| path.as_str().len());
    let first = request.method().as_str().len() + first + "  HTTP/1.1\r\n".len();
    first + headers.sum::<usize>() + "\r\n".len()
}

/// Waits for a shutdown signal, and then until the rest of a request is too late.
pub(super) async fn late(mut phase: watch::Receiver<Phase>) {
    stopping(&mut phase).await;
    tokio::time::sleep(LATE).await;
}

async fn stopping(phase: &mut watch::Receiver<Phase>) {
    // An error means that the sender is gone, which ends all phases.
    let _ = phase.wait_for(|phase| *phase != Phase::Serving).await;
}

/// A response as bytes that bypass hyper, after which the connection is closed.
pub(super) fn raw_response(status: StatusCode, words: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{}: text/plain; charset=utf-8\r\n{}: {}\r\n{}: close\r\n\r\n{words}\n",
        header::CONTENT_TYPE,
        header::CONTENT_LENGTH,
        words.len() + 1,
        header::CONNECTION,
    )
}

/// Writes a raw response and closes the connection.
///
/// What the caller still sends is read for a moment: closing before unread bytes resets the connection, and may lose
/// the response.
pub(super) async fn write_and_close(stream: &TcpStream, answer: &[u8]) {
    let exchange = async {
        stream.writable().await?;
        // So short a response fits the empty buffer of the socket.
        stream.try_write(answer)?;
        rustix::net::shutdown(stream, Shutdown::Write)?;
        let mut rest = [0; 1 << 10];
        loop {
            stream.readable().await?;
            match stream.try_read(&mut rest) {
                Ok(0) => return io::Result::Ok(()),
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
    };
    // A caller that doesn't read is not waited for.
    let _ = tokio::time::timeout(LINGER, exchange).await;
}

/// A connection and the state of its requests; only its own task uses it.
struct TrackedStream {
    stream: TcpStream,
    /// Whether bytes were read that belong to no request yet.
    has_unclaimed_bytes: AtomicBool,
    is_answering: AtomicBool,
    /// Notified when a request's head is complete.
    begun: Notify,
}

impl TrackedStream {
    fn begin(&self) {
        self.has_unclaimed_bytes.store(false, Ordering::Relaxed);
        self.is_answering.store(true, Ordering::Relaxed);
        self.begun.notify_waiters();
    }

    /// Whether a part of a request was read, or is in the kernel, that is not being answered.
    fn is_arriving(&self) -> bool {
        if self.is_answering.load(Ordering::Relaxed) {
            return false;
        }
        let peek = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        // Tokio's readiness may be older than the signal.
        let peeked = rustix::net::recv(&self.stream, &mut [0_u8; 1], peek);
        self.has_unclaimed_bytes.load(Ordering::Relaxed) || peeked.is_ok_and(|(_, bytes)| bytes > 0)
    }

    fn note_read(&self, bytes: usize) {
        if bytes > 0 && !self.is_answering.load(Ordering::Relaxed) {
            self.has_unclaimed_bytes.store(true, Ordering::Relaxed);
        }
    }
}

/// A [`TrackedStream`] as hyper reads and writes it.
struct Socket(Arc<TrackedStream>);

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let stream = &self.0.stream;
        loop {
            ready!(stream.poll_read_ready(context))?;
            match stream.try_read(buffer.initialize_unfilled()) {
                Ok(bytes) => {
                    buffer.advance(bytes);
                    self.0.note_read(bytes);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let stream = &self.0.stream;
        loop {
            ready!(stream.poll_write_ready(context))?;
            match stream.try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A socket has nothing to flush.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        rustix::net::shutdown(&self.0.stream, Shutdown::Write)?;
        Poll::Ready(Ok(()))
    }
}
