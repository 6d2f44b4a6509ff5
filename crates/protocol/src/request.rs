//! Everything that can be asked of the engine: one table of `noun/verb` methods.
//!
//! Adding a feature is one line in the table, a params struct, and the `match` arm that the compiler then asks for.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::approval::{Decision, Rule, RuleDraft, Verdict};
use crate::artifact::{ArtifactEntry, ArtifactRef};
use crate::attachment::Attachment;
use crate::change::TurnChange;
use crate::failure::Failure;
use crate::id::{ApprovalId, ItemId, RuleId, ThreadId, TurnId};
use crate::setting::{LocalServer, ProviderDraft, ProviderModels, ProviderTest, Settings, SettingsPatch};
use crate::thread::{Input, Page, SearchHit, ThreadSettingsPatch, ThreadSummary, TurnSummary};

/// A request's parameters know their name and their answer.
pub trait Method: Into<Request> {
    /// `noun/verb`.
    const NAME: &'static str;
    /// What comes back.
    type Answer: TryFrom<Answer, Error = Failure>;
}

macro_rules! methods {
    ($($name:literal $method:ident => $answer:ty),+ $(,)?) => {
        /// A request, as a surface sends it: `{"method": "thread/start", "params": {…}}`.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "method", content = "params")]
        pub enum Request {$(
            #[doc = concat!("`", $name, "`")]
            #[serde(rename = $name)]
            $method($method),
        )+}

        /// The answer to a request, as plain JSON on the wire.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        #[serde(untagged)]
        pub enum Answer {$(
            #[doc = concat!("To `", $name, "`")]
            $method($answer),
        )+}

        $(
            impl From<$method> for Request {
                fn from(params: $method) -> Self {
                    Self::$method(params)
                }
            }
            impl Method for $method {
                const NAME: &'static str = $name;
                type Answer = Answered<$method, $answer>;
            }
            impl TryFrom<Answer> for Answered<$method, $answer> {
                type Error = Failure;
                fn try_from(answer: Answer) -> Result<Self, Failure> {
                    match answer {
                        Answer::$method(it) => Ok(Self(it, std::marker::PhantomData)),
                        _ => Err(Failure::new(crate::failure::Code::Internal, concat!("wrong answer to ", $name))),
                    }
                }
            }
        )+

        impl Request {
            /// `noun/verb`.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {$( Self::$method(_) => $name, )+}
            }
        }

        /// Calls `visit.method::<Params, Answer>(name)` for every method, in the table's order.
        pub(crate) fn each_method(visit: &mut impl crate::typescript::Visit) {
            $( visit.method::<$method, $answer>($name); )+
        }
    };
}

/// An answer that remembers which method it belongs to, so that two methods may answer with the same type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered<M, T>(pub T, std::marker::PhantomData<M>);

methods! {
    "thread/start" ThreadStart => ThreadSummary,
    "thread/list" ThreadList => Vec<ThreadSummary>,
    "thread/read" ThreadRead => Page,
    "thread/outline" ThreadOutline => Vec<TurnSummary>,
    "thread/fork" ThreadFork => ThreadSummary,
    "thread/rename" ThreadRename => Done,
    "thread/pin" ThreadPin => Done,
    "thread/archive" ThreadArchive => Done,
    "thread/delete" ThreadDelete => Done,
    "thread/restore" ThreadRestore => ThreadSummary,
    "thread/search" ThreadSearch => Vec<SearchHit>,
    "thread/settings" ThreadSettingsSet => ThreadSummary,
    "turn/start" TurnStart => TurnStarted,
    "turn/steer" TurnSteer => Done,
    "turn/interrupt" TurnInterrupt => Done,
    "turn/changes" TurnChanges => Vec<TurnChange>,
    "turn/undo" TurnUndo => Vec<TurnChange>,
    "turn/redo" TurnRedo => Vec<TurnChange>,
    "queue/remove" QueueRemove => Done,
    "approval/decide" ApprovalDecide => Done,
    "rule/list" RuleList => Vec<Rule>,
    "rule/save" RuleSave => Rule,
    "rule/delete" RuleDelete => Done,
    "rule/test" RuleTest => Verdict,
    "file/search" FileSearch => Vec<FileHit>,
    "folder/check" FolderCheck => FolderState,
    "attachment/check" AttachmentCheck => Vec<Attachment>,
    "attachment/paste" AttachmentPaste => Attachment,
    "artifact/list" ArtifactList => Vec<ArtifactEntry>,
    "artifact/read" ArtifactRead => ArtifactText,
    "artifact/save" ArtifactSave => Done,
    "output/read" OutputRead => OutputWindow,
    "setting/read" SettingRead => Settings,
    "setting/write" SettingWrite => Settings,
    "provider/save" ProviderSave => Settings,
    "provider/delete" ProviderDelete => Settings,
    "provider/test" ProviderTestRun => ProviderTest,
    "provider/models" ProviderModelsList => Vec<ProviderModels>,
    "provider/discover" ProviderDiscover => Vec<LocalServer>,
    "doctor/run" DoctorRun => Vec<Finding>,
}

macro_rules! params {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $ty:ty),* $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
        #[serde(rename_all = "camelCase")]
        pub struct $name {$( $(#[$fdoc])* pub $field: $ty, )*}
    )+};
}

params! {
    /// Nothing to say but that it was done.
    Done {}

    /// Starts a thread in a folder. Nothing is asked of a model yet.
    ThreadStart {
        /// Absolute folder.
        cwd: String,
        /// What differs from the settings.
        #[serde(default)] settings: ThreadSettingsPatch,
    }
    /// Lists threads, pinned first, then newest first.
    ThreadList {
        /// The archived ones instead of the others.
        #[serde(default)] archived: bool,
    }
    /// Reads a stretch of a thread from its end, or from before an earlier page.
    ThreadRead {
        /// The thread.
        thread_id: ThreadId,
        /// Events before this one; the newest when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[ts(optional)] before: Option<u64>,
        /// The page must reach back at least to this event.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[ts(optional)] reach: Option<u64>,
    }
    /// Lists all turns of a thread by their prompts.
    ThreadOutline {
        /// The thread.
        thread_id: ThreadId,
    }
    /// Makes a thread that shares the beginning of another one: whole, or only what came before a turn.
    ThreadFork {
        /// The thread.
        thread_id: ThreadId,
        /// Only what came before this turn: "edit this message" is a fork and a new turn.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[ts(optional)] before_turn: Option<TurnId>,
    }
    /// Gives a thread a title.
    ThreadRename {
        /// The thread.
        thread_id: ThreadId,
        /// The title; empty goes back to the first prompt.
        title: String,
    }
    /// Moves a thread onto the top of the list, or back.
    ThreadPin {
        /// The thread.
        thread_id: ThreadId,
        /// On top.
        pinned: bool,
    }
    /// Moves a thread out of the list, or back.
    ThreadArchive {
        /// The thread.
        thread_id: ThreadId,
        /// Out.
        archived: bool,
    }
    /// Moves a thread to the bin, from which `thread/restore` brings it back.
    ThreadDelete {
        /// The thread.
        thread_id: ThreadId,
    }
    /// Brings a deleted thread back.
    ThreadRestore {
        /// The thread.
        thread_id: ThreadId,
    }
    /// Searches titles and contents of all threads.
    ThreadSearch {
        /// Words; all must occur, the last one may be a beginning.
        query: String,
    }
    /// Changes what a thread runs with, from its next turn on.
    ThreadSettingsSet {
        /// The thread.
        thread_id: ThreadId,
        /// What changes.
        settings: ThreadSettingsPatch,
    }
    /// Gives a prompt to a thread. While a turn runs it is queued.
    TurnStart {
        /// The thread.
        thread_id: ThreadId,
        /// The prompt.
        input: Input,
        /// JSON Schema that the agent's last word must follow; free text when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[ts(optional, type = "unknown")] output_schema: Option<serde_json::Value>,
    }
    /// What became of a prompt.
    TurnStarted {
        /// The turn it began; absent when it was queued.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[ts(optional)] turn_id: Option<TurnId>,
        /// The message's id.
        item_id: ItemId,
    }
    /// Gives input to the running turn: the model reads it before its next step.
    TurnSteer {
        /// The thread.
        thread_id: ThreadId,
        /// The input.
        input: Input,
    }
    /// Stops the running turn and its processes.
    TurnInterrupt {
        /// The thread.
        thread_id: ThreadId,
    }
    /// Lists what a turn changed in files.
    TurnChanges {
        /// The thread.
        thread_id: ThreadId,
        /// The turn; all turns together when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[ts(optional)] turn_id: Option<TurnId>,
    }
    /// Takes back what a turn changed.
    TurnUndo {
        /// The thread.
        thread_id: ThreadId,
        /// The turn.
        turn_id: TurnId,
        /// Only these files (absolute); all when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[ts(optional)] paths: Option<Vec<String>>,
        /// Only this hunk (from 0) of the single path.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[ts(optional)] hunk: Option<u32>,
        /// Also where the file was edited since by somebody else.
        #[serde(default)] force: bool,
    }
    /// Makes changes again that were taken back.
    TurnRedo {
        /// The thread.
        thread_id: ThreadId,
        /// The turn.
        turn_id: TurnId,
        /// Only these files (absolute); all when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[ts(optional)] paths: Option<Vec<String>>,
    }
    /// Takes a waiting prompt back.
    QueueRemove {
        /// The thread.
        thread_id: ThreadId,
        /// The prompt.
        id: ItemId,
    }
    /// Answers a question.
    ApprovalDecide {
        /// The thread.
        thread_id: ThreadId,
        /// The question.
        approval_id: ApprovalId,
        /// The answer.
        decision: Decision,
    }
    /// Lists the standing answers.
    RuleList {}
    /// Makes or changes a standing answer.
    RuleSave {
        /// The one to change; a new one when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[ts(optional)] id: Option<RuleId>,
        /// What it says.
        draft: RuleDraft,
    }
    /// Removes a standing answer.
    RuleDelete {
        /// Which.
        id: RuleId,
    }
    /// Tells whether a command would ask.
    RuleTest {
        /// The command.
        command: String,
        /// Absolute folder.
        cwd: String,
        /// Without the sandbox.
        #[serde(default)] escalated: bool,
    }
    /// Finds files of a folder by a fuzzy name, for `@` mentions.
    FileSearch {
        /// Absolute folder.
        cwd: String,
        /// A part of the path.
        query: String,
    }
    /// A file that matched.
    FileHit {
        /// Relative to the folder, `/` as separator.
        path: String,
        /// A folder.
        folder: bool,
        /// Positions of the matched characters in `path`.
        matched: Vec<u32>,
    }
    /// Looks whether a folder can be worked in.
    FolderCheck {
        /// Absolute folder.
        cwd: String,
    }
    /// What a folder is like.
    FolderState {
        /// It is there and can be read.
        usable: bool,
        /// It can be written.
        writable: bool,
        /// It is inside a git repository.
        git: bool,
        /// What is wrong.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[ts(optional)] failure: Option<Failure>,
    }
    /// Looks at files that were dropped or picked, for their chips.
    AttachmentCheck {
        /// Absolute paths.
        paths: Vec<String>,
    }
    /// Keeps pasted content as a file.
    AttachmentPaste {
        /// File name to show.
        name: String,
        /// The content, standard base64.
        base64: String,
    }
    /// Lists the artifacts of a thread, newest first.
    ArtifactList {
        /// The thread.
        thread_id: ThreadId,
    }
    /// Reads an artifact as text, for its preview.
    ArtifactRead {
        /// Which.
        artifact: ArtifactRef,
        /// Bytes at most; 1 MiB when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[ts(optional)] limit: Option<u64>,
    }
    /// The text of an artifact.
    ArtifactText {
        /// Invalid UTF-8 replaced.
        text: String,
        /// There is more.
        truncated: bool,
        /// It is not text.
        binary: bool,
    }
    /// Writes a copy of an artifact somewhere.
    ArtifactSave {
        /// Which.
        artifact: ArtifactRef,
        /// Absolute path; an existing file is replaced, because the save dialog asked.
        path: String,
    }
    /// Reads lines of a command's kept output.
    OutputRead {
        /// The thread.
        thread_id: ThreadId,
        /// From `OutputRef`.
        blob: String,
        /// First line, from 0. With `query`: the search goes on from here.
        line: u64,
        /// Lines at most.
        limit: u32,
        /// Find the next line that contains this.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[ts(optional)] query: Option<String>,
    }
    /// Lines of an output.
    OutputWindow {
        /// Number of the first line; with a query, of the match.
        line: u64,
        /// The lines, ANSI sequences kept, invalid UTF-8 replaced, each cut at 4 KiB.
        lines: Vec<String>,
        /// Lines in all, so far.
        total: u64,
        /// With a query: nothing found.
        #[serde(default)] exhausted: bool,
    }
    /// Reads the settings.
    SettingRead {}
    /// Changes the person's `config.toml`, comments kept.
    SettingWrite {
        /// What changes.
        patch: SettingsPatch,
    }
    /// Adds or changes a provider and, with a model, makes it the one in use.
    ProviderSave {
        /// The provider.
        draft: ProviderDraft,
    }
    /// Removes a provider and its stored key.
    ProviderDelete {
        /// Its id.
        id: String,
    }
    /// Asks a provider for one word and says what is wrong.
    ProviderTestRun {
        /// As in the form; without a key the stored one is used.
        draft: ProviderDraft,
    }
    /// Asks the configured providers for their models.
    ProviderModelsList {
        /// Only this one.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[ts(optional)] id: Option<String>,
    }
    /// Looks for model servers on this machine; takes at most a second.
    ProviderDiscover {}
    /// Looks at this machine: what works, what does not, and what to do.
    DoctorRun {}
    /// One thing the doctor looked at.
    Finding {
        /// What, in a word or two.
        name: String,
        /// How it is.
        state: FindingState,
        /// In a sentence.
        message: String,
        /// What to do.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[ts(optional)] hint: Option<String>,
    }
}

/// How something the doctor looked at is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum FindingState {
    /// Good.
    Ok,
    /// Works, but.
    Warning,
    /// Does not work.
    Broken,
}
