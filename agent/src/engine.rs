//! The front door: opens threads, answers every [`Request`], hands out followers. All wiring of the seams is here.

mod desk;
mod follow;
mod providers;
mod threads;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use protocol::{Answer, Code, Failure, Method, Request, Topic};
use tokio::task::JoinSet;

pub use follow::Follower;

use crate::blob::Blobs;
use crate::checkpoint::Checkpoints;
use crate::clock::Clock;
use crate::config::{self, Config, Inputs};
use crate::files::Files;
use crate::home::Home;
use crate::log::Logs;
use crate::rule::Rules;
use crate::sandbox::{self, Launcher};
use crate::secret::{self, Secrets};
use crate::thread::{Parts, Shared};

/// What an engine is made from. The engine reads neither environment nor clock by itself.
pub struct Options {
    /// Where everything is kept.
    pub home: Home,
    /// The time.
    pub clock: Clock,
    /// The layers of configuration besides the home's own.
    pub inputs: Inputs,
    /// How the sandbox starts: usually this very program.
    pub launcher: Launcher,
    /// Where keys are kept; the system's key store when absent.
    pub secrets: Option<Arc<dyn Secrets>>,
    /// Somebody is there who can answer questions.
    pub attended: bool,
    /// Tell of configuration files that change on disk.
    pub watch: bool,
    /// A thread in which nothing has happened for so long is put down: another zspark can take it up then. The next request
    /// takes it up again. [`REST`] unless there is a reason.
    pub rest: Duration,
}

/// For how long a thread that nothing happens in stays taken up.
pub const REST: Duration = Duration::from_secs(30);

/// The engine. Cheap to clone; [`Engine::stop`] ends it.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
    /// What runs beside the threads: the watch on configuration.
    tasks: Arc<Mutex<JoinSet<()>>>,
}

impl Engine {
    /// Makes an engine. Nothing slow happens here: the index, the key store and the rules open when first needed.
    ///
    /// # Errors
    /// When the home cannot be made. A broken `config.toml` is no error here: [`protocol::setting::Settings::broken`]
    /// says so, and every request that depends on it fails with the same words.
    pub async fn start(options: Options) -> Result<Self, Failure> {
        let Options {
            home,
            clock,
            inputs,
            launcher,
            secrets,
            attended,
            watch,
            rest,
        } = options;
        home.prepare().map_err(|error| {
            let hint = if error.kind() == std::io::ErrorKind::NotADirectory {
                "Move that file away, or set ZSPARK_HOME to a folder."
            } else {
                "Make the folder writable, or set ZSPARK_HOME to another one."
            };
            Failure::new(
                Code::FolderUnusable,
                format!("{} cannot be used: {error}.", home.root().display()),
            )
            .hint(hint)
        })?;
        let config = Config::load(&home, &inputs).unwrap_or_else(|failure| Config::broken(&home, &inputs, failure));
        let blobs = Blobs::new(&home);
        let parts = Parts {
            logs: Logs::open(&home, clock.clone()),
            checkpoints: Checkpoints::new(&home, blobs.clone()),
            rules: Rules::open(&home, clock.clone()),
            files: Files::default(),
            secrets: secrets.unwrap_or_else(|| Arc::new(secret::Store::new(&home))),
            sandbox: Arc::from(sandbox::system(launcher)),
            shell: default_shell(&inputs),
            http: models::Http::new(env!("CARGO_PKG_VERSION")),
            blobs,
            attended,
            rest,
            home,
            clock,
            inputs,
        };
        let engine = Self {
            shared: Arc::new(Shared::new(parts, config)),
            tasks: Arc::default(),
        };
        if watch {
            engine.watch_config();
        }
        Ok(engine)
    }

    fn watch_config(&self) {
        let mut watch = match config::Watch::new(&self.shared.home, &self.shared.inputs) {
            Ok(it) => it,
            Err(error) => {
                tracing::warn!(%error, "changes of config.toml need a restart");
                return;
            }
        };
        // Weak, so that the watch does not keep a dropped engine alive.
        let shared = Arc::downgrade(&self.shared);
        self.tasks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .spawn(async move {
                while watch.next().await.is_some() {
                    let Some(shared) = shared.upgrade() else { return };
                    shared.reload();
                }
            });
    }

    /// Answers a request.
    ///
    /// # Errors
    /// A [`Failure`] says what happened and what to do.
    pub async fn request(&self, request: Request) -> Result<Answer, Failure> {
        Ok(match request {
            Request::ThreadStart(it) => Answer::ThreadStart(self.thread_start(it).await?),
            Request::ThreadList(it) => Answer::ThreadList(self.shared.logs.list(it.archived).await?),
            Request::ThreadRead(it) => Answer::ThreadRead(self.thread_read(it).await?),
            Request::ThreadOutline(it) => Answer::ThreadOutline(self.shared.logs.outline(&it.thread_id).await?),
            Request::ThreadFork(it) => Answer::ThreadFork(self.thread_fork(it).await?),
            Request::ThreadRename(it) => Answer::ThreadRename(self.thread_rename(it).await?),
            Request::ThreadPin(it) => Answer::ThreadPin(self.thread_pin(it).await?),
            Request::ThreadArchive(it) => Answer::ThreadArchive(self.thread_archive(it).await?),
            Request::ThreadDelete(it) => Answer::ThreadDelete(self.thread_delete(it).await?),
            Request::ThreadRestore(it) => Answer::ThreadRestore(self.thread_restore(it).await?),
            Request::ThreadSearch(it) => Answer::ThreadSearch(self.shared.logs.search(&it.query).await?),
            Request::ThreadSettingsSet(it) => Answer::ThreadSettingsSet(self.thread_settings(it).await?),
            Request::TurnStart(it) => Answer::TurnStart(self.turn_start(it).await?),
            Request::TurnSteer(it) => Answer::TurnSteer(self.turn_steer(it).await?),
            Request::TurnInterrupt(it) => Answer::TurnInterrupt(self.turn_interrupt(it).await?),
            Request::TurnChanges(it) => Answer::TurnChanges(self.turn_changes(it).await?),
            Request::TurnUndo(it) => Answer::TurnUndo(self.turn_undo(it).await?),
            Request::TurnRedo(it) => Answer::TurnRedo(self.turn_redo(it).await?),
            Request::QueueRemove(it) => Answer::QueueRemove(self.queue_remove(it).await?),
            Request::ApprovalDecide(it) => Answer::ApprovalDecide(self.approval_decide(it).await?),
            Request::RuleList(_) => Answer::RuleList(self.shared.rules.list().await?),
            Request::RuleSave(it) => Answer::RuleSave(self.rule_save(it).await?),
            Request::RuleDelete(it) => Answer::RuleDelete(self.rule_delete(it).await?),
            Request::RuleTest(it) => Answer::RuleTest(self.rule_test(it).await?),
            Request::FileSearch(it) => Answer::FileSearch(self.file_search(it).await?),
            Request::FolderCheck(it) => Answer::FolderCheck(self.folder_check(&it)),
            Request::AttachmentCheck(it) => Answer::AttachmentCheck(self.attachment_check(it).await?),
            Request::AttachmentPaste(it) => Answer::AttachmentPaste(self.attachment_paste(it).await?),
            Request::ArtifactList(it) => Answer::ArtifactList(self.shared.logs.artifacts(&it.thread_id).await?),
            Request::ArtifactRead(it) => Answer::ArtifactRead(self.artifact_read(it).await?),
            Request::ArtifactSave(it) => Answer::ArtifactSave(self.artifact_save(it).await?),
            Request::OutputRead(it) => Answer::OutputRead(self.output_read(it).await?),
            Request::SettingRead(_) => Answer::SettingRead(self.settings()),
            Request::SettingWrite(it) => Answer::SettingWrite(self.setting_write(&it)?),
            Request::ProviderSave(it) => Answer::ProviderSave(self.provider_save(it).await?),
            Request::ProviderDelete(it) => Answer::ProviderDelete(self.provider_delete(it).await?),
            Request::ProviderTestRun(it) => Answer::ProviderTestRun(self.provider_test(it).await?),
            Request::ProviderModelsList(it) => Answer::ProviderModelsList(self.provider_models(it).await?),
            Request::ProviderDiscover(_) => Answer::ProviderDiscover(models::discover(self.shared.http.clone()).await),
            Request::DoctorRun(_) => Answer::DoctorRun(self.doctor().await),
        })
    }

    /// Answers a request whose answer's type is known.
    ///
    /// # Errors
    /// As [`Engine::request`].
    pub async fn ask<M: Method>(&self, params: M) -> Result<M::Answer, Failure> {
        M::Answer::try_from(self.request(params.into()).await?)
    }

    /// Follows the list of threads and the settings, or one thread.
    ///
    /// # Errors
    /// When there is no such thread.
    pub async fn follow(&self, topic: Topic) -> Result<Follower, Failure> {
        follow::follow(&self.shared, topic).await
    }

    /// Ends everything: turns are stopped and say so, turns that wait for an answer are parked, the databases are closed.
    pub async fn stop(&self) {
        self.shared.threads.shutdown().await;
        self.shared.logs.close().await;
        self.shared.rules.close().await;
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.shutdown().await;
    }

    /// Where everything is kept.
    #[must_use]
    pub fn home(&self) -> &Home {
        &self.shared.home
    }
}

/// The person's shell where we know how to speak to it, else the system's.
fn default_shell(inputs: &Inputs) -> PathBuf {
    if cfg!(windows) {
        return PathBuf::from("powershell.exe");
    }
    let known = ["bash", "zsh", "sh"];
    let own = inputs.env.get("SHELL").map(PathBuf::from).filter(|it| {
        it.is_absolute() && it.is_file() && it.file_name().is_some_and(|name| known.iter().any(|k| name == *k))
    });
    let system = ["/bin/bash", "/usr/bin/bash", "/bin/sh"]
        .iter()
        .map(PathBuf::from)
        .find(|it| it.is_file());
    own.or(system).unwrap_or_else(|| PathBuf::from("/bin/sh"))
}
