//! The command line of `reconcile`.

use std::io::{IsTerminal as _, stdout};
use std::num::NonZeroU32;

use clap::Args;

use super::{Faults, ServeArguments, ServeConfig, whole};
use crate::log::Format;
use crate::names::{BucketName, TopicName};

/// The options of `reconcile`, as text; [`ReconcileConfig::check`] gives them meaning.
#[derive(Debug, Args)]
pub struct ReconcileArguments {
    /// Bucket whose pictures are compared with their thumbnails.
    #[arg(value_name = "SOURCE_BUCKET")]
    bucket: String,
    /// Topic to announce missing and stale pictures to, for the deployed service to do the work
    /// (projects/PROJECT/topics/TOPIC); without one, the work is done here.
    #[arg(long, value_name = "TOPIC")]
    topic: Option<String>,
    /// Tell what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
    /// Compare only pictures whose names start so.
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    prefix: String,
    /// Compare only names after this one, in byte order: where an earlier run says to resume.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true
    )]
    start_after: String,
    /// Stop after so many missing or stale pictures.
    #[arg(long, value_name = "NUMBER")]
    limit: Option<String>,
    /// Begin at most so many pictures a second.
    #[arg(long, value_name = "NUMBER")]
    per_second: Option<String>,
    /// Make current outputs again too, as after an update of the renderer.
    #[arg(long, conflicts_with = "topic")]
    force: bool,
    /// Delete outputs whose source is gone.
    #[arg(long)]
    prune: bool,
    /// Address of a Pub/Sub emulator, called without credentials.
    #[arg(long, env = "PUBSUB_EMULATOR_HOST")]
    pubsub_emulator_host: Option<String>,
    /// The service's options, of which those of its port and of deletions have no effect here.
    #[command(flatten, next_help_heading = "Options shared with serve")]
    service: ServeArguments,
}

/// A checked configuration of `reconcile`.
#[derive(Debug, Clone)]
pub struct ReconcileConfig {
    /// The service's configuration.
    pub service: ServeConfig,
    /// The bucket whose pictures are compared.
    pub bucket: BucketName,
    /// The topic that pictures are announced to; `None` where the work is done here.
    pub topic: Option<TopicName>,
    /// A Pub/Sub emulator's address.
    pub pubsub_emulator: Option<String>,
    /// Whether findings are only reported.
    pub dry_run: bool,
    /// The prefix of the names that are compared.
    pub prefix: String,
    /// The name that the run starts after; empty for none.
    pub start_after: String,
    /// The most pictures that are announced or made.
    pub limit: Option<u64>,
    /// The most of them per second.
    pub per_second: Option<NonZeroU32>,
    /// Whether current outputs are made again.
    pub force: bool,
    /// Whether orphans are deleted.
    pub prune: bool,
}

impl ReconcileConfig {
    /// Validates the arguments.
    ///
    /// # Errors
    /// Every fault, each in plain words and with the name of its option or variable.
    pub fn check(arguments: ReconcileArguments) -> Result<Self, Vec<String>> {
        let mut faults = Faults::default();
        let chosen_format = arguments.service.log_format.is_some();
        let service = ServeConfig::check(arguments.service)
            .map_err(|more| faults.0.extend(more))
            .ok();
        let bucket = faults.note("SOURCE_BUCKET", BucketName::parse(arguments.bucket));
        let topic = arguments.topic.map(TopicName::parse).transpose();
        let topic = faults.note("--topic", topic);
        let limit = arguments.limit.as_deref().map(whole).transpose();
        let limit = faults.note("--limit", limit);
        let per_second = arguments
            .per_second
            .map(|text| text.parse().map_err(|_| "is not a whole number above 0"));
        let per_second = faults.note("--per-second", per_second.transpose());
        if let (Some(service), Some(bucket)) = (&service, &bucket) {
            let allowed = &service.scope.source_buckets;
            if !allowed.is_empty() && !allowed.contains(bucket) {
                faults.note::<()>("SOURCE_BUCKET", Err("is not among SOURCE_BUCKETS"));
            }
        }
        let config = || {
            let mut service = service?;
            if !chosen_format && !stdout().is_terminal() {
                service.log_format = Format::Json;
            }
            Some(Self {
                service,
                bucket: bucket?,
                topic: topic?,
                pubsub_emulator: arguments
                    .pubsub_emulator_host
                    .filter(|host| !host.is_empty()),
                dry_run: arguments.dry_run,
                prefix: arguments.prefix,
                start_after: arguments.start_after,
                limit: limit?,
                per_second: per_second?,
                force: arguments.force,
                prune: arguments.prune,
            })
        };
        config().filter(|_| faults.0.is_empty()).ok_or(faults.0)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::config::{Command, CommandLine};

    fn check(arguments: &[&str]) -> Result<ReconcileConfig, Vec<String>> {
        let words = [
            &["gcs-thumbnailer", "reconcile", "--target-bucket=thumbs"],
            arguments,
        ]
        .concat();
        match CommandLine::parse_from(words).command {
            Some(Command::Reconcile(arguments)) => ReconcileConfig::check(*arguments),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_bucket_is_enough() {
        let config = check(&["photos"]).unwrap();
        assert_eq!(config.bucket.as_str(), "photos");
        assert_eq!(config.topic, None);
        assert_eq!(
            (config.prefix.as_str(), config.start_after.as_str()),
            ("", "")
        );
        assert_eq!((config.limit, config.per_second), (None, None));
        assert!(!config.dry_run && !config.prune);
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let faults = check(&[
            "x/y",
            "--topic=new-pictures",
            "--limit=0",
            "--per-second=0.5",
        ])
        .unwrap_err();
        let named: Vec<_> = faults
            .iter()
            .filter_map(|fault| fault.split(':').next())
            .collect();
        assert_eq!(
            named,
            ["SOURCE_BUCKET", "--topic", "--limit", "--per-second"]
        );
    }

    #[test]
    fn a_bucket_that_the_service_would_not_serve_is_refused() {
        let faults = check(&["photos", "--source-buckets=others"]).unwrap_err();
        assert_eq!(faults, ["SOURCE_BUCKET: is not among SOURCE_BUCKETS"]);
    }
}
