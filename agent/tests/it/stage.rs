//! What the tests of processes share: a real sandbox, a folder to work in, a recorder that remembers.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agent::clock::Clock;
use agent::exec::Processes;
use agent::home::Home;
use agent::sandbox::{self, Launcher, Policy, Sandbox};
use agent::tool::{Access, AnyTool, Call, Cx, End, Grant, Output, Recorder, Step};
use agent::tools::exec_command::ExecCommand;
use agent::tools::write_stdin::WriteStdin;
use agent::{blob, tools};
use protocol::context::Content;
use protocol::setting::SandboxMode;
use protocol::{ItemId, ItemKind, ItemStatus, Live, ThreadId, TurnId};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Longer than anything takes; reached only by a test that fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a recorder was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    Update(ItemKind),
    Live(Live),
    Later(ItemKind, ItemStatus),
}

#[derive(Default)]
pub(crate) struct List {
    told: Mutex<Vec<Told>>,
    news: Notify,
}

impl List {
    pub(crate) fn all(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }

    /// Waits for the end that is reported later.
    pub(crate) async fn later(&self) -> (ItemKind, ItemStatus) {
        loop {
            let news = self.news.notified();
            let found = self.all().into_iter().find_map(|it| match it {
                Told::Later(kind, status) => Some((kind, status)),
                Told::Update(_) | Told::Live(_) => None,
            });
            if let Some(found) = found {
                return found;
            }
            let came = tokio::time::timeout(PATIENCE, news).await;
            assert!(came.is_ok(), "the end of the command was never told");
        }
    }

    fn add(&self, told: Told) {
        self.told.lock().unwrap().push(told);
        self.news.notify_waiters();
        self.news.notify_one();
    }
}

impl Recorder for List {
    fn update(&self, _: &ItemId, kind: ItemKind) {
        self.add(Told::Update(kind));
    }
    fn live(&self, live: Live) {
        self.add(Told::Live(live));
    }
    fn complete_later(&self, _: &ItemId, kind: ItemKind, status: ItemStatus) {
        self.add(Told::Later(kind, status));
    }
}

/// A folder with a sandbox around it. `outside` is beside the folder: same disk, not writable.
pub(crate) struct Stage {
    pub(crate) cwd: PathBuf,
    pub(crate) outside: PathBuf,
    pub(crate) recorder: Arc<List>,
    pub(crate) stop: CancellationToken,
    pub(crate) processes: Option<Arc<Processes>>,
    pub(crate) mode: SandboxMode,
    pub(crate) network: bool,
    pub(crate) temporary: agent::sandbox::Temporary,
    pub(crate) env: BTreeMap<String, String>,
    /// Dropped last.
    base: tempfile::TempDir,
}

pub(crate) fn launcher() -> Launcher {
    Launcher {
        exe: env!("CARGO_BIN_EXE_zspark-sandbox-stage").into(),
    }
}

impl Stage {
    pub(crate) fn new(mode: SandboxMode) -> Self {
        // Not below /tmp, which is writable in the sandbox.
        let base = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let root = base.path().canonicalize().unwrap();
        let cwd = root.join("work");
        let outside = root.join("outside");
        std::fs::create_dir(&cwd).unwrap();
        std::fs::create_dir(&outside).unwrap();
        let outputs = root.join("outputs");
        let processes = Processes::new(Arc::new(move |item: &ItemId| {
            Ok(Box::new(blob::Writer::create(&outputs, item.as_str())?) as Box<dyn agent::exec::Sink>)
        }));
        Self {
            cwd,
            outside,
            recorder: Arc::default(),
            stop: CancellationToken::new(),
            processes: Some(processes),
            mode,
            network: false,
            temporary: agent::sandbox::Temporary::default(),
            env: BTreeMap::from([
                ("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".to_owned()),
                ("HOME".to_owned(), root.to_string_lossy().into_owned()),
                ("SHELL".to_owned(), "/bin/bash".to_owned()),
            ]),
            base,
        }
    }

    pub(crate) fn output_file(&self, name: &str) -> PathBuf {
        blob::output_path(&self.base.path().join("outputs"), name).unwrap()
    }

    pub(crate) fn policy(&self) -> Policy {
        Policy {
            mode: self.mode,
            cwd: self.cwd.clone(),
            writable_roots: Vec::new(),
            network: self.network,
            temporary: self.temporary,
        }
    }

    pub(crate) fn cx(&self) -> Cx {
        Cx {
            thread_id: ThreadId::from("thread"),
            turn_id: TurnId::from("turn"),
            cwd: self.cwd.clone(),
            policy: self.policy(),
            home: Home::new(self.base.path().join("home")),
            clock: Clock::system(),
            recorder: Arc::clone(&self.recorder) as Arc<dyn Recorder>,
            stop: self.stop.clone(),
        }
    }

    pub(crate) fn processes(&self) -> Arc<Processes> {
        Arc::clone(self.processes.as_ref().unwrap())
    }

    pub(crate) async fn call(&self, tool: &dyn AnyTool, arguments: serde_json::Value, grant: Grant) -> End {
        let freeform = arguments.is_string();
        let call = Call {
            call_id: "call".to_owned(),
            name: tool.spec().name,
            arguments: arguments.as_str().map_or_else(|| arguments.to_string(), str::to_owned),
            freeform,
        };
        let cx = self.cx();
        if let Err(why) = tool.begin(&call, &cx) {
            return End {
                item: None,
                status: ItemStatus::Failed,
                output: Output::Failed(why),
            };
        }
        let step = Step {
            item_id: &ItemId::new(),
            grant,
            cx: &cx,
        };
        tool.run(&call, step).await
    }

    pub(crate) async fn exec(&self, arguments: serde_json::Value, grant: Grant) -> End {
        let sandbox: Arc<dyn Sandbox> = Arc::from(sandbox::system(launcher()));
        let tool = ExecCommand::new(self.processes(), sandbox, self.env.clone());
        self.call(&tool, arguments, grant).await
    }

    /// Runs a command to its end and gives back its exit code and what it wrote.
    pub(crate) async fn run(&self, cmd: &str) -> (i32, String) {
        let end = self
            .exec(
                serde_json::json!({ "cmd": cmd, "yield_time_ms": 30000, "login": false }),
                Grant::Sandboxed,
            )
            .await;
        (exit_code(&end), text(&end))
    }

    pub(crate) async fn write_stdin(&self, arguments: serde_json::Value) -> End {
        self.call(&WriteStdin::new(self.processes()), arguments, Grant::Sandboxed)
            .await
    }

    pub(crate) async fn patch(&self, patch: &str, grant: Grant) -> End {
        self.call(&tools::apply_patch::ApplyPatch, patch.into(), grant).await
    }

    pub(crate) fn access(&self, tool: &dyn AnyTool, arguments: serde_json::Value) -> Access {
        let call = Call {
            call_id: "call".to_owned(),
            name: tool.spec().name,
            arguments: arguments.to_string(),
            freeform: false,
        };
        tool.begin(&call, &self.cx()).unwrap().access
    }
}

pub(crate) fn exit_code(end: &End) -> i32 {
    match end.item {
        Some(ItemKind::Command {
            exit_code: Some(code), ..
        }) => code,
        _ => panic!("no command that ended: {end:?}"),
    }
}

pub(crate) fn text(end: &End) -> String {
    match &end.output {
        Output::Ok(content) => content
            .iter()
            .map(|it| match it {
                Content::Text { text } => text.as_str(),
                Content::Image { path, .. } => path.as_str(),
            })
            .collect(),
        Output::Failed(text) | Output::Denied(text) => text.clone(),
    }
}

pub(crate) fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}
