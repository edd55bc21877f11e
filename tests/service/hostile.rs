//! Hostile requests: whatever comes, the next good event is served.

use std::sync::atomic::{AtomicUsize, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;
use image::ImageFormat;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::app::{App, envelope};
use crate::fake_gcs::FakeGcs;
use crate::pictures::{assert_plain, colour, plain};
use crate::proxy::Proxy;
use crate::raw::{cut_off, exchange, framed, huge, post};

/// A service with a storage behind it that records every call.
struct Door {
    gcs: FakeGcs,
    proxy: Proxy,
    app: App,
    served: AtomicUsize,
}

impl Door {
    async fn start() -> Self {
        let gcs = FakeGcs::start().await;
        gcs.create_bucket("photos").await;
        gcs.create_bucket("thumbs").await;
        let proxy = Proxy::start(gcs.endpoint()).await;
        let storage = ("STORAGE_EMULATOR_HOST", proxy.endpoint());
        let app = App::start(&[("TARGET_BUCKET", "thumbs"), storage]).await;
        Self {
            gcs,
            proxy,
            app,
            served: AtomicUsize::new(0),
        }
    }

    /// Asserts that `/health` is 200 and a good event becomes a thumbnail.
    async fn assert_open(&self, after: &str) {
        assert_eq!(self.app.health().await.status, 200, "/health after {after}");
        let number = self.served.fetch_add(1, Ordering::Relaxed);
        let name = format!("good/{number}.png");
        let picture = plain(40, 30, colour(number), ImageFormat::Png);
        let generation = self
            .gcs
            .put("photos", &name, &picture, "image/png", &[])
            .await;
        let status = self.app.push("photos", &name, generation).await;
        assert_eq!(status, 204, "a good event after {after}");
        let thumbnail = self.gcs.thumbnail(&name).await;
        let thumbnail = thumbnail.unwrap_or_else(|| panic!("no thumbnail after {after}"));
        assert_plain(&thumbnail.bytes, colour(number), after);
    }

    /// Asserts that a request is answered with this status, and that the next one is served.
    async fn assert_refused(&self, what: &str, request: &[u8], status: u16) {
        let answer = exchange(self.app.address(), request).await;
        let expected = format!("HTTP/1.1 {status} ");
        assert!(
            answer.starts_with(&expected),
            "{what} is answered {answer:.500}"
        );
        self.assert_open(what).await;
    }
}

#[tokio::test]
async fn a_hostile_request_is_refused_and_the_next_event_served() {
    let door = Door::start().await;
    for (what, body) in hostile_bodies() {
        door.assert_refused(what, &post("", &body), 400).await;
    }
    let good = envelope("photos", "never-uploaded.jpg", 1).to_string();
    let packed = "content-encoding: gzip\r\n";
    door.assert_refused("a gzip body", &post(packed, &gzip(good.as_bytes())), 400)
        .await;
    door.assert_refused(
        "a gzip bomb",
        &post(packed, &gzip(&vec![0; 100 << 20])),
        400,
    )
    .await;
    let chunked = "transfer-encoding: chunked\r\n";
    for (headers, body) in [
        (chunked, "ZZ\r\nx\r\n0\r\n\r\n"),
        (chunked, "fffffffffffffffff\r\nx"),
        (chunked, "1\r\nxyz0\r\n\r\n"),
        ("transfer-encoding: gzip\r\n", ""),
        ("content-length: 1\r\ncontent-length: 2\r\n", "xy"),
        ("content-length: -1\r\n", "x"),
        ("content-length: 99999999999999999999\r\n", "x"),
        ("a header without a colon\r\n", ""),
        ("x: a\0b\r\n", ""),
    ] {
        door.assert_refused(headers, &framed(headers, body), 400)
            .await;
    }
    let many = "x-number: y\r\n".repeat(5000);
    door.assert_refused("5,000 headers", &post(&many, good.as_bytes()), 431)
        .await;
    let long = format!("x: {}\r\n", "y".repeat(1 << 20));
    door.assert_refused("a header of 1 MiB", &post(&long, good.as_bytes()), 431)
        .await;
    door.assert_refused("HTTP/0.9", b"GET /\r\n\r\n", 400).await;
    let tls = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n";
    door.assert_refused("TLS", tls, 400).await;
}

#[tokio::test]
async fn a_request_that_is_no_http_is_logged() {
    let door = Door::start().await;
    let header = format!("x: {}\r\n", "x".repeat(1 << 20));
    let uri = format!("GET /{} HTTP/1.1\r\nhost: h\r\n\r\n", "x".repeat(66_000));
    door.assert_refused("no method", b"@ / HTTP/1.1\r\n\r\n", 400)
        .await;
    door.assert_refused("a header of 1 MiB", &post(&header, b""), 431)
        .await;
    door.assert_refused("a URI of 66,000 bytes", uri.as_bytes(), 414)
        .await;
    for words in ["method", "head", "URI"] {
        let told = |line: &serde_json::Value| {
            let message = line["message"].as_str().unwrap_or_default();
            line["outcome"] == "malformed" && message.contains(words)
        };
        let line = door.app.wait_for_line(told).await;
        assert_eq!(line["severity"], "WARNING", "{line}");
    }
}

#[tokio::test]
async fn a_head_of_64_kib_is_the_largest_that_is_taken() {
    let door = Door::start().await;
    let event = r#"{"bucket":"photos","name":"n.txt"}"#;
    for (bytes, status) in [(63 << 10, 204), ((64 << 10) + 1, 431), (127 << 10, 431)] {
        let header = format!("x: {}\r\n", "y".repeat(bytes));
        let request = post(&header, event.as_bytes());
        door.assert_refused(&format!("a header of {bytes} bytes"), &request, status)
            .await;
    }
    let told = |line: &serde_json::Value| line["status"] == 431;
    let line = door.app.wait_for_line(told).await;
    assert_eq!(line["severity"], "WARNING", "{line}");
}

#[tokio::test]
async fn a_request_that_nobody_answers_does_no_harm() {
    let door = Door::start().await;
    let smuggled = "0\r\n\r\nGET / HTTP/1.1\r\n\r\n";
    let two_framings = "transfer-encoding: chunked\r\ncontent-length: 3\r\n";
    for (what, request) in [
        (
            "a chunked body with a length",
            framed(two_framings, smuggled),
        ),
        (
            "a body that breaks off",
            framed("content-length: 9\r\n", "{"),
        ),
        (
            "deep JSON in an unknown field",
            post("", deep_in_unknown_field().as_bytes()),
        ),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()),
        ("nothing", Vec::new()),
    ] {
        let stream = TcpStream::connect(door.app.address()).await;
        let mut stream = stream.expect("the service accepts");
        stream.write_all(&request).await.expect("the service reads");
        door.assert_open(what).await;
    }
}

/// Bodies that are no notification even to a lenient parser.
fn hostile_bodies() -> Vec<(&'static str, Vec<u8>)> {
    let good = envelope("photos", "never-uploaded.jpg", 1).to_string();
    let deep = "[".repeat(100_000);
    let deep_data = json!({ "message": { "data": base64(deep.as_bytes()) } }).to_string();
    let twice = good.replacen("\"message\":", "\"message\":{},\"message\":", 1);
    let twice_inside = r#"{"message":{"attributes":{"bucketId":"photos","bucketId":"x"}}}"#;
    let huge_number = r#"{"bucket":"photos","name":"n.jpg","generation":1e999}"#;
    vec![
        ("100,000 arrays", deep.into()),
        ("100,000 arrays as data", deep_data.into()),
        ("100,000 objects", "{\"data\":".repeat(100_000).into()),
        ("a duplicated message", twice.into()),
        ("a duplicated attribute", twice_inside.into()),
        ("a number over any range", huge_number.into()),
        (
            "invalid UTF-8",
            b"{\"message\":{\"data\":\"\xff\xfe\"}}".into(),
        ),
        ("UTF-16", b"\xff\xfe{\0}\0".into()),
        ("nothing", Vec::new()),
        ("null", b"null".into()),
    ]
}

#[tokio::test]
async fn a_hostile_name_never_reaches_storage() {
    let door = Door::start().await;
    let overlong = "b".repeat(300);
    let buckets = [
        "",
        ".",
        "..",
        "x/../photos",
        "photos/o/../../x",
        "/",
        "a b",
        "a?b",
        "a#b",
        "a%2fb",
        "a\nb",
        "a\r\nhost: evil",
        "photos\0",
        "b\u{fc}cket",
        "http://evil.example",
        "-a",
        &overlong,
        "projects/_/buckets/photos",
        "@evil.example",
        "evil.example:80",
    ];
    for bucket in buckets {
        let body = envelope(bucket, "picture.jpg", 1).to_string();
        let (status, reason) = door.app.post("/", &[], body).await;
        assert_eq!(status, 400, "bucket {bucket:?}: {reason}");
    }
    let overlong = format!("{}.jpg", "n".repeat(1021));
    for name in ["", ".", "..", "a\nb.jpg", "a\rb.jpg", &overlong] {
        let body = envelope("photos", name, 1).to_string();
        let (status, reason) = door.app.post("/", &[], body).await;
        assert_eq!(status, 400, "name {name:?}: {reason}");
    }
    let calls = door.proxy.requests();
    assert!(calls.is_empty(), "{calls:?}");
    door.assert_open("hostile names").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_caller_is_cut_off_and_holds_nothing_up() {
    const EACH: usize = 50;
    let door = Door::start().await;
    let head = "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 100\r\n";
    let mut slow = JoinSet::new();
    for number in 0..EACH * 4 {
        let address = door.app.address().to_owned();
        // Some send nothing more, some a byte a second for longer than the time limits.
        let (begin, trickle) = match number % 4 {
            0 => (head.to_owned(), ""),
            1 => (head.to_owned(), "x"),
            2 => (format!("{head}\r\n{{"), ""),
            _ => (format!("{head}\r\n{{"), " "),
        };
        slow.spawn(async move { cut_off(&address, &begin, trickle).await });
    }
    door.assert_open("the slow callers' first bytes").await;
    while let Some(ended) = slow.join_next().await {
        ended.expect("a slow caller is cut off");
    }
    door.assert_open("the slow callers").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_huge_body_is_refused_and_costs_no_memory() {
    const CALLERS: usize = 12;
    let door = Door::start().await;
    let idle = door.app.peak_memory();
    let mut callers = JoinSet::new();
    for number in 0..CALLERS {
        let address = door.app.address().to_owned();
        let length = [11_000_000, 33_000_000][number % 2];
        let chunked = number % 4 < 2;
        callers.spawn(async move { exchange(&address, &huge(length, chunked)).await });
    }
    door.assert_open("the huge bodies' first bytes").await;
    while let Some(answer) = callers.join_next().await {
        let answer = answer.expect("no caller fails");
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer:.200}");
    }
    door.assert_open("the huge bodies").await;
    let grown = door.app.peak_memory() - idle;
    // Each caller may cost as much as a good body and its buffers; together they sent 264 MB.
    assert!(grown < 64 << 20, "the peak memory grew by {grown} bytes");
}

fn deep_in_unknown_field() -> String {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let good = envelope("photos", "never-uploaded.jpg", 1).to_string();
    good.replacen('{', &format!("{{\"unknown\":{deep},"), 1)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    std::io::Write::write_all(&mut encoder, bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
