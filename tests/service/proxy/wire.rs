//! HTTP/1.1 by hand, as the faults need every byte and the socket itself.

use std::fmt::Write;
use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::http::Answer;

/// A request as received; the body may be read later, or never.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub method: String,
    /// Path and query, byte for byte.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// One client's connection.
pub struct Connection {
    stream: TcpStream,
    /// Bytes that were read but not yet asked for.
    ahead: Vec<u8>,
}

impl Connection {
    pub fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            ahead: Vec::new(),
        }
    }

    /// Reads a request's head; `None` at the connection's end.
    pub async fn request(&mut self) -> io::Result<Option<Request>> {
        let Some(head) = self.until(b"\r\n\r\n").await? else {
            return Ok(None);
        };
        let head = String::from_utf8_lossy(&head).into_owned();
        let mut lines = head.split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ');
        let headers = lines.filter_map(|line| line.split_once(':'));
        Ok(Some(Request {
            method: words.next().unwrap_or_default().to_owned(),
            path: words.next().unwrap_or_default().to_owned(),
            headers: headers
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
                .collect(),
            body: Vec::new(),
        }))
    }

    /// Reads the whole body into the request.
    pub async fn body(&mut self, request: &mut Request) -> io::Result<()> {
        if request.header("transfer-encoding").is_none() {
            let length = declared_length(request)?;
            request.body = self.exactly(length).await?;
            return Ok(());
        }
        loop {
            let line = self
                .until(b"\r\n")
                .await?
                .ok_or(io::ErrorKind::UnexpectedEof)?;
            let size = String::from_utf8_lossy(&line);
            let size = usize::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
            let chunk = self.exactly(size).await?;
            request.body.extend_from_slice(&chunk);
            self.exactly(2).await?;
            if size == 0 {
                return Ok(());
            }
        }
    }

    /// Reads the first half of a body of declared length.
    pub async fn half_the_body(&mut self, request: &mut Request) -> io::Result<()> {
        let half = declared_length(request)? / 2;
        request.body = self.exactly(half).await?;
        Ok(())
    }

    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Ends the connection in order, after all that was sent.
    pub async fn close(mut self) -> io::Result<()> {
        self.stream.shutdown().await?;
        self.until_closed().await;
        Ok(())
    }

    /// Ends the connection with a TCP reset.
    pub fn reset(self) -> io::Result<()> {
        self.stream.set_zero_linger()
    }

    /// Waits until the client has left.
    pub async fn until_closed(&mut self) {
        let mut ignored = [0; 4096];
        while !matches!(self.stream.read(&mut ignored).await, Ok(0) | Err(_)) {}
    }

    async fn until(&mut self, end: &[u8]) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(at) = self
                .ahead
                .windows(end.len())
                .position(|window| window == end)
            {
                let mut bytes: Vec<u8> = self.ahead.drain(..at + end.len()).collect();
                bytes.truncate(at);
                return Ok(Some(bytes));
            }
            if self.stream.read_buf(&mut self.ahead).await? == 0 {
                return Ok(None);
            }
        }
    }

    async fn exactly(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.ahead.len() < count {
            if self.stream.read_buf(&mut self.ahead).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.ahead.drain(..count).collect())
    }
}

fn declared_length(request: &Request) -> io::Result<usize> {
    let length = request.header("content-length").unwrap_or("0");
    length.parse().map_err(io::Error::other)
}

/// The head of a response, with the body's true length.
pub fn head(answer: &Answer) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {} Injected or Forwarded\r\n", answer.status);
    let framing = ["content-length", "transfer-encoding", "connection"];
    for (name, value) in &answer.headers {
        if !framing.contains(&name.as_str()) {
            let value = String::from_utf8_lossy(value.as_bytes());
            let _ = write!(text, "{name}: {value}\r\n");
        }
    }
    let _ = write!(text, "content-length: {}\r\n\r\n", answer.body.len());
    text.into_bytes()
}
