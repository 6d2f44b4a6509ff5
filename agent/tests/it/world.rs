//! An engine on a temporary home, against the scripted model: what most tests of threads begin with.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use agent::clock::Clock;
use agent::config::Inputs;
use agent::engine::{Engine, Follower, Options, REST};
use agent::home::Home;
use agent::sandbox::Launcher;
use agent::secret::Memory;
use protocol::approval::{Approval, Decision};
use protocol::request::{ApprovalDecide, ThreadRead, ThreadStart, TurnInterrupt, TurnStart, TurnSteer};
use protocol::setting::{ApprovalPolicy, SandboxMode};
use protocol::thread::{Input, Page, ThreadSettingsPatch};
use protocol::{Event, EventKind, Failure, Item, ItemKind, Live, ThreadId, Topic};
use testkit::{ModelServer, Script, TempHome};

/// Longer than anything takes; reached only by a test that fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A home, a scripted model, and the engine in between.
pub(crate) struct World {
    pub(crate) home: TempHome,
    pub(crate) server: ModelServer,
    pub(crate) engine: Engine,
    attended: bool,
    clock: Clock,
    rest: Duration,
}

impl World {
    /// With a Responses provider and a person who can be asked.
    pub(crate) async fn new(script: Script) -> Self {
        Self::with(script, "responses", true).await
    }

    pub(crate) async fn with(script: Script, wire_api: &str, attended: bool) -> Self {
        Self::made(script, wire_api, attended, Clock::system(), REST).await
    }

    /// With a clock of the test's own.
    pub(crate) async fn with_clock(script: Script, clock: Clock) -> Self {
        Self::made(script, "responses", true, clock, REST).await
    }

    /// Where a thread that nothing happens in is put down so soon.
    pub(crate) async fn with_rest(script: Script, rest: Duration) -> Self {
        Self::made(script, "responses", true, Clock::system(), rest).await
    }

    async fn made(script: Script, wire_api: &str, attended: bool, clock: Clock, rest: Duration) -> Self {
        let server = ModelServer::start(script).await.unwrap();
        let home = TempHome::with_provider(&server.base_url(), wire_api).unwrap();
        let engine = Self::engine(&home, attended, clock.clone(), rest).await;
        Self {
            home,
            server,
            engine,
            attended,
            clock,
            rest,
        }
    }

    async fn engine(home: &TempHome, attended: bool, clock: Clock, rest: Duration) -> Engine {
        Engine::start(Options {
            home: Home::new(home.path()),
            clock,
            inputs: Inputs {
                env: Self::environment(home),
                ..Inputs::default()
            },
            launcher: Launcher {
                exe: PathBuf::from(env!("CARGO_BIN_EXE_zspark-sandbox-stage")),
            },
            secrets: Some(Arc::new(Memory::default())),
            attended,
            watch: false,
            rest,
        })
        .await
        .unwrap()
    }

    /// What commands find, the same on every machine: no profile of the person who runs the tests.
    #[expect(clippy::disallowed_methods, reason = "a test is its own composition root")]
    fn environment(home: &TempHome) -> BTreeMap<String, String> {
        let path = std::env::var("PATH").unwrap_or_default();
        let home = home.path().display().to_string();
        [("PATH", path), ("HOME", home), ("SHELL", "/bin/bash".to_owned())]
            .map(|(name, value)| (name.to_owned(), value))
            .into()
    }

    /// Another engine on the same home, as in a second program.
    pub(crate) async fn second(&self) -> Engine {
        Self::engine(&self.home, self.attended, self.clock.clone(), self.rest).await
    }

    /// Ends the engine and starts a new one on the same home.
    pub(crate) async fn restart(mut self) -> Self {
        self.engine.stop().await;
        self.engine = self.second().await;
        self
    }

    /// A thread that works without a sandbox but asks where a sandbox would be left.
    pub(crate) async fn thread(&self) -> Talk<'_> {
        self.thread_with(ThreadSettingsPatch::default()).await
    }

    pub(crate) async fn thread_in(&self, sandbox: SandboxMode, approval: ApprovalPolicy) -> Talk<'_> {
        let settings = ThreadSettingsPatch {
            sandbox: Some(sandbox),
            approval: Some(approval),
            ..ThreadSettingsPatch::default()
        };
        self.thread_with(settings).await
    }

    async fn thread_with(&self, settings: ThreadSettingsPatch) -> Talk<'_> {
        let cwd = self.home.work().display().to_string();
        let thread = self.engine.ask(ThreadStart { cwd, settings }).await.unwrap().0;
        self.talk(thread.id).await
    }

    /// Goes on with a thread from its beginning.
    pub(crate) async fn talk(&self, id: ThreadId) -> Talk<'_> {
        let topic = Topic::Thread {
            thread_id: id.clone(),
            after: 0,
        };
        let follower = self.engine.follow(topic).await.unwrap();
        Talk {
            engine: &self.engine,
            id,
            follower,
            events: Vec::new(),
            ahead: Vec::new(),
        }
    }
}

/// One thread, and its events as a follower sees them.
pub(crate) struct Talk<'a> {
    engine: &'a Engine,
    pub(crate) id: ThreadId,
    follower: Follower,
    /// All events that were waited for, in order.
    pub(crate) events: Vec<Event>,
    ahead: Vec<Event>,
}

impl Talk<'_> {
    pub(crate) async fn say(&self, text: &str) {
        self.try_say(text).await.unwrap();
    }

    pub(crate) async fn try_say(&self, text: &str) -> Result<(), Failure> {
        let input = Input {
            text: text.to_owned(),
            attachments: Vec::new(),
        };
        self.give(input).await
    }

    pub(crate) async fn give(&self, input: Input) -> Result<(), Failure> {
        self.start(input, None).await
    }

    /// Asks for an answer of that shape.
    pub(crate) async fn say_for(&self, text: &str, schema: &serde_json::Value) {
        let input = Input {
            text: text.to_owned(),
            attachments: Vec::new(),
        };
        self.start(input, Some(schema.clone())).await.unwrap();
    }

    async fn start(&self, input: Input, output_schema: Option<serde_json::Value>) -> Result<(), Failure> {
        let start = TurnStart {
            thread_id: self.id.clone(),
            input,
            output_schema,
        };
        self.engine.ask(start).await.map(|_| ())
    }

    pub(crate) async fn steer(&self, text: &str) {
        let input = Input {
            text: text.to_owned(),
            attachments: Vec::new(),
        };
        self.engine
            .ask(TurnSteer {
                thread_id: self.id.clone(),
                input,
            })
            .await
            .unwrap();
    }

    pub(crate) async fn interrupt(&self) {
        self.engine
            .ask(TurnInterrupt {
                thread_id: self.id.clone(),
            })
            .await
            .unwrap();
    }

    pub(crate) async fn decide(&self, approval: &Approval, decision: Decision) -> Result<(), Failure> {
        let decide = ApprovalDecide {
            thread_id: self.id.clone(),
            approval_id: approval.id.clone(),
            decision,
        };
        self.engine.ask(decide).await.map(|_| ())
    }

    /// Waits for the next event of which `wanted` makes something.
    pub(crate) async fn wait<T>(&mut self, mut wanted: impl FnMut(&EventKind) -> Option<T>) -> T {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            while !self.ahead.is_empty() {
                let event = self.ahead.remove(0);
                let found = wanted(&event.kind);
                self.events.push(event);
                if let Some(found) = found {
                    return found;
                }
            }
            let next = tokio::time::timeout_at(deadline, self.follower.next()).await;
            match next {
                Ok(Some(frame)) => self.ahead.extend(frame.events),
                Ok(None) => panic!("the follower ended after {:#?}", self.words()),
                Err(_) => panic!("waited in vain after {:#?}", self.words()),
            }
        }
    }

    /// Waits for live news of which `wanted` makes something.
    pub(crate) async fn live<T>(&mut self, mut wanted: impl FnMut(&Live) -> Option<T>) -> T {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let next = tokio::time::timeout_at(deadline, self.follower.next()).await;
            let Ok(Some(frame)) = next else {
                panic!("waited in vain after {:#?}", self.words());
            };
            self.ahead.extend(frame.events);
            if let Some(found) = frame.live.iter().find_map(&mut wanted) {
                return found;
            }
        }
    }

    /// Waits for the end of the turn and says how it was.
    pub(crate) async fn turn_end(&mut self) -> EventKind {
        self.wait(|kind| match kind {
            EventKind::TurnCompleted { .. } | EventKind::TurnInterrupted { .. } | EventKind::TurnFailed { .. } => {
                Some(kind.clone())
            }
            _ => None,
        })
        .await
    }

    /// Waits for the turn to end well.
    pub(crate) async fn completed(&mut self) {
        let end = self.turn_end().await;
        assert!(matches!(end, EventKind::TurnCompleted { .. }), "{end:?}");
    }

    /// Waits for the turn to fail.
    pub(crate) async fn failed(&mut self) -> Failure {
        match self.turn_end().await {
            EventKind::TurnFailed { failure, .. } => failure,
            other => panic!("not a failure: {other:?}"),
        }
    }

    pub(crate) async fn question(&mut self) -> Approval {
        self.wait(|kind| match kind {
            EventKind::ApprovalRequested { approval } => Some(approval.clone()),
            _ => None,
        })
        .await
    }

    /// Items that ended so far, in order.
    pub(crate) fn items(&self) -> Vec<&Item> {
        self.events
            .iter()
            .filter_map(|it| match &it.kind {
                EventKind::ItemCompleted { item, .. } => Some(item),
                _ => None,
            })
            .collect()
    }

    /// What the agent said last.
    pub(crate) fn last_word(&self) -> String {
        self.items()
            .iter()
            .rev()
            .find_map(|it| match &it.kind {
                ItemKind::AgentMessage { text } => Some(text.clone()),
                _ => None,
            })
            .unwrap_or_default()
    }

    pub(crate) async fn page(&self) -> Page {
        let read = ThreadRead {
            thread_id: self.id.clone(),
            before: None,
            reach: None,
        };
        self.engine.ask(read).await.unwrap().0
    }

    /// The course of events in a word each, for messages of failing tests.
    pub(crate) fn words(&self) -> Vec<String> {
        self.events
            .iter()
            .map(|it| match &it.kind {
                EventKind::ItemCompleted { item, .. } => format!("{} {:?}", item.kind.name(), item.status),
                other => format!("{other:?}")
                    .split([' ', '{'])
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
            })
            .collect()
    }
}
