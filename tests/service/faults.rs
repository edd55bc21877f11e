//! The fault matrix: every fault is injected into every storage call of an event.

use std::sync::{Arc, Mutex};

use image::ImageFormat;
use tokio::task::JoinSet;

use crate::app::App;
use crate::fake_gcs::FakeGcs;
use crate::pictures::{assert_plain, colour, plain};
use crate::proxy::{Call, Fault, Proxy};
use crate::three;

/// The faults other than statuses.
const FAULTS: [Fault; 10] = [
    Fault::ResetBefore,
    Fault::ResetInBody,
    Fault::StallAtHeaders,
    Fault::StallInBody,
    Fault::CutBody,
    Fault::FlipByte,
    Fault::SlowerThanDeadline,
    Fault::Redirect,
    Fault::Garbage,
    Fault::AfterCommit,
];
const STATUSES: [u16; 11] = [400, 401, 403, 404, 408, 412, 416, 429, 500, 502, 503];
/// In-process retries may hide a single fault; only a redelivery survives a lasting one.
const TIMES: [usize; 2] = [1, usize::MAX];
/// Each worker has a service and a proxy of its own; most of a stalled cell is waiting.
const WORKERS: usize = 6;

/// The expected answer to a fault that lasts.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Expected {
    /// 204 without a thumbnail, as the source seems gone.
    Gone,
    /// 503 with a warning, as the fault is transient.
    Transient,
    /// 503 with an error, as the fault must be fixed.
    OursToFix,
}

#[derive(Debug, Clone, Copy)]
struct Cell {
    call: Call,
    fault: Fault,
    times: usize,
    number: usize,
}

fn expected(call: Call, fault: Fault) -> Expected {
    let looks = matches!(call, Call::LookAtThumbnail | Call::LookAtSource);
    match fault {
        Fault::Status(404) => match call {
            Call::Open | Call::LookAtSource => Expected::Gone,
            // The target bucket seems missing; or the write finds a thumbnail that the look doesn't, again and again.
            Call::Write | Call::LookAtThumbnail => Expected::OursToFix,
        },
        Fault::Status(408 | 429 | 500..) => Expected::Transient,
        Fault::Status(_)
        | Fault::Refusal(..)
        | Fault::Words(..)
        | Fault::CustomerKey
        | Fault::Redirect
        | Fault::Garbage => Expected::OursToFix,
        // The flipped bit makes the answer invalid JSON.
        Fault::FlipByte if call == Call::Write || looks => Expected::OursToFix,
        Fault::ResetBefore
        | Fault::ResetInBody
        | Fault::StallAtHeaders
        | Fault::StallInBody
        | Fault::CutBody
        | Fault::FlipByte
        | Fault::SlowerThanDeadline
        | Fault::AfterCommit
        | Fault::Hashes(_)
        | Fault::ContentEncoding(_)
        | Fault::HeldUntilCleared => Expected::Transient,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_call_survives_each_fault_as_the_table_of_answers_says() {
    let gcs = Arc::new(FakeGcs::start().await);
    gcs.create_bucket("photos").await;
    gcs.create_bucket("thumbs").await;
    let cells = cells();
    let count = cells.len();
    println!("fault matrix: {count} cells");
    assert_eq!(count, 2 * (4 * (STATUSES.len() + FAULTS.len()) - 3));
    let queue = Arc::new(Mutex::new(cells));
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        workers.spawn(work(Arc::clone(&gcs), Arc::clone(&queue)));
    }
    let mut wrong = Vec::new();
    while let Some(worker) = workers.join_next().await {
        wrong.extend(worker.expect("no worker fails"));
    }
    assert!(
        wrong.is_empty(),
        "{} of {count} cells:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert_eq!(
        gcs.list("thumbs").await.len(),
        3 * count,
        "each cell made its outputs"
    );
}

fn cells() -> Vec<Cell> {
    let statuses = STATUSES.into_iter().map(Fault::Status);
    let mut cells = Vec::new();
    for fault in statuses.chain(FAULTS) {
        for call in Call::ALL {
            // A read commits nothing: losing its answer is like a reset before it.
            if fault == Fault::AfterCommit && call != Call::Write {
                continue;
            }
            for times in TIMES {
                let number = cells.len();
                cells.push(Cell {
                    call,
                    fault,
                    times,
                    number,
                });
            }
        }
    }
    cells
}

/// Takes cells from the queue until there is none, and returns the failures.
async fn work(gcs: Arc<FakeGcs>, queue: Arc<Mutex<Vec<Cell>>>) -> Vec<String> {
    let proxy = Proxy::start(gcs.endpoint()).await;
    let app = App::start(&[
        ("TARGET_BUCKET", "thumbs"),
        ("RENDITIONS", three::RENDITIONS),
        ("STORAGE_EMULATOR_HOST", proxy.endpoint()),
        ("EVENT_TIMEOUT", "2s"),
    ])
    .await;
    let mut wrong = Vec::new();
    loop {
        let Some(cell) = queue.lock().unwrap().pop() else {
            return wrong;
        };
        if let Err(error) = cell.run(&gcs, &proxy, &app).await {
            wrong.push(format!(
                "{:?} × {:?} × {}: {error}",
                cell.call, cell.fault, cell.times
            ));
        }
    }
}

impl Cell {
    async fn run(self, gcs: &FakeGcs, proxy: &Proxy, app: &App) -> Result<(), String> {
        let name = self.name();
        if matches!(self.call, Call::LookAtThumbnail | Call::LookAtSource) {
            // These calls are made only if another version's thumbnail exists.
            let older = self.put(gcs, 0).await;
            check(
                "the older version",
                app.push("photos", &name, older).await,
                204,
            )?;
        }
        let generation = self.put(gcs, 1).await;
        let hits = proxy.hits(self.call, self.fault);
        proxy.inject(self.call, self.fault, self.times);
        let status = app.push("photos", &name, generation).await;
        proxy.clear();
        if proxy.hits(self.call, self.fault) == hits {
            return Err(format!("the fault was not hit, and the answer {status}"));
        }
        self.judge(gcs, app, status, generation).await?;
        check(
            "the redelivery",
            app.push("photos", &name, generation).await,
            204,
        )?;
        if self.is_made(gcs, generation).await {
            return Ok(());
        }
        Err("the redelivery made no thumbnail".to_owned())
    }

    async fn judge(
        self,
        gcs: &FakeGcs,
        app: &App,
        status: u16,
        generation: i64,
    ) -> Result<(), String> {
        let expected = expected(self.call, self.fault);
        let made = self.is_made(gcs, generation).await;
        if self.times == 1 && status == 204 && made {
            return Ok(());
        }
        let (answer, severity) = match expected {
            Expected::Gone => (204, "INFO"),
            Expected::Transient => (503, "WARNING"),
            Expected::OursToFix => (503, "ERROR"),
        };
        check("the answer", status, answer)?;
        if status == 204 && made {
            return Err(format!("{expected:?}, but the thumbnail is made"));
        }
        let (name, generation) = (self.name(), generation.to_string());
        let line = app.wait_for_line(|line| {
            line["name"] == name && line["generation"].to_string().trim_matches('"') == generation
        });
        let line = line.await;
        if line["severity"] == severity {
            return Ok(());
        }
        Err(format!("{expected:?} is logged as {line}"))
    }

    async fn put(self, gcs: &FakeGcs, version: usize) -> i64 {
        let picture = plain(40, 30, self.colour(version), ImageFormat::Png);
        gcs.put("photos", &self.name(), &picture, "image/png", &[])
            .await
    }

    /// Whether the thumbnail is that of this generation; panics if it records it and shows another.
    async fn is_made(self, gcs: &FakeGcs, generation: i64) -> bool {
        let name = self.name();
        let thumbnail = gcs.thumbnail(&name).await;
        let thumbnail = thumbnail.filter(|stored| stored.source_generation() == Some(generation));
        let Some(thumbnail) = thumbnail else {
            return false;
        };
        assert_plain(&thumbnail.bytes, self.colour(1), &name);
        true
    }

    fn colour(self, version: usize) -> [u8; 3] {
        colour(2 * self.number + version)
    }

    fn name(self) -> String {
        format!("cell/{}.png", self.number)
    }
}

fn check(what: &str, status: u16, expected: u16) -> Result<(), String> {
    if status == expected {
        return Ok(());
    }
    Err(format!("{what} is {status} instead of {expected}"))
}
