//! `zspark-server`: reads flags, environment and file, and runs one node.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::{Parser, Subcommand};
use server::clock::Clock;
use server::config::{Config, Mode};
use server::node::{self, Node};
use server::store::Store;
use server::store::audit::Chain;

/// The shared workspace of zspark.
#[derive(Debug, Parser)]
#[command(name = "zspark-server", version)]
struct Flags {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to listen.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Where the embedded database and the artifacts are.
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// Development mode: no sign-in, loopback only.
    #[arg(long)]
    dev: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The audit log.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Copies the embedded database into a new file, while the server runs.
    Backup {
        /// A file that is not there yet.
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Walks along the chain and says whether each line is as it was written.
    Verify,
}

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers())
        .enable_all()
        .build()?;
    runtime.block_on(run())
}

/// Half of the processors. The embedded database has threads of its own, and what goes through here is many small things:
/// more workers than needed spend their time on waking each other.
fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, |it| it.get().div_ceil(2))
}

async fn run() -> Result<()> {
    let flags = Flags::parse();
    let filter = variable("ZSPARK_LOG").unwrap_or_else(|| "info".to_owned());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let mut config = Config::load(flags.config.as_deref(), &variable)?;
    config.storage_options = object_store_variables();
    if let Some(listen) = flags.listen {
        config.listen = listen;
    }
    if let Some(folder) = flags.data_dir {
        config.data_dir = folder;
    }
    if flags.dev {
        config.mode = Mode::Development;
    }
    match flags.command {
        Some(Command::Audit(AuditCommand::Verify)) => return verify_audit(&config).await,
        Some(Command::Backup { file }) => return backup(&config, &file).await,
        None => {}
    }
    let node = Node::start(config, Clock::system()).await?;
    println!("listening on http://{}", node.address());
    told_to_stop().await?;
    tracing::info!("stopping");
    node.stop().await;
    Ok(())
}

async fn verify_audit(config: &Config) -> Result<()> {
    let store = Store::open(&node::database_url(config)?).await?;
    let chain = store.verify_audit().await?;
    store.close().await;
    match chain {
        Chain::Whole { lines, head, hash } => {
            println!("{lines} lines are as they were written; the newest is {head}, its hash {hash}");
            Ok(())
        }
        Chain::Broken { at } => bail!("the chain is broken at line {at}"),
    }
}

async fn backup(config: &Config, file: &Path) -> Result<()> {
    let store = Store::open(&node::database_url(config)?).await?;
    let copied = store.copy_to(file).await;
    store.close().await;
    copied.with_context(|| format!("cannot copy the database to {}", file.display()))?;
    println!("copied to {}; copy the artifacts too", file.display());
    Ok(())
}

/// Ctrl-C, or what systemd and containers send.
async fn told_to_stop() -> Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            it = tokio::signal::ctrl_c() => it?,
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the composition root reads the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// What object stores are told by their own variables, such as `AWS_ACCESS_KEY_ID`.
#[expect(clippy::disallowed_methods, reason = "the composition root reads the environment")]
fn object_store_variables() -> Vec<(String, String)> {
    std::env::vars()
        .filter(|(name, _)| ["AWS_", "AZURE_"].iter().any(|it| name.starts_with(it)))
        .map(|(name, value)| (name.to_lowercase(), value))
        .collect()
}
