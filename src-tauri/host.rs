//! The engine of this window: how it is started, and how it is stopped.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use agent::clock::Clock;
use agent::engine::{Engine, Options};
use agent::sandbox::{self, Launcher};
use protocol::Failure;
use protocol::host::HostInfo;
use tauri::{AppHandle, Manager};
use tokio::sync::{Notify, OnceCell};

use crate::news::News;
use crate::start::Start;

/// The engine, once it is started, and what the page may ask of the window.
pub(crate) struct Host {
    start: Start,
    engine: OnceCell<Engine>,
    ready: Notify,
    /// What the window has to tell its page.
    pub(crate) news: News,
}

impl Host {
    /// Nothing is started yet.
    pub(crate) fn new(start: Start) -> Self {
        Self {
            start,
            engine: OnceCell::new(),
            ready: Notify::new(),
            news: News::default(),
        }
    }

    /// The engine. The first call starts it; after a failure the next call tries again, so that a person who
    /// mended what was wrong need not restart the window.
    pub(crate) async fn engine(&self) -> Result<&Engine, Failure> {
        let engine = self.engine.get_or_try_init(|| Engine::start(self.options())).await?;
        self.ready.notify_waiters();
        Ok(engine)
    }

    /// The engine, as soon as some call has started it.
    pub(crate) async fn started(&self) -> &Engine {
        loop {
            let ready = self.ready.notified();
            match self.engine().await {
                Ok(engine) => return engine,
                Err(failure) => tracing::warn!(%failure, "the engine cannot start"),
            }
            ready.await;
        }
    }

    /// Interrupts what runs and lets the log settle.
    pub(crate) async fn stop(&self) {
        const PATIENCE: Duration = Duration::from_secs(5);
        if let Some(engine) = self.engine.get()
            && tokio::time::timeout(PATIENCE, engine.stop()).await.is_err()
        {
            tracing::warn!("the engine did not stop in time; the log is repaired at the next start");
        }
    }

    /// What this window is.
    pub(crate) fn info(&self) -> HostInfo {
        HostInfo {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            platform: std::env::consts::OS.to_owned(),
            locale: locale(),
            folder: self.start.folder.as_ref().map(|it| it.display().to_string()),
            home: self.start.home.root().display().to_string(),
        }
    }

    /// Where things are kept.
    pub(crate) fn home(&self) -> &agent::home::Home {
        &self.start.home
    }

    fn options(&self) -> Options {
        let env = environment();
        Options {
            home: self.start.home.clone(),
            clock: Clock::system(),
            inputs: agent::config::Inputs {
                managed: Some(managed(&env)),
                profile: None,
                overrides: Vec::new(),
                env,
            },
            launcher: launcher(),
            secrets: None,
            attended: true,
            watch: true,
            rest: agent::engine::REST,
        }
    }
}

/// The system's language. Linux calls having none `C`.
pub(crate) fn locale() -> String {
    sys_locale::get_locale()
        .filter(|it| !matches!(it.as_str(), "C" | "POSIX"))
        .unwrap_or_else(|| "en".to_owned())
}

/// The process's environment; names and values that are not Unicode cannot be configured and are left out.
fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// The program that sandboxed commands begin in. This one would do, but a program with a web view takes long to start, so
/// it is the command line that is installed beside it, if that proves that it can.
fn launcher() -> Launcher {
    let this = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("zspark-desktop"));
    let beside = this.with_file_name(format!("zspark{}", std::env::consts::EXE_SUFFIX));
    let proves = |exe: &PathBuf| sandbox::system(Launcher { exe: exe.clone() }).check().is_ok();
    let exe = Some(beside).filter(|it| it.is_file() && proves(it)).unwrap_or(this);
    Launcher { exe }
}

/// Where a machine's administrator configures zspark.
fn managed(env: &BTreeMap<String, String>) -> PathBuf {
    if cfg!(windows) {
        let data = env.get("ProgramData").map_or(r"C:\ProgramData", String::as_str);
        PathBuf::from(data).join("zspark").join("config.toml")
    } else {
        PathBuf::from("/etc/zspark/config.toml")
    }
}

/// Ends the program in order when the system asks for it: logging out, shutting down, `kill`.
#[cfg(unix)]
pub(crate) fn stop_on_signals(app: &AppHandle) {
    use tokio::signal::unix::{SignalKind, signal};
    let ending = app.clone();
    app.state::<crate::follow::Followers>().spawn(async move {
        let (Ok(mut term), Ok(mut interrupt), Ok(mut hangup)) = (
            signal(SignalKind::terminate()),
            signal(SignalKind::interrupt()),
            signal(SignalKind::hangup()),
        ) else {
            return tracing::warn!("signals cannot be waited for");
        };
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {}
        }
        ending.exit(0);
    });
}

/// Windows tells windows, not processes.
#[cfg(not(unix))]
pub(crate) fn stop_on_signals(_: &AppHandle) {}
