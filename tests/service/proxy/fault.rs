//! Faults of one storage call, injected on the wire.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use hyper::HeaderMap;
use serde_json::json;

use crate::http::Answer;

use super::call::Call;
use super::wire::{Connection, head};

/// A fault that the proxy injects into a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// This status with the JSON error that Cloud Storage sends; upstream isn't asked.
    Status(u16),
    /// This status and this reason, as [`Self::Status`] gives it.
    Refusal(u16, &'static str),
    /// This status with plain words, as failed downloads are answered; upstream isn't asked.
    Words(u16, &'static str),
    /// An object's resource that claims to be encrypted with a customer-supplied key.
    CustomerKey,
    /// A TCP reset in place of an answer; upstream isn't asked.
    ResetBefore,
    /// A TCP reset half-way through the body: of a write's request, else of the answer.
    ResetInBody,
    /// No byte of an answer; upstream isn't asked.
    StallAtHeaders,
    /// The answer's head and half of its body, then nothing.
    StallInBody,
    /// The answer's head and half of its body, then an orderly end of the connection.
    CutBody,
    /// The answer with one bit changed: in a picture's middle, else in the body's first byte.
    FlipByte,
    /// The right answer, but one byte every tenth of a second: the head alone takes many seconds.
    SlowerThanDeadline,
    /// A redirect to [`REDIRECTED`] on this proxy; upstream isn't asked.
    Redirect,
    /// A 200 with a page of text and none of Cloud Storage's headers; upstream isn't asked.
    Garbage,
    /// Upstream handles it, and then the connection is reset, so that its answer is lost.
    AfterCommit,
    /// The right answer, with these wrong lines in place of its own `x-goog-hash`.
    Hashes(&'static [&'static str]),
    /// The right answer, with another name for the coding of its body.
    ContentEncoding(&'static str),
    /// A write's request, or a read's answer, waits in the proxy until the faults are cleared.
    HeldUntilCleared,
}

/// The target of [`Fault::Redirect`], which is never an object.
pub const REDIRECTED: &str = "/redirected";

impl Fault {
    /// Whether upstream handles the request.
    pub fn asks_upstream(self, call: Call) -> bool {
        match self {
            Self::Status(_)
            | Self::Refusal(..)
            | Self::Words(..)
            | Self::CustomerKey
            | Self::ResetBefore
            | Self::StallAtHeaders
            | Self::Redirect
            | Self::Garbage => false,
            Self::ResetInBody => call != Call::Write,
            Self::StallInBody
            | Self::CutBody
            | Self::FlipByte
            | Self::SlowerThanDeadline
            | Self::AfterCommit
            | Self::Hashes(_)
            | Self::ContentEncoding(_)
            | Self::HeldUntilCleared => true,
        }
    }

    /// Answers a call with the fault; `answer` is the server's if it was asked, and else empty.
    pub async fn answer(
        self,
        call: Call,
        mut connection: Connection,
        mut answer: Answer,
        proxy: &str,
    ) -> io::Result<()> {
        let half = answer.body.len() / 2;
        match self {
            Self::ResetBefore | Self::AfterCommit => return connection.reset(),
            Self::ResetInBody if call == Call::Write => return connection.reset(),
            Self::StallAtHeaders => {
                connection.until_closed().await;
                return Ok(());
            }
            Self::SlowerThanDeadline => return trickle(connection, &answer).await,
            Self::ResetInBody | Self::StallInBody | Self::CutBody => {
                connection.send(&head(&answer)).await?;
                connection.send(&answer.body[..half]).await?;
                if self == Self::StallInBody {
                    connection.until_closed().await;
                    return Ok(());
                }
                if self == Self::ResetInBody {
                    return connection.reset();
                }
                return connection.close().await;
            }
            Self::FlipByte => {
                let at = if call == Call::Open { half } else { 0 };
                let mut body = answer.body.to_vec();
                body[at] ^= 0x10;
                answer.body = body.into();
            }
            Self::HeldUntilCleared => {}
            Self::Hashes(lines) => {
                answer.headers.remove("x-goog-hash");
                for line in lines {
                    let line = hyper::header::HeaderValue::from_static(line);
                    answer.headers.append("x-goog-hash", line);
                }
            }
            Self::ContentEncoding(coding) => {
                let coding = hyper::header::HeaderValue::from_static(coding);
                answer.headers.insert("content-encoding", coding);
            }
            Self::Status(status) => answer = refusal(status),
            Self::Refusal(status, reason) => answer = refusal_for(status, reason),
            Self::Words(status, words) => {
                answer = plain(status, "text/html; charset=UTF-8", words.into());
            }
            Self::CustomerKey => {
                let key = json!({ "encryptionAlgorithm": "AES256", "keySha256": "c2hh" });
                let resource = json!({ "generation": "1", "customerEncryption": key });
                answer = plain(
                    200,
                    "application/json; charset=UTF-8",
                    resource.to_string().into(),
                );
            }
            Self::Redirect => {
                answer = refusal(307);
                let target = format!("{proxy}{REDIRECTED}");
                let target = target.parse().expect("an address is a header's value");
                answer.headers.insert("location", target);
            }
            Self::Garbage => {
                let body = "<html>This page is not what you asked for.</html>";
                answer = plain(200, "text/html", body.into());
            }
        }
        connection.send(&head(&answer)).await?;
        connection.send(&answer.body).await?;
        connection.close().await
    }
}

/// An error in the form of Cloud Storage's JSON API.
pub fn refusal(status: u16) -> Answer {
    refusal_for(status, "injected")
}

fn refusal_for(status: u16, reason: &str) -> Answer {
    let message = format!("injected {status}");
    let error = json!({ "domain": "global", "reason": reason, "message": message });
    let body = json!({ "error": { "code": status, "message": message, "errors": [error] } });
    plain(
        status,
        "application/json; charset=UTF-8",
        body.to_string().into(),
    )
}

fn plain(status: u16, content_type: &'static str, body: Bytes) -> Answer {
    let content_type = hyper::header::HeaderValue::from_static(content_type);
    let headers = HeaderMap::from_iter([(hyper::header::CONTENT_TYPE, content_type)]);
    Answer {
        status,
        headers,
        body,
    }
}

async fn trickle(mut connection: Connection, answer: &Answer) -> io::Result<()> {
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    for byte in head(answer).iter().chain(&answer.body) {
        ticks.tick().await;
        connection.send(&[*byte]).await?;
    }
    connection.close().await
}
