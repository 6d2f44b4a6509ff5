//! Questions to the person, the answers, and rules: answers that stay.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::change::FileChange;
use crate::id::{ApprovalId, ItemId, RuleId, TurnId};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Ask {
    /// To run a command.
    Command {
        /// Exactly what would run.
        command: String,
        /// Absolute folder.
        cwd: String,
        /// Without the sandbox.
        escalated: bool,
    },
    /// To change files.
    Patch {
        /// The changes.
        changes: Vec<FileChange>,
    },
}

/// What could go wrong, in words the screen has for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Risk {
    /// Writes outside the thread's folder.
    WritesOutside,
    /// Reaches the network.
    Network,
    /// Deletes files.
    Deletes,
    /// Runs without the sandbox.
    Unsandboxed,
    /// Touches `.git`, `.zspark` or `.codex`.
    ProtectedPath,
}

/// A question that waits for an answer. Kept in the log, so it outlives a restart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Approval {
    /// Its name.
    pub id: ApprovalId,
    /// The turn that waits.
    pub turn_id: TurnId,
    /// The item that waits.
    pub item_id: ItemId,
    /// The model's call that waits: a restart finds it again by this.
    pub call_id: String,
    /// What is asked for.
    pub ask: Ask,
    /// Why, in the model's words. Not to be trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reason: Option<String>,
    /// What could go wrong.
    pub risks: Vec<Risk>,
    /// The rule that "always" would make; absent where no sensible rule exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub proposed_rule: Option<RuleDraft>,
    /// When it was asked, milliseconds since the epoch.
    pub at_ms: u64,
}

/// What the person answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Decision {
    /// Yes, this once.
    Once,
    /// Yes, and do not ask for the like again in this thread.
    Thread,
    /// Yes, and keep this rule.
    Always {
        /// The rule, as edited by the person.
        rule: RuleDraft,
    },
    /// No. The model is told, with the note if there is one.
    Decline {
        /// Why not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        note: Option<String>,
        /// End the turn too.
        #[serde(default)]
        interrupt: bool,
    },
}

/// Who or what decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum DecidedBy {
    /// The person at this machine.
    Person,
    /// A rule.
    Rule {
        /// Which.
        rule_id: RuleId,
    },
    /// Nobody was there to ask, or the turn ended first.
    Nobody,
}

/// What a rule is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum RuleSubject {
    /// Commands whose words begin with these. Every part of a compound command must match some rule.
    CommandPrefix {
        /// The words.
        prefix: Vec<String>,
        /// Covers running without the sandbox too.
        escalated: bool,
    },
    /// Changes to files below this folder.
    Write {
        /// Absolute folder.
        folder: String,
    },
}

/// What a rule says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum RuleEffect {
    /// Do it without asking.
    Allow,
    /// Never do it; the model is told so.
    Deny,
    /// Ask each time, even where another rule allows it.
    Ask,
}

/// A rule before it has an id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RuleDraft {
    /// What it is about.
    pub subject: RuleSubject,
    /// What it says.
    pub effect: RuleEffect,
    /// Only for threads in this folder or below; everywhere when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub folder: Option<String>,
    /// Ends at this time, milliseconds since the epoch; never when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub expires_ms: Option<u64>,
}

/// A standing answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// Its name.
    pub id: RuleId,
    /// What it says.
    #[serde(flatten)]
    pub draft: RuleDraft,
    /// When it was made, milliseconds since the epoch.
    pub created_ms: u64,
    /// Where it came from: `person`, or the path of a rules file.
    pub origin: String,
    /// How often it answered.
    pub matched: u64,
    /// When it last did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub last_matched_ms: Option<u64>,
}

/// The answer of `rule/test`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Verdict {
    /// It would run without a question.
    Allowed {
        /// Because of this rule; because of sandbox and policy when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        rule_id: Option<RuleId>,
    },
    /// It would be refused.
    Denied {
        /// Because of this rule; because of the policy when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        rule_id: Option<RuleId>,
    },
    /// The person would be asked.
    Asks,
}
