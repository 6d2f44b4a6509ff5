// The vocabulary of zspark, generated from crates/protocol.
// Do not edit: `cargo test -p protocol` writes it anew and fails when it was stale.

/**
 * A question that waits for an answer. Kept in the log, so it outlives a restart.
 */
export type Approval = { 
/**
 * Its name.
 */
id: ApprovalId, 
/**
 * The turn that waits.
 */
turnId: TurnId, 
/**
 * The item that waits.
 */
itemId: ItemId, 
/**
 * The model's call that waits: a restart finds it again by this.
 */
callId: string, 
/**
 * What is asked for.
 */
ask: Ask, 
/**
 * Why, in the model's words. Not to be trusted.
 */
reason?: string, 
/**
 * What could go wrong.
 */
risks: Array<Risk>, 
/**
 * The rule that "always" would make; absent where no sensible rule exists.
 */
proposedRule?: RuleDraft, 
/**
 * When it was asked, milliseconds since the epoch.
 */
atMs: number, };

/**
 * Answers a question.
 */
export type ApprovalDecide = { 
/**
 * The thread.
 */
threadId: ThreadId, 
/**
 * The question.
 */
approvalId: ApprovalId, 
/**
 * The answer.
 */
decision: Decision, };

/**
 * Names a question to the person.
 */
export type ApprovalId = string;

/**
 * When the person is asked.
 */
export type ApprovalPolicy = "untrusted" | "on-request" | "never";

/**
 * One version of one file that a turn created or changed.
 */
export type Artifact = { 
/**
 * The same over all versions of one path in a thread.
 */
id: ArtifactId, 
/**
 * File name.
 */
name: string, 
/**
 * Absolute path of the living file.
 */
path: string, 
/**
 * Media type.
 */
mediaType: string, 
/**
 * Bytes of this version.
 */
size: number, 
/**
 * SHA-256 of this version, lower-case hex; also the name of its kept copy.
 */
hash: string, 
/**
 * 1, 2, 3 …
 */
version: number, };

/**
 * An artifact in a list, with where it came from.
 */
export type ArtifactEntry = { 
/**
 * The newest version.
 */
artifact: Artifact, 
/**
 * All versions, oldest first.
 */
versions: Array<ArtifactVersion>, };

/**
 * Names a file the agent made or changed that people open; the same file keeps its id over versions.
 */
export type ArtifactId = string;

/**
 * Lists the artifacts of a thread, newest first.
 */
export type ArtifactList = { 
/**
 * The thread.
 */
threadId: ThreadId, };

/**
 * Reads an artifact as text, for its preview.
 */
export type ArtifactRead = { 
/**
 * Which.
 */
artifact: ArtifactRef, 
/**
 * Bytes at most; 1 MiB when absent.
 */
limit?: number, };

/**
 * Which version of which artifact.
 */
export type ArtifactRef = { 
/**
 * The thread that made it.
 */
threadId: ThreadId, 
/**
 * The artifact.
 */
artifactId: ArtifactId, 
/**
 * The newest when absent.
 */
version?: number, };

/**
 * Writes a copy of an artifact somewhere.
 */
export type ArtifactSave = { 
/**
 * Which.
 */
artifact: ArtifactRef, 
/**
 * Absolute path; an existing file is replaced, because the save dialog asked.
 */
path: string, };

/**
 * The text of an artifact.
 */
export type ArtifactText = { 
/**
 * Invalid UTF-8 replaced.
 */
text: string, 
/**
 * There is more.
 */
truncated: boolean, 
/**
 * It is not text.
 */
binary: boolean, };

/**
 * One version in a list of versions.
 */
export type ArtifactVersion = { 
/**
 * 1, 2, 3 …
 */
version: number, 
/**
 * The turn that made it.
 */
turnId: TurnId, 
/**
 * Bytes.
 */
size: number, 
/**
 * SHA-256, lower-case hex.
 */
hash: string, 
/**
 * Milliseconds since the epoch.
 */
atMs: number, };

/**
 * What is asked for.
 */
export type Ask = { "type": "command", 
/**
 * Exactly what would run.
 */
command: string, 
/**
 * Absolute folder.
 */
cwd: string, 
/**
 * Without the sandbox.
 */
escalated: boolean, } | { "type": "patch", 
/**
 * The changes.
 */
changes: Array<FileChange>, };

/**
 * One attached file or folder. A file outside the thread's folder is copied beside the log, never changed in place.
 */
export type Attachment = { 
/**
 * File name as the person knows it.
 */
name: string, 
/**
 * Absolute path of what the model will read.
 */
path: string, 
/**
 * Media type, `inode/directory` for a folder.
 */
mediaType: string, 
/**
 * Bytes.
 */
size: number, 
/**
 * How it reaches the model.
 */
delivery: Delivery, };

/**
 * Looks at files that were dropped or picked, for their chips.
 */
export type AttachmentCheck = { 
/**
 * Absolute paths.
 */
paths: Array<string>, };

/**
 * Keeps pasted content as a file.
 */
export type AttachmentPaste = { 
/**
 * File name to show.
 */
name: string, 
/**
 * The content, standard base64.
 */
base64: string, };

/**
 * What happened to one file.
 */
export type ChangeKind = "add" | "update" | "delete";

/**
 * The one thing a surface may branch on. A variant exists only because some surface treats it apart.
 */
export type Code = "invalidRequest" | "notFound" | "conflict" | "configBroken" | "noProvider" | "unauthorized" | "unreachable" | "notAProvider" | "noSuchModel" | "rateLimited" | "quotaExceeded" | "contentRefused" | "contextOverflow" | "providerFailed" | "folderUnusable" | "diskFull" | "tooLarge" | "sandboxUnavailable" | "secretsUnavailable" | "storeDamaged" | "interrupted" | "internal";

/**
 * How full the model's context is.
 */
export type ContextMeter = { 
/**
 * Tokens of the last request and answer.
 */
used: number, 
/**
 * Tokens the model can read, if known.
 */
window?: number, 
/**
 * The figures are our estimate, because the provider reports none.
 */
estimated: boolean, };

/**
 * Who or what decided.
 */
export type DecidedBy = { "type": "person" } | { "type": "rule", 
/**
 * Which.
 */
ruleId: RuleId, } | { "type": "nobody" };

/**
 * What the person answers.
 */
export type Decision = { "type": "once" } | { "type": "thread" } | { "type": "always", 
/**
 * The rule, as edited by the person.
 */
rule: RuleDraft, } | { "type": "decline", 
/**
 * Why not.
 */
note?: string, 
/**
 * End the turn too.
 */
interrupt: boolean, };

/**
 * How an attachment reaches the model.
 */
export type Delivery = "image" | "inline" | "path";

/**
 * How much of the work the transcript shows.
 */
export type Density = "report" | "normal" | "verbose";

/**
 * Looks at this machine: what works, what does not, and what to do.
 */
export type DoctorRun = Record<symbol, never>;

/**
 * Nothing to say but that it was done.
 */
export type Done = Record<symbol, never>;

/**
 * How hard the model thinks.
 */
export type Effort = "minimal" | "low" | "medium" | "high" | "xhigh";

/**
 * A fact about a thread. Once appended it never changes; `seq` has no gaps within a thread, from 1.
 */
export type Event = { 
/**
 * Its place in the thread.
 */
seq: number, 
/**
 * When it was appended, milliseconds since the epoch.
 */
atMs: number, } & ({ "type": "threadStarted", 
/**
 * The thread.
 */
threadId: ThreadId, 
/**
 * Absolute folder.
 */
cwd: string, 
/**
 * What it runs with.
 */
settings: ThreadSettings, 
/**
 * Where it branched off.
 */
forkedFrom?: ForkPoint, 
/**
 * zspark's version that wrote this log.
 */
version: string, } | { "type": "threadRenamed", 
/**
 * The title.
 */
title: string, } | { "type": "threadPinned", 
/**
 * On top.
 */
pinned: boolean, } | { "type": "threadArchived", 
/**
 * Out.
 */
archived: boolean, } | { "type": "settingsChanged", 
/**
 * All of it.
 */
settings: ThreadSettings, } | { "type": "turnStarted", 
/**
 * Which.
 */
turnId: TurnId, 
/**
 * What it runs with.
 */
settings: ThreadSettings, 
/**
 * JSON Schema that the agent's last word must follow; free text when absent.
 */
outputSchema?: unknown, } | { "type": "turnCompleted", 
/**
 * Which.
 */
turnId: TurnId, } | { "type": "turnInterrupted", 
/**
 * Which.
 */
turnId: TurnId, 
/**
 * By whom or what.
 */
reason: InterruptReason, } | { "type": "turnFailed", 
/**
 * Which.
 */
turnId: TurnId, 
/**
 * Why.
 */
failure: Failure, } | { "type": "itemStarted", 
/**
 * Its turn.
 */
turnId: TurnId, 
/**
 * As it stands.
 */
item: Item, } | { "type": "itemUpdated", 
/**
 * Its turn.
 */
turnId: TurnId, 
/**
 * As it stands.
 */
item: Item, } | { "type": "itemAppended", 
/**
 * The item.
 */
itemId: ItemId, 
/**
 * UTF-16 units of its text before this piece.
 */
at: number, 
/**
 * The piece.
 */
text: string, } | { "type": "itemCompleted", 
/**
 * Its turn.
 */
turnId: TurnId, 
/**
 * As it stays.
 */
item: Item, } | { "type": "approvalRequested", 
/**
 * The question.
 */
approval: Approval, } | { "type": "approvalResolved", 
/**
 * The question.
 */
approvalId: ApprovalId, 
/**
 * The answer.
 */
decision: Decision, 
/**
 * Who gave it.
 */
by: DecidedBy, } | { "type": "inputQueued", 
/**
 * The prompt.
 */
queued: QueuedInput, } | { "type": "inputDequeued", 
/**
 * Its id.
 */
id: ItemId, } | { "type": "usageUpdated", 
/**
 * By which turn.
 */
turnId: TurnId, 
/**
 * By the last request.
 */
last: Usage, 
/**
 * How full the context is now.
 */
context: ContextMeter, } | { "type": "changesReverted", 
/**
 * The turn.
 */
turnId: TurnId, 
/**
 * Absolute paths.
 */
paths: Array<string>, 
/**
 * Made again.
 */
redo: boolean, } | { "type": "contextAppended", 
/**
 * The turn.
 */
turnId: TurnId, });

/**
 * Something that could not be done: a class, a plain sentence, and what to do next.
 */
export type Failure = { 
/**
 * The class.
 */
code: Code, 
/**
 * What happened and what it means, in one or two plain sentences.
 */
message: string, 
/**
 * What the person can do about it.
 */
hint?: string, 
/**
 * The words of the provider or the system, for the fold-out "Details".
 */
details?: string, };

/**
 * One changed file.
 */
export type FileChange = { 
/**
 * Absolute path; after a move, the new one.
 */
path: string, 
/**
 * What happened.
 */
kind: ChangeKind, 
/**
 * The old path of a moved file.
 */
movedFrom?: string, 
/**
 * Lines added.
 */
added: number, 
/**
 * Lines removed.
 */
removed: number, 
/**
 * Unified diff without file headers; empty for binary files.
 */
diff: string, 
/**
 * Not text: no diff.
 */
binary: boolean, 
/**
 * The diff was cut because it is very long; the counts are of the whole.
 */
truncated: boolean, };

/**
 * A file that matched.
 */
export type FileHit = { 
/**
 * Relative to the folder, `/` as separator.
 */
path: string, 
/**
 * A folder.
 */
folder: boolean, 
/**
 * Positions of the matched characters in `path`.
 */
matched: Array<number>, };

/**
 * Finds files of a folder by a fuzzy name, for `@` mentions.
 */
export type FileSearch = { 
/**
 * Absolute folder.
 */
cwd: string, 
/**
 * A part of the path.
 */
query: string, };

/**
 * One thing the doctor looked at.
 */
export type Finding = { 
/**
 * What, in a word or two.
 */
name: string, 
/**
 * How it is.
 */
state: FindingState, 
/**
 * In a sentence.
 */
message: string, 
/**
 * What to do.
 */
hint?: string, };

/**
 * How something the doctor looked at is.
 */
export type FindingState = "ok" | "warning" | "broken";

/**
 * Looks whether a folder can be worked in.
 */
export type FolderCheck = { 
/**
 * Absolute folder.
 */
cwd: string, };

/**
 * What a folder is like.
 */
export type FolderState = { 
/**
 * It is there and can be read.
 */
usable: boolean, 
/**
 * It can be written.
 */
writable: boolean, 
/**
 * It is inside a git repository.
 */
git: boolean, 
/**
 * What is wrong.
 */
failure?: Failure, };

/**
 * Where a thread branched off.
 */
export type ForkPoint = { 
/**
 * The thread it was made from.
 */
threadId: ThreadId, 
/**
 * The last event it shares with it.
 */
seq: number, };

/**
 * One delivery to one follower. At most about 8 KiB unless a single event is larger.
 */
export type Frame = { 
/**
 * Facts, in order; not those that only the model reads.
 */
events: Array<Event>, 
/**
 * News, in order, after the facts.
 */
live: Array<Live>, 
/**
 * Pass as `after` to go on from here.
 */
nextSeq: number, 
/**
 * Threads that changed (topic home).
 */
threads: Array<ThreadSummary>, 
/**
 * Threads that are gone (topic home).
 */
removed: Array<ThreadId>, 
/**
 * The settings, when they changed (topic home).
 */
settings?: Settings, };

/**
 * News from the window to its page, through the frame channel's sibling `host` event stream.
 */
export type HostEvent = { "type": "dragOver", 
/**
 * From the left.
 */
x: number, 
/**
 * From the top.
 */
y: number, } | { "type": "dragLeave", } | { "type": "drop", 
/**
 * Absolute paths.
 */
paths: Array<string>, 
/**
 * From the left.
 */
x: number, 
/**
 * From the top.
 */
y: number, } | { "type": "openFolder", 
/**
 * Absolute folder.
 */
cwd: string, } | { "type": "openThread", 
/**
 * Which.
 */
threadId: ThreadId, };

/**
 * What the window is.
 */
export type HostInfo = { 
/**
 * zspark's version.
 */
version: string, 
/**
 * `linux`, `macos` or `windows`.
 */
platform: string, 
/**
 * The system's language, a BCP 47 tag.
 */
locale: string, 
/**
 * The folder given on the command line.
 */
folder?: string, 
/**
 * `$ZSPARK_HOME`.
 */
home: string, };

/**
 * A request to the window: `{"method": "host/pickFolder", "params": {…}}`.
 */
export type HostRequest = { "method": "host/info", "params": Record<symbol, never> } | { "method": "host/pickFolder", "params": Record<symbol, never> } | { "method": "host/pickFiles", "params": Record<symbol, never> } | { "method": "host/pickSave", "params": { 
/**
 * Proposed file name.
 */
name: string, } } | { "method": "host/openArtifact", "params": { 
/**
 * Which.
 */
artifact: ArtifactRef, } } | { "method": "host/revealArtifact", "params": { 
/**
 * Which.
 */
artifact: ArtifactRef, } } | { "method": "host/openFolder", "params": { 
/**
 * Absolute folder.
 */
cwd: string, } } | { "method": "host/openUrl", "params": { 
/**
 * The address.
 */
url: string, } } | { "method": "host/preview", "params": { 
/**
 * Which.
 */
artifact: ArtifactRef, } } | { "method": "host/ready", "params": Record<symbol, never> };

/**
 * What a person gives to a turn.
 */
export type Input = { 
/**
 * As typed.
 */
text: string, 
/**
 * Absolute paths of files and folders, or paths that `attachment/paste` gave.
 */
attachments: Array<string>, };

/**
 * Why a turn ended early.
 */
export type InterruptReason = "person" | "crash" | "shutdown";

/**
 * One thing that happened in a turn.
 */
export type Item = { 
/**
 * Its name.
 */
id: ItemId, 
/**
 * Where it is in its life.
 */
status: ItemStatus, 
/**
 * When it began, milliseconds since the epoch.
 */
startedMs: number, 
/**
 * When it ended.
 */
endedMs?: number, } & ({ "type": "userMessage", 
/**
 * As typed.
 */
text: string, 
/**
 * What came with it.
 */
attachments: Array<Attachment>, 
/**
 * Given while the turn was running.
 */
steer: boolean, } | { "type": "agentMessage", 
/**
 * Markdown.
 */
text: string, } | { "type": "reasoning", 
/**
 * Markdown.
 */
text: string, } | { "type": "plan", 
/**
 * Why it changed.
 */
explanation?: string, 
/**
 * The steps.
 */
steps: Array<PlanStep>, } | { "type": "command", 
/**
 * Exactly what runs.
 */
command: string, 
/**
 * Absolute folder.
 */
cwd: string, 
/**
 * The last lines of the output, at most 4 KiB: what a folded card shows.
 */
tail: string, 
/**
 * Where the whole output is.
 */
output?: OutputRef, 
/**
 * Exit code; 128 + n after signal n.
 */
exitCode?: number, 
/**
 * It ran without the sandbox because somebody allowed that.
 */
escalated: boolean, 
/**
 * The number by which `write_stdin` reaches it while it runs.
 */
process?: number, 
/**
 * The sandbox said no to something it tried.
 */
sandboxDenied: boolean, } | { "type": "commandInput", 
/**
 * The command's item.
 */
command: ItemId, 
/**
 * What was typed; empty for a look at the output.
 */
chars: string, } | { "type": "fileChange", 
/**
 * What it changes.
 */
changes: Array<FileChange>, 
/**
 * Why it failed.
 */
error?: string, } | { "type": "imageView", 
/**
 * Absolute path.
 */
path: string, } | { "type": "artifact", 
/**
 * The file.
 */
artifact: Artifact, } | { "type": "toolCall", 
/**
 * The tool.
 */
tool: string, 
/**
 * The arguments as the model gave them.
 */
arguments: string, 
/**
 * What the model read.
 */
output: string, } | { "type": "error", 
/**
 * What.
 */
failure: Failure, });

/**
 * Names an item: one thing that happened in a turn.
 */
export type ItemId = string;

/**
 * Where an item is in its life.
 */
export type ItemStatus = "inProgress" | "completed" | "failed" | "declined" | "interrupted";

/**
 * Where a provider's key is.
 */
export type KeyState = { "type": "notNeeded" } | { "type": "stored", 
/**
 * The store's name as people know it, such as "Keychain" or "encrypted file".
 */
store: string, } | { "type": "environment", 
/**
 * Its name.
 */
variable: string, } | { "type": "missing" };

/**
 * Language of the interface.
 */
export type Language = "system" | "en" | "zh-CN";

/**
 * News that may be lost: whoever misses some reads the log.
 */
export type Live = { "type": "text", 
/**
 * The item.
 */
itemId: ItemId, 
/**
 * UTF-16 units of its text before this piece.
 */
at: number, 
/**
 * The piece.
 */
text: string, } | { "type": "output", 
/**
 * The command's item.
 */
itemId: ItemId, 
/**
 * Bytes of output before this piece.
 */
at: number, 
/**
 * The piece, invalid UTF-8 replaced.
 */
text: string, } | { "type": "retrying", 
/**
 * The turn.
 */
turnId: TurnId, 
/**
 * 1, 2 …
 */
attempt: number, 
/**
 * Of so many.
 */
max: number, 
/**
 * Why.
 */
failure: Failure, 
/**
 * Milliseconds until then.
 */
waitMs: number, };

/**
 * A model server found on this machine.
 */
export type LocalServer = { 
/**
 * What it is, such as "Ollama".
 */
name: string, 
/**
 * Ready to be a provider's base URL.
 */
baseUrl: string, 
/**
 * How it is spoken to.
 */
wireApi: WireApi, 
/**
 * Its models.
 */
models: Array<Model>, };

/**
 * What a provider says of a model, as far as it says anything.
 */
export type Model = { 
/**
 * As sent to the provider.
 */
id: string, 
/**
 * Tokens it can read, if known.
 */
contextWindow?: number, };

/**
 * Where a value comes from, lowest layer first.
 */
export type Origin = { "type": "default" } | { "type": "managed", 
/**
 * The file.
 */
path: string, } | { "type": "user", 
/**
 * The file.
 */
path: string, } | { "type": "profile", 
/**
 * The file.
 */
path: string, } | { "type": "project", 
/**
 * The file.
 */
path: string, } | { "type": "commandLine" } | { "type": "thread" };

/**
 * Reads lines of a command's kept output.
 */
export type OutputRead = { 
/**
 * The thread.
 */
threadId: ThreadId, 
/**
 * From `OutputRef`.
 */
blob: string, 
/**
 * First line, from 0. With `query`: the search goes on from here.
 */
line: number, 
/**
 * Lines at most.
 */
limit: number, 
/**
 * Find the next line that contains this.
 */
query?: string, };

/**
 * The whole output of a command, kept beside the log.
 */
export type OutputRef = { 
/**
 * Names the file that `output/read` reads.
 */
blob: string, 
/**
 * Bytes.
 */
bytes: number, 
/**
 * Lines.
 */
lines: number, };

/**
 * Lines of an output.
 */
export type OutputWindow = { 
/**
 * Number of the first line; with a query, of the match.
 */
line: number, 
/**
 * The lines, ANSI sequences kept, invalid UTF-8 replaced, each cut at 4 KiB.
 */
lines: Array<string>, 
/**
 * Lines in all, so far.
 */
total: number, 
/**
 * With a query: nothing found.
 */
exhausted: boolean, };

/**
 * A stretch of a thread: events in order, without what only the model reads.
 */
export type Page = { 
/**
 * The thread as it stands.
 */
thread: ThreadSummary, 
/**
 * In order of `seq`.
 */
events: Array<Event>, 
/**
 * The turns these events belong to, the first one perhaps from before the page.
 */
turns: Array<TurnSummary>, 
/**
 * Follow from here: `after` for `follow`, past the page's last event.
 */
nextSeq: number, 
/**
 * Pass as `before` for the page above; absent at the beginning.
 */
before?: number, 
/**
 * Questions that wait, wherever they were asked.
 */
approvals: Array<Approval>, 
/**
 * Prompts that wait for the turn to end.
 */
queue: Array<QueuedInput>, 
/**
 * How full the context is.
 */
context: ContextMeter, 
/**
 * Tokens of the whole thread.
 */
usage: Usage, };

/**
 * One step of a plan.
 */
export type PlanStep = { 
/**
 * What is to be done, in a few words.
 */
step: string, 
/**
 * How far it is.
 */
status: StepStatus, };

/**
 * An address for one artifact, good until the window closes.
 */
export type Preview = { 
/**
 * For `src`. The frame has an opaque origin and a Content-Security-Policy of its own.
 */
url: string, };

/**
 * A configured provider, without its key.
 */
export type Provider = { 
/**
 * The table name in `config.toml`.
 */
id: string, 
/**
 * For people.
 */
name: string, 
/**
 * Ends before `/responses` or `/chat/completions`.
 */
baseUrl: string, 
/**
 * How it is spoken to.
 */
wireApi: WireApi, 
/**
 * Where its key is.
 */
key: KeyState, 
/**
 * Built in (the demo model) or found on this machine, not from a file.
 */
builtIn: boolean, };

/**
 * Removes a provider and its stored key.
 */
export type ProviderDelete = { 
/**
 * Its id.
 */
id: string, };

/**
 * Looks for model servers on this machine; takes at most a second.
 */
export type ProviderDiscover = Record<symbol, never>;

/**
 * A provider as the settings form has it.
 */
export type ProviderDraft = { 
/**
 * The table name; made from the name when absent.
 */
id?: string, 
/**
 * For people.
 */
name: string, 
/**
 * As typed; a trailing slash or a full endpoint path is put right.
 */
baseUrl: string, 
/**
 * How it is spoken to.
 */
wireApi: WireApi, 
/**
 * A new key; the stored one stays when absent. Never logged.
 */
apiKey?: string, 
/**
 * The model to use from now on.
 */
model?: string, };

/**
 * A provider and what it offers, for the model picker.
 */
export type ProviderModels = { 
/**
 * The provider.
 */
provider: Provider, 
/**
 * Its models.
 */
models: Array<Model>, 
/**
 * Why the list is empty.
 */
failure?: Failure, };

/**
 * Asks the configured providers for their models.
 */
export type ProviderModelsList = { 
/**
 * Only this one.
 */
id?: string, };

/**
 * Adds or changes a provider and, with a model, makes it the one in use.
 */
export type ProviderSave = { 
/**
 * The provider.
 */
draft: ProviderDraft, };

/**
 * The answer of `provider/test`.
 */
export type ProviderTest = { 
/**
 * The model answered.
 */
ok: boolean, 
/**
 * Milliseconds to its first word.
 */
firstWordMs?: number, 
/**
 * What is wrong.
 */
failure?: Failure, 
/**
 * The models the provider lists.
 */
models: Array<Model>, 
/**
 * The other wire works where the chosen one does not.
 */
suggestedWireApi?: WireApi, };

/**
 * Asks a provider for one word and says what is wrong.
 */
export type ProviderTestRun = { 
/**
 * As in the form; without a key the stored one is used.
 */
draft: ProviderDraft, };

/**
 * Takes a waiting prompt back.
 */
export type QueueRemove = { 
/**
 * The thread.
 */
threadId: ThreadId, 
/**
 * The prompt.
 */
id: ItemId, };

/**
 * A prompt that waits for the running turn to end.
 */
export type QueuedInput = { 
/**
 * Becomes the id of the message.
 */
id: ItemId, 
/**
 * The prompt.
 */
input: Input, 
/**
 * JSON Schema that the agent's last word must follow; free text when absent.
 */
outputSchema?: unknown, };

/**
 * What could go wrong, in words the screen has for each.
 */
export type Risk = "writesOutside" | "network" | "deletes" | "unsandboxed" | "protectedPath";

/**
 * A standing answer.
 */
export type Rule = { 
/**
 * Its name.
 */
id: RuleId, 
/**
 * When it was made, milliseconds since the epoch.
 */
createdMs: number, 
/**
 * Where it came from: `person`, or the path of a rules file.
 */
origin: string, 
/**
 * How often it answered.
 */
matched: number, 
/**
 * When it last did.
 */
lastMatchedMs?: number, 
/**
 * What it is about.
 */
subject: RuleSubject, 
/**
 * What it says.
 */
effect: RuleEffect, 
/**
 * Only for threads in this folder or below; everywhere when absent.
 */
folder?: string, 
/**
 * Ends at this time, milliseconds since the epoch; never when absent.
 */
expiresMs?: number, };

/**
 * Removes a standing answer.
 */
export type RuleDelete = { 
/**
 * Which.
 */
id: RuleId, };

/**
 * A rule before it has an id.
 */
export type RuleDraft = { 
/**
 * What it is about.
 */
subject: RuleSubject, 
/**
 * What it says.
 */
effect: RuleEffect, 
/**
 * Only for threads in this folder or below; everywhere when absent.
 */
folder?: string, 
/**
 * Ends at this time, milliseconds since the epoch; never when absent.
 */
expiresMs?: number, };

/**
 * What a rule says.
 */
export type RuleEffect = "allow" | "deny" | "ask";

/**
 * Names a standing answer to such questions.
 */
export type RuleId = string;

/**
 * Lists the standing answers.
 */
export type RuleList = Record<symbol, never>;

/**
 * Makes or changes a standing answer.
 */
export type RuleSave = { 
/**
 * The one to change; a new one when absent.
 */
id?: RuleId, 
/**
 * What it says.
 */
draft: RuleDraft, };

/**
 * What a rule is about.
 */
export type RuleSubject = { "type": "commandPrefix", 
/**
 * The words.
 */
prefix: Array<string>, 
/**
 * Covers running without the sandbox too.
 */
escalated: boolean, } | { "type": "write", 
/**
 * Absolute folder.
 */
folder: string, };

/**
 * Tells whether a command would ask.
 */
export type RuleTest = { 
/**
 * The command.
 */
command: string, 
/**
 * Absolute folder.
 */
cwd: string, 
/**
 * Without the sandbox.
 */
escalated: boolean, };

/**
 * What commands may touch.
 */
export type SandboxMode = "read-only" | "workspace-write" | "danger-full-access";

/**
 * One place where a search found something.
 */
export type SearchHit = { 
/**
 * The thread.
 */
thread: ThreadSummary, 
/**
 * The event of the item; absent when the title matched.
 */
seq?: number, 
/**
 * The item.
 */
itemId?: ItemId, 
/**
 * Text around the match; `\u{2}` and `\u{3}` enclose what matched.
 */
snippet: string, };

/**
 * Reads the settings.
 */
export type SettingRead = Record<symbol, never>;

/**
 * Changes the person's `config.toml`, comments kept.
 */
export type SettingWrite = { 
/**
 * What changes.
 */
patch: SettingsPatch, };

/**
 * All that the settings screen shows.
 */
export type Settings = { 
/**
 * The provider new threads use; none before the first run.
 */
provider: Sourced<string | null>, 
/**
 * The model new threads use.
 */
model: Sourced<string | null>, 
/**
 * How hard it thinks; the provider's default when absent.
 */
effort: Sourced<Effort | null>, 
/**
 * What commands may touch.
 */
sandbox: Sourced<SandboxMode>, 
/**
 * When the person is asked.
 */
approval: Sourced<ApprovalPolicy>, 
/**
 * Network inside the sandbox.
 */
networkAccess: Sourced<boolean>, 
/**
 * Further folders that may be written.
 */
writableRoots: Sourced<Array<string>>, 
/**
 * The interface's language.
 */
language: Sourced<Language>, 
/**
 * The interface's colours.
 */
theme: Sourced<Theme>, 
/**
 * How much of the work is shown.
 */
density: Sourced<Density>, 
/**
 * The providers, the demo last.
 */
providers: Array<Provider>, 
/**
 * The last folders used, newest first.
 */
recentFolders: Array<string>, 
/**
 * Why a configuration file could not be read. Nothing of it is in force.
 */
broken?: Failure, };

/**
 * A change to the person's own `config.toml`; absent fields stay.
 */
export type SettingsPatch = { 
/**
 * The provider new threads use.
 */
provider?: string, 
/**
 * The model new threads use.
 */
model?: string, 
/**
 * How hard it thinks.
 */
effort?: Effort, 
/**
 * What commands may touch.
 */
sandbox?: SandboxMode, 
/**
 * When the person is asked.
 */
approval?: ApprovalPolicy, 
/**
 * Network inside the sandbox.
 */
networkAccess?: boolean, 
/**
 * Further folders that may be written.
 */
writableRoots?: Array<string>, 
/**
 * The interface's language.
 */
language?: Language, 
/**
 * The interface's colours.
 */
theme?: Theme, 
/**
 * How much of the work is shown.
 */
density?: Density, };

/**
 * A value and where it comes from.
 */
export type Sourced<T> = { 
/**
 * The value.
 */
value: T, 
/**
 * Where it comes from.
 */
origin: Origin, };

/**
 * How far a step of a plan is.
 */
export type StepStatus = "pending" | "in_progress" | "completed";

/**
 * Colours of the interface.
 */
export type Theme = "system" | "light" | "dark";

/**
 * Moves a thread out of the list, or back.
 */
export type ThreadArchive = { 
/**
 * The thread.
 */
threadId: ThreadId, 
/**
 * Out.
 */
archived: boolean, };

/**
 * Moves a thread to the bin, from which `thread/restore` brings it back.
 */
export type ThreadDelete = { 
/**
 * The thread.
 */
threadId: ThreadId, };

/**
 * Makes a thread that shares the beginning of another one: whole, or only what came before a turn.
 */
export type ThreadFork = { 
/**
 * The thread.
 */
threadId: ThreadId, 
/**
 * Only what came before this turn: "edit this message" is a fork and a new turn.
 */
beforeTurn?: TurnId, };

/**
 * Names a thread: one log, one folder, one conversation with the agent.
 */
export type ThreadId = string;

/**
 * Lists threads, pinned first, then newest first.
 */
export type ThreadList = { 
/**
 * The archived ones instead of the others.
 */
archived: boolean, };

/**
 * Lists all turns of a thread by their prompts.
 */
export type ThreadOutline = { 
/**
 * The thread.
 */
threadId: ThreadId, };

/**
 * Moves a thread onto the top of the list, or back.
 */
export type ThreadPin = { 
/**
 * The thread.
 */
threadId: ThreadId, 
/**
 * On top.
 */
pinned: boolean, };

/**
 * Reads a stretch of a thread from its end, or from before an earlier page.
 */
export type ThreadRead = { 
/**
 * The thread.
 */
threadId: ThreadId, 
/**
 * Events before this one; the newest when absent.
 */
before?: number, 
/**
 * The page must reach back at least to this event.
 */
reach?: number, };

/**
 * Gives a thread a title.
 */
export type ThreadRename = { 
/**
 * The thread.
 */
threadId: ThreadId, 
/**
 * The title; empty goes back to the first prompt.
 */
title: string, };

/**
 * Brings a deleted thread back.
 */
export type ThreadRestore = { 
/**
 * The thread.
 */
threadId: ThreadId, };

/**
 * Searches titles and contents of all threads.
 */
export type ThreadSearch = { 
/**
 * Words; all must occur, the last one may be a beginning.
 */
query: string, };

/**
 * What a thread runs with. Every turn remembers what it ran with.
 */
export type ThreadSettings = { 
/**
 * Provider id.
 */
provider: string, 
/**
 * Model id.
 */
model: string, 
/**
 * How hard it thinks; the provider's default when absent.
 */
effort?: Effort, 
/**
 * What commands may touch.
 */
sandbox: SandboxMode, 
/**
 * When the person is asked.
 */
approval: ApprovalPolicy, };

/**
 * A change to a thread's settings; absent fields stay.
 */
export type ThreadSettingsPatch = { 
/**
 * Provider id.
 */
provider?: string, 
/**
 * Model id.
 */
model?: string, 
/**
 * How hard it thinks.
 */
effort?: Effort, 
/**
 * What commands may touch.
 */
sandbox?: SandboxMode, 
/**
 * When the person is asked.
 */
approval?: ApprovalPolicy, };

/**
 * Changes what a thread runs with, from its next turn on.
 */
export type ThreadSettingsSet = { 
/**
 * The thread.
 */
threadId: ThreadId, 
/**
 * What changes.
 */
settings: ThreadSettingsPatch, };

/**
 * Starts a thread in a folder. Nothing is asked of a model yet.
 */
export type ThreadStart = { 
/**
 * Absolute folder.
 */
cwd: string, 
/**
 * What differs from the settings.
 */
settings: ThreadSettingsPatch, };

/**
 * What a thread is doing.
 */
export type ThreadStatus = "idle" | "running" | "waiting";

/**
 * A thread in a list.
 */
export type ThreadSummary = { 
/**
 * Its name.
 */
id: ThreadId, 
/**
 * For people: given, or the beginning of the first prompt; empty before it.
 */
title: string, 
/**
 * Absolute folder.
 */
cwd: string, 
/**
 * Milliseconds since the epoch.
 */
createdMs: number, 
/**
 * Of the last event.
 */
updatedMs: number, 
/**
 * On top of the list.
 */
pinned: boolean, 
/**
 * Out of the list.
 */
archived: boolean, 
/**
 * What it is doing.
 */
status: ThreadStatus, 
/**
 * The last event.
 */
headSeq: number, 
/**
 * What it runs with.
 */
settings: ThreadSettings, 
/**
 * Where it branched off.
 */
forkedFrom?: ForkPoint, };

/**
 * What can be followed.
 */
export type Topic = { "type": "home" } | { "type": "thread", 
/**
 * Which.
 */
threadId: ThreadId, 
/**
 * The last event already seen; 0 for all.
 */
after: number, };

/**
 * A file of a turn's changes, with whether it was undone.
 */
export type TurnChange = { 
/**
 * What changed, from before the turn to after it.
 */
change: FileChange, 
/**
 * Its change was taken back.
 */
undone: boolean, 
/**
 * The file was edited since by somebody else, so an undo would overwrite that.
 */
modifiedSince: boolean, };

/**
 * Lists what a turn changed in files.
 */
export type TurnChanges = { 
/**
 * The thread.
 */
threadId: ThreadId, 
/**
 * The turn; all turns together when absent.
 */
turnId?: TurnId, };

/**
 * Names a turn: what follows one prompt, up to the agent's last word.
 */
export type TurnId = string;

/**
 * Stops the running turn and its processes.
 */
export type TurnInterrupt = { 
/**
 * The thread.
 */
threadId: ThreadId, };

/**
 * Makes changes again that were taken back.
 */
export type TurnRedo = { 
/**
 * The thread.
 */
threadId: ThreadId, 
/**
 * The turn.
 */
turnId: TurnId, 
/**
 * Only these files (absolute); all when absent.
 */
paths?: Array<string>, };

/**
 * Gives a prompt to a thread. While a turn runs it is queued.
 */
export type TurnStart = { 
/**
 * The thread.
 */
threadId: ThreadId, 
/**
 * The prompt.
 */
input: Input, 
/**
 * JSON Schema that the agent's last word must follow; free text when absent.
 */
outputSchema?: unknown, };

/**
 * What became of a prompt.
 */
export type TurnStarted = { 
/**
 * The turn it began; absent when it was queued.
 */
turnId?: TurnId, 
/**
 * The message's id.
 */
itemId: ItemId, };

/**
 * How a turn ended, or that it did not.
 */
export type TurnStatus = { "type": "running" } | { "type": "completed" } | { "type": "interrupted", 
/**
 * By whom or what.
 */
reason: InterruptReason, } | { "type": "failed", 
/**
 * Why.
 */
failure: Failure, };

/**
 * Gives input to the running turn: the model reads it before its next step.
 */
export type TurnSteer = { 
/**
 * The thread.
 */
threadId: ThreadId, 
/**
 * The input.
 */
input: Input, };

/**
 * A turn that a page shows at least a part of.
 */
export type TurnSummary = { 
/**
 * Its name.
 */
id: TurnId, 
/**
 * Its first event.
 */
firstSeq: number, 
/**
 * Milliseconds since the epoch.
 */
startedMs: number, 
/**
 * When it ended.
 */
endedMs?: number, 
/**
 * How it ended.
 */
status: TurnStatus, 
/**
 * The beginning of its prompt, for the outline.
 */
prompt: string, };

/**
 * Takes back what a turn changed.
 */
export type TurnUndo = { 
/**
 * The thread.
 */
threadId: ThreadId, 
/**
 * The turn.
 */
turnId: TurnId, 
/**
 * Only these files (absolute); all when absent.
 */
paths?: Array<string>, 
/**
 * Only this hunk (from 0) of the single path.
 */
hunk?: number, 
/**
 * Also where the file was edited since by somebody else.
 */
force: boolean, };

/**
 * Tokens.
 */
export type Usage = { 
/**
 * Read by the model.
 */
inputTokens: number, 
/**
 * Of those, from the provider's cache.
 */
cachedInputTokens: number, 
/**
 * Written by the model.
 */
outputTokens: number, 
/**
 * Of those, thought.
 */
reasoningOutputTokens: number, };

/**
 * The answer of `rule/test`.
 */
export type Verdict = { "type": "allowed", 
/**
 * Because of this rule; because of sandbox and policy when absent.
 */
ruleId?: RuleId, } | { "type": "denied", 
/**
 * Because of this rule; because of the policy when absent.
 */
ruleId?: RuleId, } | { "type": "asks" };

/**
 * How a provider is spoken to.
 */
export type WireApi = "responses" | "chat";

/** Every method of the engine: its params and its answer. */
export interface Methods {
  "thread/start": { params: ThreadStart; answer: ThreadSummary };
  "thread/list": { params: ThreadList; answer: Array<ThreadSummary> };
  "thread/read": { params: ThreadRead; answer: Page };
  "thread/outline": { params: ThreadOutline; answer: Array<TurnSummary> };
  "thread/fork": { params: ThreadFork; answer: ThreadSummary };
  "thread/rename": { params: ThreadRename; answer: Done };
  "thread/pin": { params: ThreadPin; answer: Done };
  "thread/archive": { params: ThreadArchive; answer: Done };
  "thread/delete": { params: ThreadDelete; answer: Done };
  "thread/restore": { params: ThreadRestore; answer: ThreadSummary };
  "thread/search": { params: ThreadSearch; answer: Array<SearchHit> };
  "thread/settings": { params: ThreadSettingsSet; answer: ThreadSummary };
  "turn/start": { params: TurnStart; answer: TurnStarted };
  "turn/steer": { params: TurnSteer; answer: Done };
  "turn/interrupt": { params: TurnInterrupt; answer: Done };
  "turn/changes": { params: TurnChanges; answer: Array<TurnChange> };
  "turn/undo": { params: TurnUndo; answer: Array<TurnChange> };
  "turn/redo": { params: TurnRedo; answer: Array<TurnChange> };
  "queue/remove": { params: QueueRemove; answer: Done };
  "approval/decide": { params: ApprovalDecide; answer: Done };
  "rule/list": { params: RuleList; answer: Array<Rule> };
  "rule/save": { params: RuleSave; answer: Rule };
  "rule/delete": { params: RuleDelete; answer: Done };
  "rule/test": { params: RuleTest; answer: Verdict };
  "file/search": { params: FileSearch; answer: Array<FileHit> };
  "folder/check": { params: FolderCheck; answer: FolderState };
  "attachment/check": { params: AttachmentCheck; answer: Array<Attachment> };
  "attachment/paste": { params: AttachmentPaste; answer: Attachment };
  "artifact/list": { params: ArtifactList; answer: Array<ArtifactEntry> };
  "artifact/read": { params: ArtifactRead; answer: ArtifactText };
  "artifact/save": { params: ArtifactSave; answer: Done };
  "output/read": { params: OutputRead; answer: OutputWindow };
  "setting/read": { params: SettingRead; answer: Settings };
  "setting/write": { params: SettingWrite; answer: Settings };
  "provider/save": { params: ProviderSave; answer: Settings };
  "provider/delete": { params: ProviderDelete; answer: Settings };
  "provider/test": { params: ProviderTestRun; answer: ProviderTest };
  "provider/models": { params: ProviderModelsList; answer: Array<ProviderModels> };
  "provider/discover": { params: ProviderDiscover; answer: Array<LocalServer> };
  "doctor/run": { params: DoctorRun; answer: Array<Finding> };
}
