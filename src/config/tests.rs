use clap::{CommandFactory as _, Parser as _};

use super::{CommandLine, DEFAULT_EVENT_TIMEOUT, ServeConfig, Storage};
use crate::names::BucketName;
use crate::store::GcsOptions;

fn check(arguments: &[&str]) -> Result<ServeConfig, Vec<String>> {
    let line = CommandLine::parse_from([&["gcs-thumbnailer"], arguments].concat());
    ServeConfig::check(line.serve)
}

#[test]
fn the_definition_is_sound() {
    CommandLine::command().debug_assert();
}

#[test]
fn the_defaults_are_the_documented_ones() {
    let config = check(&["--target-bucket", "thumbs"]).unwrap();
    assert_eq!(config.port, 8080);
    let renditions: Vec<_> = config
        .scope
        .renditions
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        renditions,
        ["thumbnails/{name}?size=128x128&fit=inside&format=png"]
    );
    assert_eq!(config.max_source_bytes, 100 << 20);
    assert_eq!(config.limits.max_pixels, 250_000_000);
    assert_eq!(config.event_timeout, DEFAULT_EVENT_TIMEOUT);
    assert_eq!(config.storage, Storage::Gcs(GcsOptions::default()));
    assert!(config.scope.source_buckets.is_empty());
    assert!(!config.scope.propagate_deletes);
}

#[test]
fn source_buckets_are_separated_by_commas() {
    let config = check(&["--target-bucket", "thumbs", "--source-buckets", "a, b,,c"]).unwrap();
    let expected = ["a", "b", "c"].map(|name| BucketName::parse(name).unwrap());
    assert_eq!(config.scope.source_buckets, expected.into());
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let config = check(&["--target-bucket=thumbs", "--storage-dir=", "--log-format="]).unwrap();
    assert_eq!(config.storage, Storage::Gcs(GcsOptions::default()));
}

#[test]
fn a_prefix_that_a_folder_can_t_hold_is_refused_at_start() {
    let faults = check(&[
        "--target-bucket=thumbs",
        "--storage-dir=store",
        "--thumbnail-prefix=/t/",
    ])
    .unwrap_err();
    assert!(
        faults.iter().all(|fault| fault.starts_with("RENDITIONS: ")),
        "{faults:?}"
    );
    assert!(check(&["--target-bucket=thumbs", "--thumbnail-prefix=/t/"]).is_ok());
}

#[test]
fn every_fault_is_told_at_once_by_its_variable() {
    let faults = check(&[
        "--port=99999",
        "--source-buckets=ok,x/y",
        "--source-types=.jpg",
        "--copy-metadata=perhaps",
        "--rendition=a/{name}?size=0x0",
        "--max-source-bytes=1MB",
        "--max-source-pixels=0",
        "--event-timeout=0",
        "--log-format=xml",
        "--memory-budget=none",
        "--cache-control=a\nb",
        "--propagate-deletes=maybe",
        "--push-audience=https://thumbnails.example/",
    ])
    .unwrap_err();
    let variables = [
        "TARGET_BUCKET",
        "SOURCE_BUCKETS",
        "SOURCE_TYPES",
        "RENDITIONS",
        "PROPAGATE_DELETES",
        "MAX_SOURCE_BYTES",
        "MAX_SOURCE_PIXELS",
        "MEMORY_BUDGET",
        "EVENT_TIMEOUT",
        "PORT",
        "LOG_FORMAT",
        "COPY_METADATA",
        "CACHE_CONTROL",
        "PUSH_SERVICE_ACCOUNT",
    ];
    let named: Vec<_> = faults
        .iter()
        .filter_map(|fault| fault.split(':').next())
        .collect();
    assert_eq!(named, variables);
}
