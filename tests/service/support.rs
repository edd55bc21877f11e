//! Tests of the test servers: the fake Cloud Storage, and each fault.

use std::time::Duration;

use crate::fake_gcs::FakeGcs;
use crate::http::{Answer, Client, encode};
use crate::proxy::{Call, Fault, Proxy, REDIRECTED};

const PICTURE: &[u8] = b"the bytes of a picture";

#[tokio::test]
async fn the_fake_storage_keeps_every_name_and_pins_generations() {
    let gcs = FakeGcs::start().await;
    gcs.create_bucket("photos").await;
    let names = [
        "..",
        "a/../b #?%2F.jpg",
        "ümlaut/写真.png",
        &"n".repeat(1024),
    ];
    for name in names {
        let old = gcs.put("photos", name, b"old", "image/png", &[]).await;
        let new = gcs
            .put("photos", name, PICTURE, "image/jpeg", &[("key", "value")])
            .await;
        assert_ne!(old, new, "{name}");
        let stored = gcs.get("photos", name).await.expect("it was put there");
        assert_eq!(stored.bytes, PICTURE, "{name}");
        assert_eq!(stored.content_type, "image/jpeg", "{name}");
        assert_eq!(stored.metadata["key"], "value", "{name}");
        assert_eq!(stored.generation, new, "{name}");
    }
    assert_eq!(gcs.list("photos").await.len(), names.len());
    for name in names {
        gcs.delete("photos", name).await;
        assert_eq!(gcs.get("photos", name).await, None, "{name}");
    }
}

#[tokio::test]
async fn the_proxy_forwards_and_tells_the_calls_apart() {
    let (gcs, proxy) = storage().await;
    let at = |path: &str| format!("{}{path}", proxy.endpoint());
    let client = Client::new();
    let range = [("range", "bytes=0-0")];
    let thumbnail = format!(
        "/storage/v1/b/photos/o/{}?fields=generation",
        encode("thumbnails/a.jpg")
    );
    let get = async |path: &str, headers| client.send("GET", &at(path), headers, "").await.unwrap();
    assert_eq!(
        get("/storage/v1/b/photos/o/a.jpg?alt=media", &[])
            .await
            .body,
        PICTURE
    );
    assert_eq!(
        get(
            "/storage/v1/b/photos/o/a.jpg?alt=media&generation=1",
            &range
        )
        .await
        .status,
        404
    );
    assert_eq!(
        get("/storage/v1/b/photos/o/a.jpg?alt=media", &range)
            .await
            .status,
        206
    );
    assert_eq!(get(&thumbnail, &range).await.status, 404);
    assert_eq!(get("/storage/v1/b/photos/o", &[]).await.status, 200);
    let upload = "/upload/storage/v1/b/photos/o?uploadType=media&name=b.jpg";
    let answer = client
        .send("POST", &at(upload), &[], PICTURE)
        .await
        .unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());

    assert_eq!(
        get("/storage/v1/b/photos/o/a.jpg?fields=generation", &[])
            .await
            .status,
        200
    );

    let calls: Vec<_> = proxy
        .requests()
        .into_iter()
        .map(|request| request.call)
        .collect();
    let (open, write) = (Some(Call::Open), Some(Call::Write));
    let (thumbnail, source) = (Some(Call::LookAtThumbnail), Some(Call::LookAtSource));
    assert_eq!(calls, [open, open, open, thumbnail, None, write, source]);
    let written = &proxy.requests_of(Call::Write)[0];
    assert_eq!(
        (written.method.as_str(), &written.body[..]),
        ("POST", PICTURE)
    );
    assert_eq!(written.path, upload);
    let ranged = &proxy.requests_of(Call::Open)[2];
    assert_eq!(ranged.header("range"), Some("bytes=0-0"));
    assert_eq!(gcs.get("photos", "b.jpg").await.unwrap().bytes, PICTURE);
}

#[tokio::test]
async fn a_fault_is_injected_as_often_as_told_and_counted() {
    let (_gcs, proxy) = storage().await;
    let fault = Fault::Status(503);
    proxy.inject(Call::Open, fault, 2);
    for expected in [503, 503, 200] {
        assert_eq!(open(&proxy).await.unwrap().status, expected);
    }
    assert_eq!(proxy.hits(Call::Open, fault), 2);
    assert_eq!(proxy.hits(Call::Write, fault), 0);
    proxy.inject(Call::Open, fault, usize::MAX);
    assert_eq!(open(&proxy).await.unwrap().status, 503);
    proxy.clear();
    assert_eq!(open(&proxy).await.unwrap().status, 200);
    assert_eq!(proxy.hits(Call::Open, fault), 3);
}

#[tokio::test]
async fn each_fault_is_what_its_name_says() {
    let (gcs, proxy) = storage().await;
    let met = async |fault| {
        proxy.inject(Call::Open, fault, 1);
        let answer = open(&proxy).await;
        assert_eq!(proxy.hits(Call::Open, fault), 1, "{fault:?}");
        answer
    };
    let refused = met(Fault::Status(429)).await.unwrap();
    assert_eq!(refused.status, 429);
    assert!(
        refused.text().contains(r#""code":429"#),
        "{}",
        refused.text()
    );
    let away = met(Fault::Redirect).await.unwrap();
    assert_eq!(
        (away.status, away.header("location").ends_with(REDIRECTED)),
        (307, true)
    );
    let garbage = met(Fault::Garbage).await.unwrap();
    assert_eq!(
        (garbage.status, garbage.header("x-goog-generation").as_str()),
        (200, "")
    );
    let flipped = met(Fault::FlipByte).await.unwrap();
    assert_eq!(flipped.body.len(), PICTURE.len());
    assert_eq!(
        flipped
            .body
            .iter()
            .zip(PICTURE)
            .filter(|(a, b)| a != b)
            .count(),
        1
    );
    for (fault, words) in [
        (Fault::ResetBefore, "reset"),
        (Fault::ResetInBody, "reset"),
        (Fault::AfterCommit, "reset"),
        (Fault::CutBody, "end of file before message length reached"),
    ] {
        let error = met(fault).await.expect_err("the answer isn't whole");
        assert!(error.contains(words), "{fault:?}: {error}");
    }
    // A stall never ends; each of these must outlast an answer that isn't stalled.
    for fault in [
        Fault::StallAtHeaders,
        Fault::StallInBody,
        Fault::SlowerThanDeadline,
    ] {
        let mut stalled = std::pin::pin!(met(fault));
        let first = tokio::time::timeout(Duration::from_secs(1), &mut stalled).await;
        assert!(first.is_err(), "{fault:?}: {first:?}");
    }
    let upload = format!(
        "{}/upload/storage/v1/b/photos/o?uploadType=media&name=lost.jpg",
        proxy.endpoint()
    );
    proxy.inject(Call::Write, Fault::AfterCommit, 1);
    let lost = Client::new().send("POST", &upload, &[], PICTURE).await;
    assert!(lost.is_err(), "{lost:?}");
    assert_eq!(gcs.get("photos", "lost.jpg").await.unwrap().bytes, PICTURE);
}

async fn storage() -> (FakeGcs, Proxy) {
    let gcs = FakeGcs::start().await;
    gcs.create_bucket("photos").await;
    gcs.put("photos", "a.jpg", PICTURE, "image/jpeg", &[]).await;
    let proxy = Proxy::start(gcs.endpoint()).await;
    (gcs, proxy)
}

async fn open(proxy: &Proxy) -> Result<Answer, String> {
    let url = format!("{}/storage/v1/b/photos/o/a.jpg?alt=media", proxy.endpoint());
    Client::new().send("GET", &url, &[], "").await
}
