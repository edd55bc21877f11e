//! Every request whose first byte was there before SIGTERM is answered, however little of it the service has seen.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::app::App;
use crate::http::PATIENCE;
use crate::raw::post;

const CALLERS: usize = 16;

async fn start() -> (App, tempfile::TempDir) {
    let store = tempfile::tempdir().expect("a temporary folder");
    let folder = store.path().to_str().expect("a plain path");
    let app = App::start(&[("TARGET_BUCKET", "thumbs"), ("STORAGE_DIR", folder)]).await;
    (app, store)
}

async fn connect(app: &App) -> TcpStream {
    let stream = TcpStream::connect(app.address()).await;
    stream.expect("the kernel accepts")
}

async fn send(stream: &mut TcpStream, bytes: &[u8]) {
    let sent = stream.write_all(bytes).await;
    sent.expect("the kernel takes the bytes");
}

/// Reads the response up to the connection's end.
async fn hear(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    let heard = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    heard
        .expect("the service ends the connection")
        .expect("without a reset");
    String::from_utf8_lossy(&answer).into_owned()
}

/// An event that is answered 204 without any picture.
fn event() -> Vec<u8> {
    let body = json!({ "bucket": "photos", "name": "n.txt" }).to_string();
    post("", body.as_bytes())
}

#[tokio::test]
async fn what_the_kernel_holds_at_sigterm_is_answered() {
    let (app, _store) = start().await;
    let mut streams = Vec::new();
    for _ in 0..CALLERS {
        let mut stream = connect(&app).await;
        // An answered request makes sure that the connection is accepted, and idle.
        send(&mut stream, b"GET /health HTTP/1.1\r\nhost: h\r\n\r\n").await;
        let mut answer = Vec::new();
        while !answer.ends_with(b"ok\n") {
            let mut piece = [0; 512];
            let read = stream.read(&mut piece).await.expect("an answer");
            answer.extend_from_slice(&piece[..read]);
        }
        streams.push(stream);
    }
    // A stopped process neither accepts nor reads: all stays in the kernel until the signal is there too.
    app.signal("STOP");
    for _ in 0..CALLERS {
        streams.push(connect(&app).await);
    }
    for stream in &mut streams {
        send(stream, &event()).await;
    }
    let idle = connect(&app).await;
    app.sigterm();
    app.signal("CONT");
    for (number, stream) in streams.into_iter().enumerate() {
        let answer = hear(stream).await;
        assert!(answer.starts_with("HTTP/1.1 204 "), "{number}: {answer:?}");
        assert!(answer.contains("connection: close"), "{number}: {answer}");
    }
    assert_eq!(hear(idle).await, "");
    assert!(app.wait().await.success(), "the exit after SIGTERM");
}

#[tokio::test]
async fn a_request_that_is_half_sent_at_sigterm_is_answered_when_it_comes_and_503_when_it_doesn_t()
{
    let (app, _store) = start().await;
    let event = event();
    let (head, body) = (event.len() / 4, event.len() - 4);
    let mut streams = Vec::new();
    for cut in [head, head, body, body] {
        let mut stream = connect(&app).await;
        send(&mut stream, &event[..cut]).await;
        streams.push((stream, cut));
    }
    app.sigterm();
    let mut answers = Vec::new();
    for (number, (mut stream, cut)) in streams.into_iter().enumerate() {
        if number % 2 == 0 {
            send(&mut stream, &event[cut..]).await;
        }
        answers.push(tokio::spawn(hear(stream)));
    }
    for (number, answer) in answers.into_iter().enumerate() {
        let answer = answer.await.expect("no caller fails");
        let expected = ["HTTP/1.1 204 ", "HTTP/1.1 503 "][number % 2];
        assert!(answer.starts_with(expected), "{number}: {answer:?}");
    }
    let late = |line: &&serde_json::Value| line["reason"] == "shutting_down";
    assert!(app.wait().await.success(), "the exit after SIGTERM");
    assert_eq!(app.log_lines().iter().filter(late).count(), 2);
}
