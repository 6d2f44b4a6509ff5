//! `zspark-server`: reads flags, environment and file, and runs one node.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Result, bail};
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
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Walks along the chain and says whether each line is as it was written.
    Verify,
}

#[tokio::main]
async fn main() -> Result<()> {
    let flags = Flags::parse();
    let filter = variable("ZSPARK_LOG").unwrap_or_else(|| "info".to_owned());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let mut config = Config::load(flags.config.as_deref(), &variable)?;
    if let Some(listen) = flags.listen {
        config.listen = listen;
    }
    if let Some(folder) = flags.data_dir {
        config.data_dir = folder;
    }
    if flags.dev {
        config.mode = Mode::Development;
    }
    if let Some(Command::Audit(AuditCommand::Verify)) = flags.command {
        return verify_audit(&config).await;
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
