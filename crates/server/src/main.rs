//! `zspark-server`: reads flags, environment and file, and runs one node.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;
use server::clock::Clock;
use server::config::{Config, Mode};
use server::node::Node;

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
}

#[tokio::main]
async fn main() -> Result<()> {
    let flags = Flags::parse();
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let mut config = Config::default();
    if let Some(listen) = flags.listen {
        config.listen = listen;
    }
    if let Some(folder) = flags.data_dir {
        config.data_dir = folder;
    }
    if flags.dev {
        config.mode = Mode::Development;
    }
    let node = Node::start(config, Clock::system()).await?;
    println!("listening on http://{}", node.address());
    tokio::signal::ctrl_c().await?;
    node.stop().await;
    Ok(())
}
