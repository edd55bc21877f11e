//! Raw HTTP/1.1, for requests that no client would send.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::http::PATIENCE;

/// Sends these bytes, and returns the response up to the connection's end.
pub async fn exchange(address: &str, bytes: &[u8]) -> String {
    let stream = TcpStream::connect(address)
        .await
        .expect("the service accepts");
    let (mut from, mut to) = stream.into_split();
    let send = async {
        // The service may answer and close before it has read all of it.
        let _ = to.write_all(bytes).await;
        to
    };
    let receive = async {
        let mut answer = Vec::new();
        // A reset ends the response.
        let _ = from.read_to_end(&mut answer).await;
        answer
    };
    let both = async { tokio::join!(send, receive).1 };
    let answer = tokio::time::timeout(PATIENCE, both).await;
    let answer = answer.expect("the service ends the connection");
    String::from_utf8_lossy(&answer).into_owned()
}

/// A whole request to `/` that asks to close the connection.
pub fn post(headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("content-length: {length}\r\n{headers}");
    [
        format!("POST / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n{head}\r\n").as_bytes(),
        body,
    ]
    .concat()
}

/// A request with hostile framing.
pub fn framed(headers: &str, rest: &str) -> Vec<u8> {
    let head = "POST / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n";
    format!("{head}{headers}\r\n{rest}").into_bytes()
}

/// Waits until the service has ended the connection.
pub async fn cut_off(address: &str, begin: &str, trickle: &str) {
    let stream = TcpStream::connect(address)
        .await
        .expect("the service accepts");
    let (mut from, mut to) = stream.into_split();
    to.write_all(begin.as_bytes())
        .await
        .expect("the service reads");
    let write = async {
        let mut ticks = tokio::time::interval(std::time::Duration::from_secs(1));
        while to.write_all(trickle.as_bytes()).await.is_ok() {
            ticks.tick().await;
        }
        // Writing to a closed connection fails, but the response can still be read.
        std::future::pending::<()>().await;
    };
    let ended = async {
        let mut answer = Vec::new();
        let _ = from.read_to_end(&mut answer).await;
    };
    let either = async {
        tokio::select! { () = ended => (), () = write => () }
    };
    tokio::time::timeout(PATIENCE, either)
        .await
        .expect("the service ends the connection");
}

/// A request to `/` with a body of spaces.
pub fn huge(length: usize, chunked: bool) -> Vec<u8> {
    let body = vec![b' '; length];
    if chunked {
        let chunk = [
            format!("{length:x}\r\n").as_bytes(),
            &body,
            b"\r\n0\r\n\r\n",
        ]
        .concat();
        return [framed("transfer-encoding: chunked\r\n", ""), chunk].concat();
    }
    post("", &body)
}
