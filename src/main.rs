//! Wires the parts together, and exits: 0 for success, 1 for failure, 2 for a bad configuration.

use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Parser as _;
use futures_util::future::BoxFuture;
use gcs_thumbnailer::budget::Budget;
use gcs_thumbnailer::config::{
    Command, CommandLine, DEFAULT_EVENT_TIMEOUT, ReconcileConfig, ServeArguments, ServeConfig,
    Storage, ThumbConfig,
};
use gcs_thumbnailer::pipeline::Pipeline;
use gcs_thumbnailer::push_token::Verifier;
use gcs_thumbnailer::reconcile::{Executor, Reconcile};
use gcs_thumbnailer::store::{Directory, Gcs, Store};
use gcs_thumbnailer::topic::Topic;
use gcs_thumbnailer::{firebase, log, server, thumb};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> anyhow::Result<ExitCode> {
    let line = CommandLine::parse();
    match line.command {
        Some(Command::Thumb(arguments)) => match ThumbConfig::check(arguments) {
            Ok(config) => Ok(thumb::run(&config)),
            Err(faults) => Ok(misconfigured(&faults)),
        },
        Some(Command::Reconcile(arguments)) => match ReconcileConfig::check(*arguments) {
            Ok(config) => reconcile(config),
            Err(faults) => Ok(misconfigured(&faults)),
        },
        Some(Command::Firebase(arguments)) => {
            match firebase::run(&arguments.file, arguments.format) {
                Ok(()) => Ok(ExitCode::SUCCESS),
                Err(faults) => Ok(misconfigured(&faults)),
            }
        }
        Some(Command::Serve(arguments)) => configure(*arguments),
        None => configure(line.serve),
    }
}

fn configure(arguments: ServeArguments) -> anyhow::Result<ExitCode> {
    match ServeConfig::check(arguments) {
        Ok(config) => {
            let runtime = tokio::runtime::Runtime::new()?;
            let served = runtime.block_on(serve(config));
            // Renders still running belong to answered events; waiting would outlast Cloud Run's ten seconds.
            runtime.shutdown_background();
            served.map(|()| ExitCode::SUCCESS)
        }
        Err(faults) => Ok(misconfigured(&faults)),
    }
}

fn misconfigured(faults: &[String]) -> ExitCode {
    for fault in faults {
        eprintln!("{fault}");
    }
    ExitCode::from(2)
}

async fn serve(config: ServeConfig) -> anyhow::Result<()> {
    log::init(config.log_format);
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, config.port))
        .await
        .with_context(|| format!("can't listen on port {}", config.port))?;
    let address = listener.local_addr()?.to_string();
    // Signals are caught before the first answer, so that none is missed.
    let shutdown = shutdown_signal()?;
    let pipeline = Arc::new(pipeline(&config)?);
    let callers = config.push_token.map(Verifier::new).transpose();
    let callers = callers.context("can't fetch keys over TLS")?;
    tracing::info!(
        message = format!("listening on {address}"),
        address,
        memory_budget = config.memory_budget.bytes()
    );
    if config.event_timeout > DEFAULT_EVENT_TIMEOUT {
        tracing::warn!(
            "EVENT_TIMEOUT is over its default: keep the request timeout and the ack deadline above it"
        );
    }
    let warm = Arc::clone(&pipeline);
    tokio::spawn(async move { warm.store.warm_up().await });
    server::serve(listener, pipeline, callers, config.project, shutdown).await;
    tracing::info!("stopped");
    Ok(())
}

#[tokio::main]
async fn reconcile(config: ReconcileConfig) -> anyhow::Result<ExitCode> {
    log::init(config.service.log_format);
    let shutdown = shutdown_signal()?;
    let executor = match &config.topic {
        _ if config.dry_run => None,
        Some(name) => Some(Executor::Announce(
            Topic::open(name, config.pubsub_emulator.as_deref())
                .await
                .with_context(|| format!("can't open the topic {name}"))?,
        )),
        None => Some(Executor::Make),
    };
    let reconcile = Reconcile {
        pipeline: Arc::new(pipeline(&config.service)?),
        bucket: config.bucket,
        executor,
        prefix: config.prefix,
        start_after: config.start_after,
        limit: config.limit,
        per_second: config.per_second,
        force: config.force,
        prune: config.prune,
    };
    let summary = reconcile.run(shutdown).await;
    Ok(if summary.is_success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Catches SIGTERM and SIGINT from now on, and resolves when one comes.
fn shutdown_signal() -> anyhow::Result<BoxFuture<'static, ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(Box::pin(async move {
        tokio::select! {
            _ = terminate.recv() => (),
            _ = interrupt.recv() => (),
        }
    }))
}

fn pipeline(config: &ServeConfig) -> anyhow::Result<Pipeline> {
    let store = match &config.storage {
        Storage::Gcs(options) => Store::Gcs(Gcs::new(options.clone())),
        Storage::Directory(folder) => {
            let directory = Directory::new(folder, &[&config.scope.target_bucket])
                .with_context(|| format!("can't use the folder {}", folder.display()))?;
            Store::Directory(directory)
        }
    };
    Ok(Pipeline {
        store,
        scope: config.scope.clone(),
        budget: Budget::new(
            config.memory_budget,
            std::thread::available_parallelism()?.get(),
        ),
        limits: config.limits,
        max_source_bytes: config.max_source_bytes,
        cache_control: config.cache_control.clone(),
        copy_metadata: config.copy_metadata,
        event_timeout: config.event_timeout,
    })
}
