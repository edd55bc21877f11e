//! Where tokens are required, only Pub/Sub's are accepted, whatever the key server does.

mod door;
mod google;
mod key_server;

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RSA_PSS_SHA256};
use hyper::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use self::door::Door;
use self::google::{SigningKey, claims, hs256, now, unsigned};
use self::key_server::{KeyServer, Reply, dead_server};
use crate::http::PATIENCE;
use crate::raw::post;

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate("key-1"));
static OTHER: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate("key-2"));

/// The claims of a good token with these changes.
fn claims_but(changes: &Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().expect("changes are an object") {
        claims[name] = value.clone();
    }
    claims
}

fn claims_without(name: &str) -> Value {
    let mut claims = claims();
    let claim = claims
        .as_object_mut()
        .expect("claims are an object")
        .remove(name);
    assert!(claim.is_some(), "a good token has {name}");
    claims
}

async fn key_server() -> KeyServer {
    KeyServer::start(Reply::keys(&[&KEY])).await
}

#[tokio::test]
async fn pubsubs_token_is_let_in() {
    let keys = key_server().await;
    let door = Door::open(keys.url()).await;
    let good = [
        claims(),
        claims_but(&json!({ "iss": "accounts.google.com" })),
        claims_but(&json!({ "iat": now() + 15, "nbf": now() + 15 })),
        claims_but(&json!({ "aud": ["https://other.example", google::AUDIENCE] })),
    ];
    for claims in &good {
        assert_eq!(door.push(&KEY.token(claims)).await, 204, "{claims}");
        assert!(door.has_thumbnail(), "{claims}");
    }
    let lower_case = format!("bearer {}", KEY.token(&claims()));
    assert_eq!(door.knock(Some(&lower_case)).await.status, 204);
    assert_eq!(door.refusals().await, [""; 0]);
    assert_eq!(keys.fetches(), 1);
}

#[tokio::test]
async fn whoever_brings_no_token_is_refused() {
    let keys = key_server().await;
    let door = Door::open(keys.url()).await;
    let none = [
        None,
        Some("Bearer "),
        Some("Basic cHVzaDpwdXNo"),
        Some("garbage"),
    ];
    for authorization in none {
        let answer = door.knock(authorization).await;
        assert_eq!(answer.status, 401, "{authorization:?}");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    assert_eq!(keys.fetches(), 0);
    assert!(!door.has_thumbnail());
    assert_eq!(door.push(&KEY.token(&claims())).await, 204);
    assert_eq!(door.refusals().await, ["no_token"; 4]);
}

#[tokio::test]
async fn a_token_that_google_did_not_sign_is_refused() {
    let keys = key_server().await;
    let door = Door::open(keys.url()).await;
    let with = |name: &str, value: Value| {
        let mut header = KEY.header();
        header[name] = value;
        header
    };
    let good = KEY.token(&claims());
    let signature = good.rsplit('.').next().expect("a token has a signature");
    let extended = |value| KEY.sign(&with("crit", value), &claims(), &RSA_PKCS1_SHA256);
    let mut tokens = vec![
        extended(json!(["b64"])),
        extended(json!([])),
        "garbage".to_owned(),
        "a.b.c".to_owned(),
        "..".to_owned(),
        "é.é.é".to_owned(),
        "a.".repeat(20_000),
        good.replace('.', ""),
        format!("{good}.{signature}"),
        unsigned(&with("alg", json!("none")), &claims(), ""),
        unsigned(&with("alg", json!("None")), &claims(), signature),
        unsigned(&KEY.header(), &claims(), ""),
        unsigned(&KEY.header(), &claims(), "?"),
        unsigned(
            &KEY.header(),
            &claims_but(&json!({ "sub": "1" })),
            signature,
        ),
        KEY.sign(&with("alg", json!("RS512")), &claims(), &RSA_PKCS1_SHA512),
        KEY.sign(&with("alg", json!("PS256")), &claims(), &RSA_PSS_SHA256),
        KEY.sign(
            &json!({ "alg": "RS256", "typ": "JWT" }),
            &claims(),
            &RSA_PKCS1_SHA256,
        ),
        OTHER.sign(&KEY.header(), &claims(), &RSA_PKCS1_SHA256),
        OTHER.token(&claims()),
        OTHER.sign(&with("jwk", OTHER.public()), &claims(), &RSA_PKCS1_SHA256),
    ];
    for secret in KEY.secrets() {
        tokens.push(hs256(&with("alg", json!("HS256")), &claims(), &secret));
        tokens.push(hs256(&KEY.header(), &claims(), &secret));
    }
    for token in &tokens {
        assert_eq!(door.push(token).await, 401, "{token}");
    }
    assert!(!door.has_thumbnail());
    assert_eq!(door.push(&good).await, 204);
    assert_eq!(door.refusals().await, vec!["invalid_token"; tokens.len()]);
}

#[tokio::test]
async fn a_token_with_a_wrong_or_missing_claim_is_refused() {
    let keys = key_server().await;
    let door = Door::open(keys.url()).await;
    let mut wrong = vec![
        claims_but(&json!({ "exp": now() - 60 })),
        claims_but(&json!({ "exp": -1 })),
        claims_but(&json!({ "exp": (now() + 3600).to_string() })),
        claims_but(&json!({ "nbf": now() + 3600 })),
        claims_but(&json!({ "nbf": "tomorrow" })),
        claims_but(&json!({ "iat": now() + 3600 })),
        claims_but(&json!({ "iss": "https://accounts.example.com" })),
        claims_but(&json!({ "iss": "https://accounts.google.com/" })),
        claims_but(&json!({ "iss": ["https://accounts.google.com"] })),
        claims_but(&json!({ "aud": "https://other.example/" })),
        claims_but(&json!({ "aud": "https://thumbnails.example" })),
        claims_but(&json!({ "aud": [] })),
        claims_but(&json!({ "email": null })),
        claims_but(&json!({ "email_verified": false })),
        claims_but(&json!({ "email_verified": "true" })),
        claims_but(
            &json!({ "email_verified": false, "email": "other@project.iam.gserviceaccount.com" }),
        ),
        json!([claims()]),
    ];
    wrong.extend(["exp", "iat", "iss", "aud", "email", "email_verified"].map(claims_without));
    for claims in &wrong {
        assert_eq!(door.push(&KEY.token(claims)).await, 401, "{claims}");
    }
    assert!(!door.has_thumbnail());
    assert_eq!(door.push(&KEY.token(&claims())).await, 204);
    assert_eq!(door.refusals().await, vec!["invalid_token"; wrong.len()]);
}

#[tokio::test]
async fn another_account_is_forbidden() {
    let keys = key_server().await;
    let door = Door::open(keys.url()).await;
    let others = [
        "other@project.iam.gserviceaccount.com",
        "push@project.iam.gserviceaccount.com.example.com",
        "",
    ];
    for email in others {
        let token = KEY.token(&claims_but(&json!({ "email": email })));
        assert_eq!(door.push(&token).await, 403, "{email}");
    }
    assert!(!door.has_thumbnail());
    assert_eq!(door.push(&KEY.token(&claims())).await, 204);
    assert_eq!(door.refusals().await, ["wrong_account"; 3]);
}

#[tokio::test]
async fn a_stripped_token_is_refused_with_the_way_out() {
    let keys = key_server().await;
    let door = Door::open(keys.url()).await;
    let stripped = unsigned(&KEY.header(), &claims(), "SIGNATURE_REMOVED_BY_GOOGLE");
    assert_eq!(door.push(&stripped).await, 401);
    assert!(!door.has_thumbnail());
    let line = door
        .app
        .wait_for_line(|line| line["reason"] == "stripped_token")
        .await;
    let message = line["message"].as_str().unwrap_or_default();
    for words in ["IAM", "unset PUSH_AUDIENCE"] {
        assert!(message.contains(words), "{line}");
    }
    assert_eq!(keys.fetches(), 0);
}

#[tokio::test]
async fn a_refusal_does_not_wait_for_the_body() {
    let keys = key_server().await;
    let door = Door::open(keys.url()).await;
    let mut caller = TcpStream::connect(door.app.address()).await.unwrap();
    let head = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n";
    caller.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let mut caller = BufReader::new(caller);
    let answered = tokio::time::timeout(PATIENCE, caller.read_line(&mut answer)).await;
    answered.expect("no byte of the body ever comes").unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

#[tokio::test]
async fn a_caller_that_has_said_all_and_shuts_its_side_is_still_answered() {
    let keys = KeyServer::start(Reply::Hold).await;
    let door = Door::open(keys.url()).await;
    let mut caller = TcpStream::connect(door.app.address()).await.unwrap();
    let token = KEY.token(&claims());
    let head = format!("authorization: Bearer {token}\r\n");
    let body = br#"{"bucket":"photos","name":"a.jpg"}"#;
    caller.write_all(&post(&head, body)).await.unwrap();
    caller.shutdown().await.unwrap();
    keys.wait_for_fetches(1).await;
    // By then the service has polled all its connections.
    for _ in 0..20 {
        assert_eq!(door.app.health().await.status, 200);
    }
    keys.reply(Reply::keys(&[&KEY]));
    let mut answer = String::new();
    let answered = tokio::time::timeout(PATIENCE, caller.read_to_string(&mut answer)).await;
    answered.expect("the service ends the connection").unwrap();
    assert!(answer.starts_with("HTTP/1.1 204 "), "{answer:?}");
}

#[tokio::test]
async fn callers_who_come_at_once_share_one_fetch() {
    let keys = KeyServer::start(Reply::Hold).await;
    let door = Arc::new(Door::open(keys.url()).await);
    let token = KEY.token(&claims());
    let mut callers = JoinSet::new();
    for _ in 0..20 {
        let (door, token) = (Arc::clone(&door), token.clone());
        callers.spawn(async move { door.push(&token).await });
    }
    keys.wait_for_fetches(1).await;
    for _ in 0..20 {
        assert_eq!(door.app.health().await.status, 200);
    }
    keys.reply(Reply::keys(&[&KEY]));
    assert_eq!(callers.join_all().await, [204; 20]);
    assert_eq!(keys.fetches(), 1);
}

#[tokio::test]
async fn a_rotated_key_is_picked_up_and_the_old_one_is_out() {
    let keys = key_server().await;
    let door = Door::open(keys.url()).await;
    assert_eq!(door.push(&KEY.token(&claims())).await, 204);
    keys.reply(Reply::keys(&[&OTHER]));
    assert_eq!(door.push(&OTHER.token(&claims())).await, 204);
    assert_eq!(keys.fetches(), 2);
    assert_eq!(door.push(&KEY.token(&claims())).await, 401);
}

#[tokio::test]
async fn a_flood_of_unknown_keys_is_fetched_for_once_in_a_while() {
    let keys = key_server().await;
    let door = Door::open(keys.url()).await;
    assert_eq!(door.push(&KEY.token(&claims())).await, 204);
    let start = Instant::now();
    for number in 0..200 {
        let header = json!({ "alg": "RS256", "kid": format!("made-up-{number}") });
        assert_eq!(door.push(&unsigned(&header, &claims(), "c2ln")).await, 401);
    }
    // One at once, and one more for each half minute that this takes.
    let most = 2 + usize::try_from(start.elapsed().as_secs() / 30).unwrap();
    assert!((2..=most).contains(&keys.fetches()), "{}", keys.fetches());
    assert_eq!(door.push(&KEY.token(&claims())).await, 204);
}

#[tokio::test]
async fn a_silent_key_server_opens_nothing_and_blocks_nothing_until_it_speaks() {
    let keys = KeyServer::start(Reply::Hold).await;
    let door = Door::open(keys.url()).await;
    let token = KEY.token(&claims());
    let mut push = std::pin::pin!(door.push(&token));
    tokio::select! {
        status = &mut push => panic!("answered {status} before the keys were asked for"),
        () = keys.wait_for_fetches(1) => (),
    }
    tokio::select! {
        status = &mut push => panic!("answered {status} before /health"),
        health = door.app.health() => assert_eq!(health.status, 200),
    }
    assert_eq!(push.await, 503);
    assert!(!door.has_thumbnail());
    let line = door
        .app
        .wait_for_line(|line| line["outcome"] == "unauthorized")
        .await;
    assert_eq!(line["reason"], "keys_unavailable");
    keys.reply(Reply::keys(&[&KEY]));
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    let admitted = async {
        while door.push(&token).await != 204 {
            ticks.tick().await;
        }
    };
    let admitted = tokio::time::timeout(PATIENCE, admitted).await;
    admitted.expect("a key server that is back is asked again");
    assert!(door.has_thumbnail());
}

#[tokio::test]
async fn a_dead_key_server_is_not_the_callers_fault() {
    let (_socket, url) = dead_server();
    let door = Door::open(&url).await;
    assert_eq!(door.push(&KEY.token(&claims())).await, 503);
    assert_eq!(door.app.health().await.status, 200);
    assert!(!door.has_thumbnail());
    // The fetch logs its cause, the push its consequence.
    for words in ["can't be reached", "unauthorized request"] {
        let told = |line: &Value| {
            let message = line["message"].as_str().unwrap_or_default();
            line["reason"] == "keys_unavailable" && message.contains(words)
        };
        let line = door.app.wait_for_line(told).await;
        assert_eq!(line["severity"], "WARNING", "{line}");
    }
}

#[tokio::test]
async fn a_key_server_that_answers_anything_else_opens_nothing() {
    let elsewhere = key_server().await;
    let Reply::Body(set) = Reply::keys(&[&KEY]) else {
        unreachable!("keys are a body");
    };
    let replies = [
        Reply::Status(StatusCode::NOT_FOUND),
        Reply::Status(StatusCode::INTERNAL_SERVER_ERROR),
        Reply::Redirect(elsewhere.url().to_owned()),
        Reply::Body("<html>".to_owned()),
        Reply::Body(json!({ "keys": [] }).to_string()),
        Reply::Body(set + &" ".repeat(64 << 10)),
    ];
    for reply in replies {
        let what = format!("{:.60}", format!("{reply:?}"));
        let keys = KeyServer::start(reply).await;
        let door = Door::open(keys.url()).await;
        assert_eq!(door.push(&KEY.token(&claims())).await, 503, "{what}");
        assert_eq!(keys.fetches(), 1, "{what}");
        assert!(!door.has_thumbnail(), "{what}");
    }
    assert_eq!(elsewhere.fetches(), 0);
}

#[tokio::test]
async fn known_keys_serve_while_their_server_is_down() {
    let keys = key_server().await;
    let door = Door::open(keys.url()).await;
    assert_eq!(door.push(&KEY.token(&claims())).await, 204);
    keys.reply(Reply::Status(StatusCode::SERVICE_UNAVAILABLE));
    // This key may be a new one of Google's.
    assert_eq!(door.push(&OTHER.token(&claims())).await, 503);
    assert_eq!(door.push(&KEY.token(&claims())).await, 204);
}
