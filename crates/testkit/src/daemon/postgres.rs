//! A Postgres of one's own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, Result, bail};

use super::{Daemon, User, folder, free_port, id};

/// A running Postgres. Dropping it stops it and removes what it wrote.
#[derive(Debug)]
pub struct Postgres {
    daemon: Mutex<Daemon>,
    programs: PathBuf,
    port: u16,
    databases: AtomicU32,
}

impl Postgres {
    /// Starts one. It trusts everybody on loopback, and it does not wait for the disk: it need not outlive the machine.
    ///
    /// # Errors
    /// Postgres is not installed, or does not start.
    pub fn start() -> Result<Self> {
        let programs = programs()?;
        // Postgres refuses to run as root; Debian's package brings a user for it.
        let user = match id(&["-u"])? {
            0 => Some(User {
                uid: id(&["-u", "postgres"])?,
                gid: id(&["-g", "postgres"])?,
            }),
            _ => None,
        };
        let folder = folder("postgres")?;
        if let Some(user) = user {
            std::os::unix::fs::chown(&folder, Some(user.uid), Some(user.gid))?;
        }
        let data = folder.join("data");
        initialise(&programs, &data, user)?;
        let port = free_port()?;
        let command = [
            programs.join("postgres").display().to_string(),
            "-D".to_owned(),
            data.display().to_string(),
            format!("-p{port}"),
        ]
        .into_iter()
        .chain(
            [
                "listen_addresses=127.0.0.1",
                "unix_socket_directories=",
                "fsync=off",
                "max_connections=400",
                "shared_buffers=64MB",
            ]
            .into_iter()
            .flat_map(|it| ["-c".to_owned(), it.to_owned()]),
        )
        .collect::<Vec<_>>();
        let daemon = Daemon::start(
            user,
            &folder,
            &command,
            "database system is ready to accept connections",
        )?;
        Ok(Self {
            daemon: Mutex::new(daemon),
            programs,
            port,
            databases: AtomicU32::new(0),
        })
    }

    /// A new, empty database: its URL.
    ///
    /// # Errors
    /// Postgres does not make it.
    pub fn database(&self) -> Result<String> {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let url = |name: &str| format!("postgres://postgres@127.0.0.1:{}/{name}", self.port);
        let made = Command::new(self.programs.join("psql"))
            .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-c"])
            .arg(format!("CREATE DATABASE {name} TEMPLATE template0"))
            .arg(url("postgres"))
            .output()
            .context("cannot run psql")?;
        if !made.status.success() {
            bail!("no database: {}", String::from_utf8_lossy(&made.stderr));
        }
        Ok(url(&name))
    }

    /// Ends it as an administrator would, connections or not.
    ///
    /// # Errors
    /// It does not end.
    pub fn stop(&self) -> Result<()> {
        self.daemon()?.end("stop")
    }

    /// Ends it as a crash would.
    ///
    /// # Errors
    /// It does not end.
    pub fn kill(&self) -> Result<()> {
        self.daemon()?.end("kill")
    }

    /// Starts it again, with all that was in it.
    ///
    /// # Errors
    /// It does not start.
    pub fn begin(&self) -> Result<()> {
        self.daemon()?.begin()
    }

    /// The programs that belong to it: `pg_dump`, `psql` …
    #[must_use]
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    fn daemon(&self) -> Result<std::sync::MutexGuard<'_, Daemon>> {
        self.daemon
            .lock()
            .map_err(|_| anyhow::anyhow!("a test failed while it held the server"))
    }
}

fn initialise(programs: &Path, data: &Path, user: Option<User>) -> Result<()> {
    let initdb = programs.join("initdb");
    let mut command = match user {
        Some(user) => {
            let mut it = Command::new("setpriv");
            it.args([&format!("--reuid={}", user.uid), &format!("--regid={}", user.gid)])
                .arg("--clear-groups")
                .arg(&initdb);
            it
        }
        None => Command::new(&initdb),
    };
    let output = command
        .args([
            "-A",
            "trust",
            "-U",
            "postgres",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
            "-D",
        ])
        .arg(data)
        .current_dir("/")
        .output()
        .with_context(|| format!("cannot run {}", initdb.display()))?;
    if !output.status.success() {
        bail!("initdb failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// Where the newest installed version has its programs. Debian keeps them off the `PATH`.
fn programs() -> Result<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for entry in std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten() {
        let version = entry.file_name().to_string_lossy().parse();
        let bin = entry.path().join("bin");
        if let Ok(version) = version
            && bin.join("postgres").is_file()
        {
            found.push((version, bin));
        }
    }
    if let Some((_, bin)) = found.into_iter().max() {
        return Ok(bin);
    }
    let output = Command::new("pg_config").arg("--bindir").output();
    match output {
        Ok(output) if output.status.success() => {
            Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim().to_owned()))
        }
        _ => bail!("Postgres is not installed here; `cargo xtask test` installs it"),
    }
}
