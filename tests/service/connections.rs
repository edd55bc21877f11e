//! More connections than the service takes, and than the system has files for.

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::app::App;
use crate::raw::{exchange, framed, post};
use crate::until::until;

/// 64 files of the process's own and 4 for each of 10 connections.
const FILES: u32 = 104;
const BOUND: usize = 10;
const HEALTH: &[u8] = b"GET /health HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n";

/// An event that is answered 204 without any picture.
async fn push(app: &App) -> String {
    let body = json!({ "bucket": "photos", "name": "n.txt" }).to_string();
    exchange(app.address(), &post("", body.as_bytes())).await
}

fn warnings(app: &App, reason: &str) -> usize {
    let lines = app.log_lines();
    let wanted = lines.iter().filter(|line| line["reason"] == reason);
    wanted.filter(|line| line["severity"] == "WARNING").count()
}

#[tokio::test]
async fn who_comes_over_the_bound_is_told_503_and_health_is_answered_all_the_same() {
    let store = tempfile::tempdir().expect("a temporary folder");
    let folder = store.path().to_str().expect("a plain path");
    let environment = [("TARGET_BUCKET", "thumbs"), ("STORAGE_DIR", folder)];
    let app = App::start_with_files(FILES, &environment).await;
    let mut slow = Vec::new();
    for _ in 0..BOUND {
        let stream = TcpStream::connect(app.address()).await;
        let mut stream = stream.expect("the service accepts");
        let begun = stream.write_all(b"POST / HTTP/1.1\r\n").await;
        begun.expect("the kernel takes the bytes");
        slow.push(stream);
    }
    for _ in 0..3 {
        let refused = push(&app).await;
        assert!(refused.starts_with("HTTP/1.1 503 "), "{refused:?}");
        assert!(refused.ends_with("too many connections\n"), "{refused:?}");
        let health = exchange(app.address(), HEALTH).await;
        assert!(health.starts_with("HTTP/1.1 200 "), "{health:?}");
    }
    app.wait_for_line(|line| line["reason"] == "connections")
        .await;
    assert_eq!(warnings(&app, "connections"), 1);
    drop(slow);
    until("a place for an event", async || {
        push(&app).await.starts_with("HTTP/1.1 204 ")
    })
    .await;
}

#[tokio::test]
async fn a_system_that_gives_no_connections_is_warned_of_and_outlasted() {
    let store = tempfile::tempdir().expect("a temporary folder");
    let folder = store.path().to_str().expect("a plain path");
    let app = App::start(&[("TARGET_BUCKET", "thumbs"), ("STORAGE_DIR", folder)]).await;
    app.limit_files(1);
    let waiting = push(&app);
    let mended = async {
        let line = app.wait_for_line(|line| line["reason"] == "accept").await;
        assert_eq!(line["severity"], "WARNING", "{line}");
        app.limit_files(1024);
    };
    let (answer, ()) = tokio::join!(waiting, mended);
    assert!(answer.starts_with("HTTP/1.1 204 "), "{answer:?}");
    assert_eq!(warnings(&app, "accept"), 1);
}

/// Bodies of nearly 1 MiB that don't end would together take much memory.
#[tokio::test(flavor = "multi_thread")]
async fn long_bodies_take_turns_and_little_memory() {
    const CALLERS: usize = 200;
    const LONG: usize = 1_000_000;
    let store = tempfile::tempdir().expect("a temporary folder");
    let folder = store.path().to_str().expect("a plain path");
    let app = App::start(&[("TARGET_BUCKET", "thumbs"), ("STORAGE_DIR", folder)]).await;
    let idle = app.peak_memory();
    let head = format!("content-length: {}\r\n", LONG + 1);
    let unended = framed(&head, &" ".repeat(LONG));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (address, request) = (app.address().to_owned(), unended.clone());
        callers.spawn(async move { exchange(&address, &request).await });
    }
    let event = push(&app).await;
    assert!(event.starts_with("HTTP/1.1 204 "), "{event:?}");
    while let Some(answer) = callers.join_next().await {
        let answer = answer.expect("no caller fails");
        // Closing before unread bytes may lose the answer.
        let is_cut_off = answer.is_empty() || answer.starts_with("HTTP/1.1 408 ");
        assert!(is_cut_off, "{answer:?}");
    }
    let grown = app.peak_memory() - idle;
    // Without a limit of long bodies it grows by 232 MB.
    assert!(grown < 128 << 20, "the peak memory grew by {grown} bytes");
}
