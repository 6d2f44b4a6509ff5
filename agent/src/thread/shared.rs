//! What all threads of an engine share, and what a thread gets made from it: its provider, its tools.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use models::{Connection, Provider};
use protocol::setting::{ProviderTest, Settings};
use protocol::{Code, Failure};
use tokio::sync::watch;

use super::Threads;
use crate::blob::Blobs;
use crate::checkpoint::Checkpoints;
use crate::clock::Clock;
use crate::config::{Config, DEMO, Inputs, ProviderConfig};
use crate::exec::{Outputs, Processes};
use crate::files::Files;
use crate::home::Home;
use crate::log::{Log, Logs};
use crate::rule::Rules;
use crate::sandbox::Sandbox;
use crate::secret::{self, Secret, Secrets};
use crate::tool::AnyTool;
use crate::tools;

/// The parts, as the engine wires them.
pub(crate) struct Parts {
    pub(crate) home: Home,
    pub(crate) clock: Clock,
    pub(crate) logs: Logs,
    pub(crate) blobs: Blobs,
    pub(crate) checkpoints: Checkpoints,
    pub(crate) rules: Rules,
    pub(crate) files: Files,
    pub(crate) secrets: Arc<dyn Secrets>,
    pub(crate) sandbox: Arc<dyn Sandbox>,
    pub(crate) shell: PathBuf,
    pub(crate) http: models::Http,
    pub(crate) inputs: Inputs,
    /// Somebody is there who can answer questions.
    pub(crate) attended: bool,
    /// For how long a thread that nothing happens in stays taken up.
    pub(crate) rest: Duration,
}

/// The parts, the threads that are taken up, and the configuration in force.
pub(crate) struct Shared {
    parts: Parts,
    pub(crate) threads: Threads,
    config: RwLock<Config>,
    /// Damage that some thread told the person of.
    told: Mutex<Vec<Failure>>,
    /// Counts changes of settings, for those who follow home.
    pub(crate) settings_changed: watch::Sender<u64>,
}

impl Deref for Shared {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}

impl Shared {
    pub(crate) fn new(parts: Parts, config: Config) -> Self {
        let settings_changed = watch::Sender::new(0);
        Self {
            parts,
            threads: Threads::default(),
            config: RwLock::new(config),
            told: Mutex::default(),
            settings_changed,
        }
    }

    /// The configuration in force.
    pub(crate) fn config(&self) -> Config {
        self.config.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the configuration again. A broken file is shown, and nothing runs until it is put right.
    pub(crate) fn reload(&self) {
        let config = Config::load(&self.home, &self.inputs)
            .unwrap_or_else(|failure| Config::broken(&self.home, &self.inputs, failure));
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        self.settings_changed.send_modify(|it| *it += 1);
    }

    /// What was damaged and set aside since the program began.
    pub(crate) fn damage(&self) -> Vec<Failure> {
        Vec::from_iter(self.logs.damage().into_iter().chain(self.rules.damage()))
    }

    /// The damage that the person was not told of yet.
    pub(crate) fn untold(&self) -> Vec<Failure> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let mut damage = self.damage();
        damage.retain(|it| !told.contains(it));
        told.extend(damage.iter().cloned());
        damage
    }

    /// The provider of that id, ready to be asked.
    pub(crate) async fn provider(&self, id: &str) -> Result<Arc<dyn Provider>, Failure> {
        if id == DEMO {
            return Ok(models::demo());
        }
        let config = self.config();
        if let Some(broken) = config.failure() {
            return Err(broken.clone());
        }
        let provider = config.provider(id).ok_or_else(|| {
            Failure::new(Code::NoProvider, format!("There is no provider `{id}` any more."))
                .hint("Choose another model below the message, or add the provider again in the settings.")
        })?;
        let key = secret::provider_key(self.secrets.as_ref(), &provider, config.env()).await?;
        if key.is_none() && provider.needs_key() {
            let failure = Failure::new(
                Code::Unauthorized,
                format!("{} needs a key, and none is stored.", provider.name),
            );
            return Err(match &provider.env_key {
                Some(variable) => failure.hint(format!("Enter it in the settings, or set the variable {variable}.")),
                None => failure.hint("Enter it in the settings."),
            });
        }
        Ok(models::connect(
            self.http.clone(),
            self.connection(&provider, key.as_ref()),
        ))
    }

    pub(crate) fn connection(&self, it: &ProviderConfig, key: Option<&Secret>) -> Connection {
        let usual = Connection::new(&it.id, &it.name, &it.base_url, it.wire_api);
        Connection {
            key: key.map(|key| key.expose().to_owned()),
            query: it.query_params.clone().into_iter().collect(),
            headers: it.headers(self.config().env()).into_iter().collect(),
            request_max_retries: it.request_max_retries.unwrap_or(usual.request_max_retries),
            stream_max_retries: it.stream_max_retries.unwrap_or(usual.stream_max_retries),
            stream_idle_timeout: it
                .stream_idle_timeout_ms
                .map_or(usual.stream_idle_timeout, Duration::from_millis),
            ..usual
        }
    }

    /// Asks a saved provider for one word. The demo has nothing to ask.
    pub(crate) async fn look_at(&self, provider: &ProviderConfig) -> ProviderTest {
        let config = self.config();
        let key = match secret::provider_key(self.secrets.as_ref(), provider, config.env()).await {
            Ok(it) => it,
            Err(failure) => {
                let failure = Some(failure);
                return ProviderTest {
                    ok: false,
                    first_word_ms: None,
                    failure,
                    models: Vec::new(),
                    suggested_wire_api: None,
                };
            }
        };
        let settings = config.settings();
        let model = settings
            .model
            .value
            .filter(|_| settings.provider.value.as_deref() == Some(&provider.id));
        models::test(self.http.clone(), self.connection(provider, key.as_ref()), model).await
    }

    /// What the settings screen shows.
    pub(crate) fn settings(&self) -> Settings {
        secret::settings(&self.config(), self.secrets.as_ref())
    }

    /// What the model of a thread may call.
    pub(crate) fn tools(
        &self,
        processes: &Arc<Processes>,
        environment: BTreeMap<String, String>,
    ) -> Vec<Arc<dyn AnyTool>> {
        vec![
            Arc::new(tools::exec_command::ExecCommand::new(
                Arc::clone(processes),
                Arc::clone(&self.sandbox),
                environment,
            )),
            Arc::new(tools::write_stdin::WriteStdin::new(Arc::clone(processes))),
            Arc::new(tools::apply_patch::ApplyPatch),
            Arc::new(tools::update_plan::UpdatePlanTool),
            Arc::new(tools::view_image::ViewImage),
        ]
    }
}

/// Where the output of a thread's commands goes: beside its log.
pub(crate) fn outputs(log: &Log) -> Outputs {
    let log = log.clone();
    Arc::new(move |item| {
        let writer = log.blob(item).map_err(std::io::Error::other)?;
        Ok(Box::new(writer))
    })
}
