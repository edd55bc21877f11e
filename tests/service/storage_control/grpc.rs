//! A unary gRPC call over HTTP/2: <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>.

use std::convert::Infallible;

use bytes::{BufMut, Bytes, BytesMut};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderValue};
use hyper::{Request, Response};

/// The status codes that the tests need, with gRPC's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    InvalidArgument = 3,
    NotFound = 5,
    PermissionDenied = 7,
    FailedPrecondition = 9,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
}

/// A call that failed, with words that a header can hold.
pub struct Failed(pub Code, pub String);

/// The length of a message's prefix: a flag for compression, and the message's length.
const PREFIX: usize = 5;

/// Answers one call; `call` takes its path and message.
pub async fn answer(
    request: Request<Incoming>,
    call: impl AsyncFnOnce(String, Bytes) -> Result<Vec<u8>, Failed>,
) -> Result<Response<BoxBody<Bytes, Infallible>>, Infallible> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await;
    let answered = match body.map(http_body_util::Collected::to_bytes) {
        Ok(body) if body.len() >= PREFIX => call(path, body.slice(PREFIX..)).await,
        Ok(_) | Err(_) => Err(Failed(Code::Internal, "no whole message".to_owned())),
    };
    let answer = Response::builder().header("content-type", "application/grpc");
    let answer = match answered {
        Ok(message) => {
            let length = u32::try_from(message.len()).expect("a page is smaller than 4 GiB");
            let mut framed = BytesMut::with_capacity(PREFIX + message.len());
            framed.put_u8(0);
            framed.put_u32(length);
            framed.put_slice(&message);
            let trailers = HeaderMap::from_iter([(
                hyper::header::HeaderName::from_static("grpc-status"),
                HeaderValue::from_static("0"),
            )]);
            let body = Full::new(framed.freeze()).with_trailers(async { Some(Ok(trailers)) });
            answer.body(body.boxed())
        }
        Err(Failed(code, words)) => answer
            .header("grpc-status", (code as u8).to_string())
            .header("grpc-message", words)
            .body(Empty::new().boxed()),
    };
    Ok(answer.expect("these headers are sound"))
}

pub fn decode<M: prost::Message + Default>(message: &[u8]) -> Result<M, Failed> {
    M::decode(message).map_err(|error| Failed(Code::InvalidArgument, error.to_string()))
}
