use std::io::Write as _;

use super::rendering::on_core;
use super::*;
use crate::budget::Capacity;
use crate::names::{BucketName, Prefix};
use crate::outcome::Severity;
use crate::render::{Plan, Refusal, usual_memory_bytes};
use crate::rendition::Renditions;
use crate::store::Directory;
use crate::work::{NameFilter, SourceTypes};

#[tokio::test]
async fn a_panic_is_a_failure_to_be_retried_and_gives_its_core_back() {
    let budget = Budget::new(Capacity::Configured(1 << 20), 1);
    let core = budget.core().await.unwrap();
    let failure = on_core(core, || -> () { panic!("a bug") })
        .await
        .unwrap_err();
    assert!(matches!(failure, Failure::Panicked));
    assert_eq!(
        (failure.retry(), failure.severity()),
        (Retry::Later, Severity::Error)
    );
    assert!(budget.core().await.is_ok());
}

/// A pipeline over a folder with the buckets `photos` and `thumbs`, and `picture` as `n.png`.
fn pipeline(
    folder: &tempfile::TempDir,
    budget: u64,
    event_timeout: Duration,
    picture: &[u8],
) -> Pipeline {
    let [photos, thumbs] = ["photos", "thumbs"].map(|name| BucketName::parse(name).unwrap());
    let store = Directory::new(folder.path(), &[&photos, &thumbs]).unwrap();
    std::fs::write(folder.path().join("photos/n.png"), picture).unwrap();
    Pipeline {
        store: Store::Directory(store),
        scope: Scope {
            target_bucket: thumbs,
            renditions: Renditions::of_prefix(&Prefix::parse("thumbnails/").unwrap()),
            source_buckets: [photos].into(),
            types: SourceTypes::default(),
            names: NameFilter::default(),
            propagate_deletes: false,
        },
        budget: Budget::new(Capacity::Configured(budget), 1),
        limits: Limits::default(),
        max_source_bytes: 1 << 20,
        cache_control: None,
        copy_metadata: false,
        event_timeout,
    }
}

async fn handle(pipeline: &Pipeline) -> Result<Outcome, Failure> {
    let body = br#"{"bucket":"photos","name":"n.png"}"#;
    let event = Event::parse(|_| None, body).unwrap();
    let mut report = Report::default();
    pipeline.handle(&event, Instant::now(), &mut report).await
}

#[tokio::test]
async fn what_waits_for_memory_until_its_time_is_up_is_overload() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = pipeline(&folder, 32 << 20, Duration::from_millis(100), b"picture");
    let others = pipeline.budget.reserve(32 << 20).await.unwrap();
    assert!(matches!(handle(&pipeline).await, Err(Failure::Overloaded)));
    drop(others);
    assert!(matches!(
        handle(&pipeline).await,
        Err(Failure::Refused(Refusal::NotAnImage))
    ));
}

#[tokio::test]
async fn a_picture_that_takes_more_than_usual_waits_for_it_with_nothing_in_hand() {
    let wide =
        image::RgbaImage::from_fn(60_000, 1, |x, _| image::Rgba([x.to_le_bytes()[0], 0, 0, 9]));
    let mut png = std::io::Cursor::new(Vec::new());
    wide.write_to(&mut png, image::ImageFormat::Png).unwrap();
    let png = png.into_inner();
    let takes = Plan::new(&png, &Limits::default(), &[Target::default()])
        .unwrap()
        .memory_bytes();
    let usually = usual_memory_bytes(&[Target::default()]);
    assert!(takes > usually, "{takes}");
    let budget = takes + 4 * OVERHEAD_BYTES;
    let folder = tempfile::tempdir().unwrap();
    let pipeline = pipeline(&folder, budget, Duration::from_mins(1), &png);
    let usual = png.len() as u64 + OVERHEAD_BYTES + usually;
    let free = 1 << 20;
    let others = pipeline.budget.reserve(budget - usual - free);
    let others = others.await.unwrap();
    let in_line = async {
        // While somebody is first in line, nobody else gets a byte, however many are free.
        while tokio::time::timeout(Duration::ZERO, pipeline.budget.reserve(1))
            .await
            .is_ok()
        {
            tokio::task::yield_now().await;
        }
    };
    let mut handling = Box::pin(handle(&pipeline));
    tokio::select! {
        ended = &mut handling => panic!("{ended:?} without waiting"),
        () = in_line => {}
    }
    drop(others);
    assert!(matches!(handling.await, Ok(Outcome::Created)));
}

#[tokio::test]
async fn gzip_that_finds_no_room_waits_for_the_most_that_it_may_unpack_to() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&vec![0; 2 << 20]).unwrap();
    let bytes = gzip.finish().unwrap();
    let packed = bytes.len() as u64;
    let budget = Budget::new(Capacity::Configured(16 << 20), 1);
    let reservation = budget.reserve(packed + OVERHEAD_BYTES).await.unwrap();
    let rest = budget.bytes() - reservation.bytes();
    let _others = budget.reserve(rest).await.unwrap();
    let rendering = Rendering {
        bytes,
        gzipped: true,
        reservation,
        limits: Limits::default(),
        max_bytes: 4 << 20,
        targets: vec![Target::default()],
    };
    let most = packed + OVERHEAD_BYTES + (4 << 20);
    let core = budget.core().await.unwrap();
    let ended = rendering.run(core).await.unwrap();
    assert!(matches!(ended.rendered, Err(Stop::NeedsMemory(bytes)) if bytes == most));
}
