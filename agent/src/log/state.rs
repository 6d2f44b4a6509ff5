//! What a thread is right now: the fold of its events. Pure.

use protocol::approval::{Approval, Decision};
use protocol::artifact::{ArtifactEntry, ArtifactVersion};
use protocol::setting::{ApprovalPolicy, SandboxMode};
use protocol::thread::{
    ContextMeter, QueuedInput, ThreadSettings, ThreadStatus, ThreadSummary, TurnStatus, TurnSummary, Usage,
};
use protocol::{Event, EventKind, Item, ItemId, ItemKind, ItemStatus, ThreadId, TurnId};
use serde::{Deserialize, Serialize};

/// Characters of a title made from a prompt.
const TITLE: usize = 80;
/// Characters of a prompt in an outline.
const PROMPT: usize = 200;

/// A thread as its events leave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// The thread in a list.
    pub summary: ThreadSummary,
    /// The title a person gave; empty when it comes from the first prompt.
    #[serde(default)]
    pub given_title: String,
    /// The beginning of the first prompt.
    #[serde(default)]
    pub first_prompt: String,
    /// The turn that runs, or ran when the program died.
    #[serde(default)]
    pub open_turn: Option<TurnId>,
    /// The shape that turn's answer must have.
    #[serde(default)]
    pub open_schema: Option<serde_json::Value>,
    /// Items that began and did not end, with their text so far.
    #[serde(default)]
    pub open_items: Vec<(TurnId, Item)>,
    /// Questions that wait.
    #[serde(default)]
    pub approvals: Vec<Approval>,
    /// Questions that were answered with a yes for the whole thread.
    #[serde(default)]
    pub granted: Vec<Approval>,
    /// Prompts that wait.
    #[serde(default)]
    pub queue: Vec<QueuedInput>,
    /// Tokens of the whole thread.
    #[serde(default)]
    pub usage: Usage,
    /// How full the context is.
    #[serde(default)]
    pub context: ContextMeter,
    /// Files for the person, the newest first.
    #[serde(default)]
    pub artifacts: Vec<ArtifactEntry>,
    /// Turns so far.
    #[serde(default)]
    pub turns: u64,
    /// The newest turn.
    #[serde(default)]
    pub last_turn: Option<TurnSummary>,
}

impl State {
    /// A thread of which nothing is known but its name.
    #[must_use]
    pub fn new(id: ThreadId) -> Self {
        Self {
            summary: ThreadSummary {
                id,
                title: String::new(),
                cwd: String::new(),
                created_ms: 0,
                updated_ms: 0,
                pinned: false,
                archived: false,
                status: ThreadStatus::Idle,
                head_seq: 0,
                settings: ThreadSettings {
                    provider: String::new(),
                    model: String::new(),
                    effort: None,
                    sandbox: SandboxMode::ReadOnly,
                    approval: ApprovalPolicy::OnRequest,
                },
                forked_from: None,
            },
            given_title: String::new(),
            first_prompt: String::new(),
            open_turn: None,
            open_schema: None,
            open_items: Vec::new(),
            approvals: Vec::new(),
            granted: Vec::new(),
            queue: Vec::new(),
            usage: Usage::default(),
            context: ContextMeter::default(),
            artifacts: Vec::new(),
            turns: 0,
            last_turn: None,
        }
    }

    /// Takes in the next event.
    pub fn apply(&mut self, event: &Event) {
        self.summary.head_seq = event.seq;
        self.summary.updated_ms = self.summary.updated_ms.max(event.at_ms);
        match &event.kind {
            EventKind::ThreadStarted {
                thread_id: _,
                cwd,
                settings,
                forked_from,
                version: _,
            } => {
                self.summary.cwd.clone_from(cwd);
                self.summary.settings = settings.clone();
                self.summary.forked_from.clone_from(forked_from);
                self.summary.created_ms = event.at_ms;
            }
            EventKind::ThreadRenamed { title } => {
                self.given_title.clone_from(title);
                self.retitle();
            }
            EventKind::ThreadPinned { pinned } => self.summary.pinned = *pinned,
            EventKind::ThreadArchived { archived } => self.summary.archived = *archived,
            EventKind::SettingsChanged { settings } => self.summary.settings = settings.clone(),
            EventKind::TurnStarted {
                turn_id,
                settings: _,
                output_schema,
            } => {
                self.turns += 1;
                self.open_turn = Some(turn_id.clone());
                self.open_schema.clone_from(output_schema);
            }
            EventKind::TurnCompleted { turn_id }
            | EventKind::TurnInterrupted { turn_id, reason: _ }
            | EventKind::TurnFailed { turn_id, failure: _ } => {
                if self.open_turn.as_ref() == Some(turn_id) {
                    self.open_turn = None;
                    self.open_schema = None;
                }
            }
            EventKind::ItemStarted { turn_id, item } | EventKind::ItemUpdated { turn_id, item } => {
                self.item(turn_id, item);
            }
            EventKind::ItemAppended { item_id, at, text } => self.append_text(item_id, *at, text),
            EventKind::ItemCompleted { turn_id, item } => {
                self.first_prompt_from(item);
                self.open_items.retain(|(_, it)| it.id != item.id);
                self.artifact(turn_id, item, event.at_ms);
            }
            EventKind::ApprovalRequested { approval } => self.approvals.push(approval.clone()),
            EventKind::ApprovalResolved {
                approval_id,
                decision,
                by: _,
            } => {
                let answered = self.approvals.iter().position(|it| &it.id == approval_id);
                if let Some(approval) = answered.map(|it| self.approvals.remove(it))
                    && *decision == Decision::Thread
                {
                    self.granted.push(approval);
                }
            }
            EventKind::InputQueued { queued } => self.queue.push(queued.clone()),
            EventKind::InputDequeued { id } => self.queue.retain(|it| &it.id != id),
            EventKind::UsageUpdated {
                turn_id: _,
                last,
                context,
            } => {
                self.usage += *last;
                self.context = *context;
            }
            EventKind::ChangesReverted { .. } | EventKind::ContextAppended { .. } => {}
        }
        fold_turn(&mut self.last_turn, event);
        self.summary.status = match (&self.open_turn, self.approvals.is_empty()) {
            (None, _) => ThreadStatus::Idle,
            (Some(_), true) => ThreadStatus::Running,
            (Some(_), false) => ThreadStatus::Waiting,
        };
    }

    fn item(&mut self, turn_id: &TurnId, item: &Item) {
        self.first_prompt_from(item);
        let known = self.open_items.iter().position(|(_, it)| it.id == item.id);
        match (known.and_then(|it| self.open_items.get_mut(it)), item.status) {
            (Some(slot), _) => slot.1 = item.clone(),
            (None, ItemStatus::InProgress) => self.open_items.push((turn_id.clone(), item.clone())),
            (None, ItemStatus::Completed | ItemStatus::Failed | ItemStatus::Declined | ItemStatus::Interrupted) => {}
        }
    }

    fn append_text(&mut self, id: &ItemId, at: u64, piece: &str) {
        let Some((_, item)) = self.open_items.iter_mut().find(|(_, it)| &it.id == id) else {
            return;
        };
        if let ItemKind::AgentMessage { text } | ItemKind::Reasoning { text } = &mut item.kind {
            text.truncate(byte_of_unit(text, at));
            text.push_str(piece);
        }
    }

    fn first_prompt_from(&mut self, item: &Item) {
        if self.first_prompt.is_empty()
            && let ItemKind::UserMessage { text, .. } = &item.kind
        {
            self.first_prompt = beginning(text, TITLE);
            self.retitle();
        }
    }

    fn retitle(&mut self) {
        let title = self.given_title.trim();
        self.summary.title = if title.is_empty() { &self.first_prompt } else { title }.to_owned();
    }

    fn artifact(&mut self, turn_id: &TurnId, item: &Item, at_ms: u64) {
        let ItemKind::Artifact { artifact } = &item.kind else {
            return;
        };
        let known = self.artifacts.iter().position(|it| it.artifact.id == artifact.id);
        let mut versions = known.map(|it| self.artifacts.remove(it).versions).unwrap_or_default();
        versions.retain(|it| it.version != artifact.version);
        versions.push(ArtifactVersion {
            version: artifact.version,
            turn_id: turn_id.clone(),
            size: artifact.size,
            hash: artifact.hash.clone(),
            at_ms,
        });
        let artifact = artifact.clone();
        self.artifacts.insert(0, ArtifactEntry { artifact, versions });
    }
}

/// Takes an event into the newest turn's summary.
pub(super) fn fold_turn(turn: &mut Option<TurnSummary>, event: &Event) {
    let ended = |turn: &mut Option<TurnSummary>, id: &TurnId, status: TurnStatus| {
        if let Some(turn) = turn.as_mut().filter(|it| &it.id == id) {
            turn.ended_ms = Some(event.at_ms);
            turn.status = status;
        }
    };
    match &event.kind {
        EventKind::TurnStarted { turn_id, .. } => {
            *turn = Some(TurnSummary {
                id: turn_id.clone(),
                first_seq: event.seq,
                started_ms: event.at_ms,
                ended_ms: None,
                status: TurnStatus::Running,
                prompt: String::new(),
            });
        }
        EventKind::TurnCompleted { turn_id } => ended(turn, turn_id, TurnStatus::Completed),
        EventKind::TurnInterrupted { turn_id, reason } => {
            ended(turn, turn_id, TurnStatus::Interrupted { reason: *reason });
        }
        EventKind::TurnFailed { turn_id, failure } => {
            let failure = failure.clone();
            ended(turn, turn_id, TurnStatus::Failed { failure });
        }
        EventKind::ItemStarted { turn_id, item } | EventKind::ItemCompleted { turn_id, item } => {
            if let ItemKind::UserMessage { text, .. } = &item.kind
                && let Some(turn) = turn.as_mut().filter(|it| &it.id == turn_id && it.prompt.is_empty())
            {
                turn.prompt = beginning(text, PROMPT);
            }
        }
        EventKind::ThreadStarted { .. }
        | EventKind::ThreadRenamed { .. }
        | EventKind::ThreadPinned { .. }
        | EventKind::ThreadArchived { .. }
        | EventKind::SettingsChanged { .. }
        | EventKind::ItemUpdated { .. }
        | EventKind::ItemAppended { .. }
        | EventKind::ApprovalRequested { .. }
        | EventKind::ApprovalResolved { .. }
        | EventKind::InputQueued { .. }
        | EventKind::InputDequeued { .. }
        | EventKind::UsageUpdated { .. }
        | EventKind::ChangesReverted { .. }
        | EventKind::ContextAppended { .. } => {}
    }
}

/// The beginning of `text` on one line.
fn beginning(text: &str, limit: usize) -> String {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.chars().count() > limit {
            let mut cut: String = line.chars().take(limit).collect();
            cut.truncate(cut.trim_end().len());
            cut.push('…');
            return cut;
        }
    }
    line
}

/// Where UTF-16 unit `unit` begins in `text`, in bytes; the end when there are fewer.
pub(super) fn byte_of_unit(text: &str, unit: u64) -> usize {
    // Most text is, and this is asked for each frame of a long message.
    if text.is_ascii() {
        return usize::try_from(unit).map_or(text.len(), |it| it.min(text.len()));
    }
    let mut units = 0;
    for (byte, letter) in text.char_indices() {
        if units >= unit {
            return byte;
        }
        units += letter.len_utf16() as u64;
    }
    text.len()
}

/// UTF-16 units of `text`.
pub(super) fn units(text: &str) -> u64 {
    if text.is_ascii() {
        return text.len() as u64;
    }
    text.chars().map(|it| it.len_utf16() as u64).sum()
}
