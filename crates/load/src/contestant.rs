//! The two servers that are compared, started alike, each on a folder of its own.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::process::Process;
use crate::program::Program;
use crate::workspace::Workspace;

/// What everything here is made with.
#[derive(Debug, Clone)]
pub(crate) struct Ground {
    /// The server's program, as it is shipped.
    pub(crate) server: PathBuf,
    /// The scripts, with what they need installed beside them.
    pub(crate) scripts: PathBuf,
}

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Zspark,
    Hocuspocus,
}

/// Both, in the order of their columns.
pub(crate) const BOTH: [Kind; 2] = [Kind::Zspark, Kind::Hocuspocus];

/// Where a script finds documents.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Place {
    kind: Kind,
    url: String,
}

/// What a node of zspark stands on, if not on what is embedded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Footing {
    pub(crate) database_url: Option<String>,
    pub(crate) redis_url: Option<String>,
}

/// One server.
#[derive(Debug)]
pub(crate) struct Contestant {
    ground: Ground,
    kind: Kind,
    program: Program,
    folder: TempDir,
    /// Where it is, with everything that one may ask of zspark.
    workspace: Option<Workspace>,
    place: Place,
}

impl Contestant {
    /// Starts it with nothing in it.
    pub(crate) async fn start(ground: &Ground, kind: Kind) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let (program, address) = launch(ground, kind, folder.path()).await?;
        let workspace = match kind {
            Kind::Zspark => Some(Workspace::make(&address).await?),
            Kind::Hocuspocus => None,
        };
        let place = place(kind, &address, workspace.as_ref());
        Ok(Self {
            ground: ground.clone(),
            kind,
            program,
            folder,
            workspace,
            place,
        })
    }

    /// Starts it again on what is in its folder, after it was stopped or killed.
    pub(crate) async fn again(self, stopped: bool) -> Result<Self> {
        if stopped {
            self.program.stop().await?;
        } else {
            self.program.kill().await?;
        }
        let (program, address) = launch(&self.ground, self.kind, self.folder.path()).await?;
        let workspace = self.workspace.map(|it| it.at(&address));
        let place = place(self.kind, &address, workspace.as_ref());
        Ok(Self {
            ground: self.ground,
            kind: self.kind,
            program,
            folder: self.folder,
            workspace,
            place,
        })
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// What one may ask of zspark.
    pub(crate) fn workspace(&self) -> Result<&Workspace> {
        self.workspace.as_ref().context("the reference has no workspaces")
    }

    pub(crate) fn process(&self) -> Result<Process> {
        self.program.process()
    }

    /// A script that talks to this one.
    pub(crate) fn script(&self, name: &str, mut settings: Value) -> Result<Program> {
        settings["place"] = json!(self.place);
        Program::script(&self.ground.scripts, name, &settings)
    }

    /// Lets go of garbage, where there is a collector for it.
    pub(crate) async fn tidy(&mut self) -> Result<()> {
        if self.kind == Kind::Hocuspocus {
            self.program.ask::<Value>(&json!({})).await?;
        }
        Ok(())
    }
}

/// A node of zspark that shares what it stands on with others.
#[derive(Debug)]
pub(crate) struct Node {
    program: Program,
    address: String,
    _folder: TempDir,
}

impl Node {
    pub(crate) async fn start(ground: &Ground, footing: &Footing) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let (program, address) = zspark(ground, folder.path(), footing).await?;
        Ok(Self {
            program,
            address,
            _folder: folder,
        })
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn place(&self, workspace: &Workspace) -> Place {
        place(Kind::Zspark, &self.address, Some(workspace))
    }

    pub(crate) fn process(&self) -> Result<Process> {
        self.program.process()
    }
}

fn place(kind: Kind, address: &str, workspace: Option<&Workspace>) -> Place {
    let url = match workspace {
        Some(workspace) => format!("ws://{address}/api/v1/workspaces/{}/docs", workspace.id()),
        None => format!("ws://{address}"),
    };
    Place { kind, url }
}

async fn launch(ground: &Ground, kind: Kind, folder: &Path) -> Result<(Program, String)> {
    #[derive(Deserialize)]
    struct Listening {
        port: u16,
    }
    match kind {
        Kind::Zspark => zspark(ground, folder, &Footing::default()).await,
        Kind::Hocuspocus => {
            let settings = json!({"folder": folder});
            let mut program = Program::script(&ground.scripts, "reference.mjs", &settings)?;
            let Listening { port } = program.hear().await?;
            Ok((program, format!("127.0.0.1:{port}")))
        }
    }
}

/// In development mode, where all sockets and requests are one person's. What a document's socket may do stays as it is.
async fn zspark(ground: &Ground, folder: &Path, footing: &Footing) -> Result<(Program, String)> {
    let config = folder.join("server.toml");
    let text = "mode = \"development\"\n[limits]\nsockets = 10000\n\
                requests_per_s = 1000000\nevents_per_s = 100000000\n";
    std::fs::write(&config, text)?;
    let mut command = Command::new(&ground.server);
    command
        .arg("--config")
        .arg(&config)
        .args(["--listen", "127.0.0.1:0", "--data-dir"])
        .arg(folder)
        .env_clear()
        .envs(footing.database_url.as_ref().map(|it| ("DATABASE_URL", it)))
        .envs(footing.redis_url.as_ref().map(|it| ("REDIS_URL", it)));
    let mut program = Program::start("zspark-server", &mut command)?;
    let line = program.line().await?;
    let (_, address) = line.split_once("listening on http://").with_context(|| line.clone())?;
    let address = address.to_owned();
    Ok((program, address))
}
