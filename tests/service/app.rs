//! The service under test: the built binary as a child process on a free port.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::http::{Answer, Client, PATIENCE};

const PROGRAM: &str = env!("CARGO_BIN_EXE_gcs-thumbnailer");

/// A running service; dropping it kills the process, also when the test panics.
pub struct App {
    child: Mutex<Child>,
    address: String,
    client: Client,
    log: Arc<Log>,
}

/// What the service wrote to its standard output.
struct Log {
    lines: Mutex<Vec<Value>>,
    /// The number of lines so far; its sender is dropped when the output is closed.
    count: watch::Receiver<usize>,
}

impl App {
    /// Starts the service with nothing in its environment but these variables, and returns once
    /// `/health` answers 200. Where `TEST_SERVICE_RUNNER` names a program, that one starts it.
    pub async fn start(environment: &[(&str, &str)]) -> Self {
        let command = match std::env::var_os("TEST_SERVICE_RUNNER") {
            Some(runner) => {
                let mut command = Command::new(runner);
                command.arg(PROGRAM);
                command
            }
            None => Command::new(PROGRAM),
        };
        Self::start_as(command, environment).await
    }

    /// As [`Self::start`], with a limit of open files.
    pub async fn start_with_files(files: u32, environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new("/bin/sh");
        let limited = "ulimit -n \"$0\" && exec \"$1\"";
        command.args(["-c", limited, &files.to_string(), PROGRAM]);
        Self::start_as(command, environment).await
    }

    async fn start_as(mut command: Command, environment: &[(&str, &str)]) -> Self {
        let mut child = command
            .env_clear()
            .env("PORT", "0")
            .env("LOG_FORMAT", "json")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("cargo built the service");
        let output = child.stdout.take().expect("standard output is a pipe");
        let mut app = Self {
            child: Mutex::new(child),
            address: String::new(),
            client: Client::new(),
            log: Log::of(output),
        };
        let listening = app.wait_for_line(|line| line["address"].is_string()).await;
        let address = listening["address"]
            .as_str()
            .expect("the line that was waited for");
        app.address = address.replace("0.0.0.0", "127.0.0.1");
        let health = app.health().await;
        assert_eq!(health.status, 200, "/health: {}", health.text());
        app
    }

    /// `http://127.0.0.1:PORT/`, where a push subscription posts to.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// `127.0.0.1:PORT`, for a test that writes HTTP by hand.
    pub fn address(&self) -> &str {
        &self.address
    }

    pub async fn health(&self) -> Answer {
        let answer = self
            .client
            .send("GET", &format!("{}health", self.url()), &[], "")
            .await;
        answer.unwrap_or_else(|error| panic!("/health: {error}"))
    }

    /// Posts a body to the service; an error describes the broken connection.
    pub async fn try_post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Answer, String> {
        let url = format!("http://{}{path}", self.address);
        self.client.send("POST", &url, headers, body).await
    }

    /// Posts a body to a service that must answer.
    pub async fn post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> (u16, String) {
        let answer = self.try_post(path, headers, body).await;
        let answer = answer.unwrap_or_else(|error| panic!("POST {path}: {error}"));
        (answer.status, answer.text())
    }

    /// Delivers the notification of an object as Pub/Sub does: 204 acknowledges it.
    pub async fn push(&self, bucket: &str, name: &str, generation: i64) -> u16 {
        let answer = self.try_push(bucket, name, generation).await;
        answer.unwrap_or_else(|error| panic!("push of {bucket}/{name}: {error}"))
    }

    /// Delivers a notification without a payload, which has an object's name and generation alone.
    pub async fn push_bare(&self, bucket: &str, name: &str, generation: i64) -> u16 {
        let mut body = envelope(bucket, name, generation);
        body["message"]["data"] = "".into();
        let json = [("content-type", "application/json")];
        self.post("/", &json, body.to_string()).await.0
    }

    /// Delivers the notification of an object to a service that may die meanwhile.
    pub async fn try_push(&self, bucket: &str, name: &str, generation: i64) -> Result<u16, String> {
        let json = [("content-type", "application/json")];
        let body = envelope(bucket, name, generation).to_string();
        Ok(self.try_post("/", &json, body).await?.status)
    }

    /// The log so far, one JSON value a line.
    pub fn log_lines(&self) -> Vec<Value> {
        self.log.lines().clone()
    }

    /// The ids of the messages that it answered with 204, from its own log.
    pub fn acknowledged(&self) -> BTreeSet<u64> {
        let lines = self.log_lines();
        let lines = lines.iter().filter(|line| line["outcome"] != "failed");
        lines
            .filter_map(|line| line["message_id"].as_str()?.parse().ok())
            .collect()
    }

    /// Waits for the first line of the log that `wanted` accepts; it is called once for each line.
    pub async fn wait_for_line(&self, mut wanted: impl FnMut(&Value) -> bool) -> Value {
        let mut count = self.log.count.clone();
        let mut seen = 0;
        let mut find = || {
            let lines = self.log.lines();
            let found = lines.iter().skip(seen).find(|line| wanted(line)).cloned();
            seen = lines.len();
            found
        };
        let search = async {
            loop {
                let ended = count.has_changed().is_err();
                count.mark_unchanged();
                match find() {
                    Some(line) => return line,
                    None if ended => panic!("the service ended without the line waited for"),
                    None => {}
                }
                // An error means the end of the log; its last lines are checked once more.
                let _ = count.changed().await;
            }
        };
        let found = tokio::time::timeout(PATIENCE, search).await;
        found.unwrap_or_else(|_| panic!("no such line in the log: {:#?}", self.log_lines()))
    }

    /// Sends SIGTERM, as Cloud Run does.
    pub fn sigterm(&self) {
        self.signal("TERM");
    }

    /// Sends the service a signal, named without SIG.
    pub fn signal(&self, name: &str) {
        let id = self.child().id().to_string();
        let sent = Command::new("sh")
            .args(["-c", "kill -s \"$0\" \"$1\"", name, &id])
            .status();
        assert!(
            sent.is_ok_and(|status| status.success()),
            "the service has ended before SIG{name}"
        );
    }

    /// Sets how many open files the service may have from now on.
    pub fn limit_files(&self, files: u64) {
        let id = i32::try_from(self.child().id()).ok();
        let id = id.and_then(Pid::from_raw).expect("a process's id");
        let limit = Rlimit {
            current: Some(files),
            maximum: getrlimit(Resource::Nofile).maximum,
        };
        prlimit(Some(id), Resource::Nofile, limit).expect("a limit under the maximum");
    }

    /// Kills the service at once, as `kill -9` does, and waits until it is gone.
    pub fn kill(&self) {
        let mut child = self.child();
        child
            .kill()
            .expect("a child that was not waited for can be killed");
        child.wait().expect("a child can be waited for");
    }

    /// Waits for the end of the service.
    pub async fn wait(&self) -> ExitStatus {
        // The output is closed when the process ends; after that, waiting for the process takes no time.
        let mut count = self.log.count.clone();
        let ended = async { while count.changed().await.is_ok() {} };
        tokio::time::timeout(PATIENCE, ended)
            .await
            .expect("the service ends when it is told to");
        self.child().wait().expect("a child can be waited for")
    }

    /// The process's peak memory so far, in bytes (Linux's `VmHWM`).
    pub fn peak_memory(&self) -> u64 {
        let status = format!("/proc/{}/status", self.child().id());
        let status = std::fs::read_to_string(status).expect("Linux tells a process's memory");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak
            .expect("a running process has memory")
            .trim()
            .trim_end_matches(" kB");
        1024 * peak.parse::<u64>().expect("it is a number")
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child
            .lock()
            .expect("no test panics while it holds the child")
    }
}

impl Drop for App {
    fn drop(&mut self) {
        // Both fail only for a process that has ended already.
        let mut child = self.child();
        let _ = child.kill();
        let _ = child.wait();
    }
}

impl Log {
    fn of(output: ChildStdout) -> Arc<Self> {
        let (counted, count) = watch::channel(0);
        let log = Arc::new(Self {
            lines: Mutex::default(),
            count,
        });
        let kept = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let value = serde_json::from_str(&line);
                let value = value.unwrap_or_else(|_| json!({ "not_json": line }));
                let mut lines = kept.lines();
                lines.push(value);
                counted.send_replace(lines.len());
            }
        });
        log
    }

    fn lines(&self) -> MutexGuard<'_, Vec<Value>> {
        self.lines
            .lock()
            .expect("no thread panics while it holds the log")
    }
}

/// The push of a finalize notification, with the object's resource as its payload.
pub fn envelope(bucket: &str, name: &str, generation: i64) -> Value {
    let generation = generation.to_string();
    let resource = json!({
        "kind": "storage#object",
        "bucket": bucket,
        "name": name,
        "generation": generation,
        "timeCreated": "2026-01-02T03:04:05.678Z",
    });
    json!({
        "subscription": "projects/test-project/subscriptions/thumbnails",
        "message": {
            "messageId": "2070443601311540",
            "message_id": "2070443601311540",
            "publishTime": "2026-01-02T03:04:05.678Z",
            "publish_time": "2026-01-02T03:04:05.678Z",
            "data": STANDARD.encode(resource.to_string()),
            "attributes": {
                "eventType": "OBJECT_FINALIZE",
                "payloadFormat": "JSON_API_V1",
                "bucketId": bucket,
                "objectId": name,
                "objectGeneration": generation,
            },
        },
    })
}
