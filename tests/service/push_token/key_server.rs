//! A server of signing keys that can be slow, wrong and dead, and counts its requests.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::google::SigningKey;

#[derive(Debug, Clone)]
pub enum Reply {
    /// These bytes as a key set, fresh for an hour.
    Body(String),
    Status(StatusCode),
    /// A redirect to another address.
    Redirect(String),
    /// No answer until the next reply is set, and then that one.
    Hold,
}

impl Reply {
    /// A key set as Google publishes it.
    pub fn keys(keys: &[&SigningKey]) -> Self {
        let keys: Vec<_> = keys.iter().map(|key| key.public()).collect();
        Self::Body(json!({ "keys": keys }).to_string())
    }
}

/// A running server; dropping it ends every connection.
pub struct KeyServer {
    url: String,
    reply: watch::Sender<Reply>,
    fetches: watch::Receiver<usize>,
    accepting: JoinHandle<()>,
}

impl KeyServer {
    pub async fn start(reply: Reply) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("the loopback interface has a free port");
        let address = listener.local_addr().expect("it is bound");
        let (reply, replies) = watch::channel(reply);
        let (count, fetches) = watch::channel(0);
        let accepting = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, replies.clone(), count.clone()));
            }
        });
        Self {
            url: format!("http://{address}/certs"),
            reply,
            fetches,
            accepting,
        }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Changes the answer, also to waiting requests.
    pub fn reply(&self, reply: Reply) {
        self.reply.send_replace(reply);
    }

    /// The number of requests for the keys.
    pub fn fetches(&self) -> usize {
        *self.fetches.borrow()
    }

    /// Waits until there were so many requests.
    pub async fn wait_for_fetches(&self, count: usize) {
        let mut fetches = self.fetches.clone();
        let enough = fetches.wait_for(|fetches| *fetches >= count).await;
        enough.expect("the server is running");
    }
}

impl Drop for KeyServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(stream: TcpStream, replies: watch::Receiver<Reply>, count: watch::Sender<usize>) {
    let service = service_fn(|_| {
        let mut replies = replies.clone();
        count.send_modify(|count| *count += 1);
        async move {
            let reply = replies
                .wait_for(|reply| !matches!(reply, Reply::Hold))
                .await;
            let reply = reply.expect("the test is running").clone();
            Ok::<_, Infallible>(answer(reply))
        }
    });
    // The service under test may hang up when it likes.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

fn answer(reply: Reply) -> Response<Full<Bytes>> {
    let answer = Response::builder();
    let answer = match &reply {
        Reply::Body(_) => answer.header("cache-control", "public, max-age=3600, must-revalidate"),
        Reply::Status(status) => answer.status(*status),
        Reply::Redirect(target) => answer.status(302).header("location", target),
        Reply::Hold => unreachable!("it was waited for another"),
    };
    let body = if let Reply::Body(body) = reply {
        body
    } else {
        String::new()
    };
    let answer = answer.body(Full::from(body));
    answer.expect("each reply is a legal answer")
}

/// An address that refuses every connection for as long as the socket lives: bound, but not listening.
pub fn dead_server() -> (TcpSocket, String) {
    let socket = TcpSocket::new_v4().expect("there is a socket left");
    let any = "127.0.0.1:0".parse().expect("an address");
    socket
        .bind(any)
        .expect("the loopback interface has a free port");
    let address = socket.local_addr().expect("it is bound");
    (socket, format!("http://{address}/certs"))
}
