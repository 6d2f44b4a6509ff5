//! Decides on a call: rules, then what was allowed for this thread, then the policy, then the person.
//!
//! A question lives in the log, not here: it outlives the program, and the turn goes on when it is answered.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use protocol::approval::{Approval, DecidedBy, Decision, Rule, RuleEffect};
use protocol::setting::ApprovalPolicy;
use protocol::{ApprovalId, EventKind, ItemId, RuleId, TurnId};
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::super::{Error, Seams, append};
use crate::approval::{self, Judgement, Question};
use crate::command;
use crate::rule::{self, RuleQuery, Rules};
use crate::tool::{Access, Call, Grant};

/// Questions that wait for the person, in this process.
#[derive(Clone)]
pub(crate) struct Pending {
    questions: Arc<Mutex<Questions>>,
    /// Counts answers that may cover other questions: a new rule, a yes for the thread.
    widened: watch::Sender<u64>,
}

#[derive(Default)]
struct Questions {
    waiting: HashMap<ApprovalId, oneshot::Sender<Decision>>,
    /// Answers that came before the call that asks was taken up again after a restart.
    early: HashMap<ApprovalId, Decision>,
    /// Questions that need no answer any more.
    withdrawn: HashSet<ApprovalId>,
    /// Questions from before a restart, by the call that asked.
    parked: HashMap<String, Parked>,
}

/// Whether a question can be answered.
#[derive(Debug)]
pub(crate) enum Claim {
    /// A call waits for the answer here.
    Waits(oneshot::Sender<Decision>),
    /// The call that asked was not taken up again yet.
    NotYet,
    /// Somebody else answers it, or it needs no answer any more.
    Over,
}

/// A question from before a restart.
#[derive(Debug, Clone)]
pub(crate) struct Parked {
    /// The question.
    pub(crate) approval: ApprovalId,
    /// The item that waits.
    pub(crate) item: ItemId,
}

impl Pending {
    pub(crate) fn new() -> Self {
        Self {
            questions: Arc::default(),
            widened: watch::Sender::new(0),
        }
    }

    fn questions(&self) -> std::sync::MutexGuard<'_, Questions> {
        self.questions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers questions from before a restart, until their calls are taken up again.
    pub(crate) fn park(&self, approvals: &[Approval]) {
        let parked = approvals.iter().map(|it| {
            (
                it.call_id.clone(),
                Parked {
                    approval: it.id.clone(),
                    item: it.item_id.clone(),
                },
            )
        });
        self.questions().parked.extend(parked);
    }

    /// Questions from before a restart are known.
    pub(crate) fn any_parked(&self) -> bool {
        !self.questions().parked.is_empty()
    }

    /// The question a call had asked before a restart.
    pub(crate) fn parked(&self, call_id: &str) -> Option<Parked> {
        self.questions().parked.get(call_id).cloned()
    }

    /// Takes the right to answer. Only one has it, so each question is answered once.
    pub(crate) fn claim(&self, id: &ApprovalId) -> Claim {
        let mut questions = self.questions();
        if questions.withdrawn.contains(id) || questions.early.contains_key(id) {
            return Claim::Over;
        }
        questions.waiting.remove(id).map_or(Claim::NotYet, Claim::Waits)
    }

    /// Keeps an answer until the call that asks is taken up again, and hands it over if that happened meanwhile.
    pub(crate) fn answer_early(&self, id: &ApprovalId, decision: Decision) {
        let mut questions = self.questions();
        let unheard = match questions.waiting.remove(id) {
            Some(sender) => sender.send(decision).err(),
            None => Some(decision),
        };
        if let Some(decision) = unheard {
            questions.early.insert(id.clone(), decision);
        }
    }

    /// Takes a question back, unless somebody is answering it right now.
    fn withdraw(&self, id: &ApprovalId) -> bool {
        let mut questions = self.questions();
        let ours = questions.waiting.remove(id).is_some();
        if ours {
            questions.withdrawn.insert(id.clone());
        }
        ours
    }

    /// Lets the questions that wait look again whether they are still needed.
    pub(crate) fn widen(&self) {
        self.widened.send_modify(|it| *it += 1);
    }

    fn wait(&self, id: &ApprovalId) -> oneshot::Receiver<Decision> {
        let (sender, receiver) = oneshot::channel();
        let mut questions = self.questions();
        if let Some(decision) = questions.early.remove(id) {
            // The receiver is right here, so this cannot fail.
            let _ = sender.send(decision);
        } else {
            questions.waiting.insert(id.clone(), sender);
        }
        receiver
    }
}

/// What rules, policy and earlier answers say.
enum Judged {
    /// Nobody need be asked.
    Settled(Outcome),
    /// The person is.
    Asks(Box<Question>, Grant),
}

/// What became of a call.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It may run.
    Go(Grant),
    /// The person said no; the model reads why.
    Declined(String),
    /// It may not, whoever was asked; the model and the person read why.
    No(String),
    /// It may not, and the turn ends.
    NoAndStop(String),
    /// The turn was stopped while it waited.
    Stopped,
}

/// Decides on calls.
#[derive(Clone)]
pub(crate) struct Asker {
    /// The standing answers.
    pub(crate) rules: Rules,
    /// The questions that wait.
    pub(crate) pending: Pending,
    /// When the person is asked.
    pub(crate) policy: ApprovalPolicy,
    /// Somebody is there who can answer.
    pub(crate) attended: bool,
}

impl Asker {
    pub(super) async fn decide(
        &self,
        seams: &Seams,
        turn_id: &TurnId,
        call: &Call,
        item_id: &ItemId,
        access: &Access,
        stop: &CancellationToken,
    ) -> Result<Outcome, Error> {
        let rule = match self.rule(seams, access).await {
            Ok(it) => it,
            Err(error) => {
                let why = format!("not run, because the person's rules cannot be read: {error}");
                return self.without_asking(seams, call, None, Outcome::No(why));
            }
        };
        let rule_id = rule.as_ref().map(|it| it.id.clone());
        match self.judge(seams, access, rule.map(|it| it.draft.effect)) {
            Judged::Settled(outcome) => self.without_asking(seams, call, rule_id, outcome),
            Judged::Asks(question, grant) => {
                self.ask(seams, turn_id, call, item_id, access, *question, grant, stop)
                    .await
            }
        }
    }

    /// A call that nobody is asked about. If somebody was, before a restart, that question is answered with it.
    fn without_asking(
        &self,
        seams: &Seams,
        call: &Call,
        rule_id: Option<RuleId>,
        outcome: Outcome,
    ) -> Result<Outcome, Error> {
        let parked = self.pending.parked(&call.call_id).map(|it| it.approval);
        let open = parked.filter(|id| seams.log.state().approvals.iter().any(|it| it.id == *id));
        if let Some(id) = open {
            let decision = match &outcome {
                Outcome::Go(_) => Decision::Once,
                Outcome::No(why) | Outcome::Declined(why) | Outcome::NoAndStop(why) => Decision::Decline {
                    note: Some(why.clone()),
                    interrupt: false,
                },
                Outcome::Stopped => Decision::Decline {
                    note: None,
                    interrupt: true,
                },
            };
            let by = rule_id.map_or(DecidedBy::Nobody, |rule_id| DecidedBy::Rule { rule_id });
            resolve(seams, &id, decision, by)?;
        }
        Ok(outcome)
    }

    fn judge(&self, seams: &Seams, access: &Access, rule: Option<RuleEffect>) -> Judged {
        let judgement = approval::judge(&seams.cx.policy, self.policy, access);
        let (question, grant) = match (judgement, rule) {
            (_, Some(RuleEffect::Deny)) => {
                return Judged::Settled(Outcome::No(
                    "a rule of the person forbids this; do not try again".to_owned(),
                ));
            }
            (Judgement::Allowed(grant) | Judgement::Asks(_, grant), Some(RuleEffect::Allow)) => {
                return Judged::Settled(Outcome::Go(grant));
            }
            // A rule is a yes that was given before, so it counts where nobody can be asked.
            (Judgement::Refused(_), Some(RuleEffect::Allow)) => {
                return Judged::Settled(Outcome::Go(Grant::Unsandboxed));
            }
            (Judgement::Allowed(grant), Some(RuleEffect::Ask)) => {
                match approval::question(&seams.cx.policy, access, grant) {
                    Some(question) => (question, grant),
                    None => return Judged::Settled(Outcome::Go(grant)),
                }
            }
            (Judgement::Allowed(grant), None) => return Judged::Settled(Outcome::Go(grant)),
            (Judgement::Refused(why), _) => return Judged::Settled(Outcome::No(why)),
            (Judgement::Asks(question, grant), _) => (question, grant),
        };
        if granted_for_thread(seams, &question) {
            return Judged::Settled(Outcome::Go(grant));
        }
        if !self.attended || self.policy == ApprovalPolicy::Never {
            return Judged::Settled(Outcome::No(
                "nobody is there to allow this; go on without it, or say what is missing".to_owned(),
            ));
        }
        Judged::Asks(Box::new(question), grant)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one question; a struct would be made once and read once"
    )]
    async fn ask(
        &self,
        seams: &Seams,
        turn_id: &TurnId,
        call: &Call,
        item_id: &ItemId,
        access: &Access,
        question: Question,
        grant: Grant,
        stop: &CancellationToken,
    ) -> Result<Outcome, Error> {
        let earlier = self.pending.parked(&call.call_id).map(|it| it.approval);
        let id = earlier.clone().unwrap_or_default();
        let mut answer = self.pending.wait(&id);
        let mut widened = self.pending.widened.subscribe();
        if earlier.is_none() {
            let approval = Approval {
                id: id.clone(),
                turn_id: turn_id.clone(),
                item_id: item_id.clone(),
                call_id: call.call_id.clone(),
                ask: question.ask.clone(),
                reason: question.reason.clone(),
                risks: question.risks.clone(),
                proposed_rule: question.proposed.clone(),
                at_ms: seams.clock.now_ms(),
            };
            append(seams, EventKind::ApprovalRequested { approval })?;
            seams.log.sync()?;
        }
        loop {
            tokio::select! {
                biased;
                decision = &mut answer => {
                    // The thread wrote the answer down before it handed it over.
                    return Ok(decision.map_or(Outcome::Stopped, |it| outcome(it, grant)));
                }
                () = stop.cancelled() => {
                    if !self.pending.withdraw(&id) {
                        // An answer is just being written down; it counts.
                        return Ok(answer.await.map_or(Outcome::Stopped, |it| outcome(it, grant)));
                    }
                    let decision = Decision::Decline { note: None, interrupt: true };
                    resolve(seams, &id, decision, DecidedBy::Nobody)?;
                    return Ok(Outcome::Stopped);
                }
                Ok(()) = widened.changed() => {
                    // Rules that cannot be read answer nothing; the question waits on.
                    let rule = self.rule(seams, access).await.ok().flatten();
                    let decision = rule.as_ref().and_then(|it| match it.draft.effect {
                        RuleEffect::Allow => Some(Decision::Once),
                        RuleEffect::Deny => Some(Decision::Decline { note: None, interrupt: false }),
                        RuleEffect::Ask => None,
                    });
                    if let (Some(rule), Some(decision)) = (rule, decision)
                        && self.pending.withdraw(&id)
                    {
                        resolve(seams, &id, decision.clone(), DecidedBy::Rule { rule_id: rule.id })?;
                        return Ok(outcome(decision, grant));
                    }
                    if granted_for_thread(seams, &question) && self.pending.withdraw(&id) {
                        resolve(seams, &id, Decision::Once, DecidedBy::Person)?;
                        return Ok(Outcome::Go(grant));
                    }
                }
            }
        }
    }

    /// The rule that covers a call, if any.
    async fn rule(&self, seams: &Seams, access: &Access) -> Result<Option<Rule>, rule::Error> {
        let (line, escalated, write_paths) = match access {
            Access::Nothing | Access::Read(_) => return Ok(None),
            Access::Command(it) => (Some(it.line()), it.escalated, Vec::new()),
            Access::Write(changes) => (None, false, approval::paths(changes).map(command::lexical).collect()),
        };
        let query = RuleQuery {
            line,
            cwd: seams.cx.cwd.clone(),
            escalated,
            write_paths,
            now_ms: seams.clock.now_ms(),
        };
        self.rules.decide(&query).await
    }
}

fn granted_for_thread(seams: &Seams, question: &Question) -> bool {
    seams
        .log
        .state()
        .granted
        .iter()
        .any(|it| approval::covered_by_thread_grant(question, it))
}

fn resolve(seams: &Seams, id: &ApprovalId, decision: Decision, by: DecidedBy) -> Result<(), Error> {
    append(
        seams,
        EventKind::ApprovalResolved {
            approval_id: id.clone(),
            decision,
            by,
        },
    )
}

fn outcome(decision: Decision, grant: Grant) -> Outcome {
    match decision {
        Decision::Once | Decision::Thread | Decision::Always { .. } => Outcome::Go(grant),
        Decision::Decline { note, interrupt } => {
            let mut text = "rejected by the person".to_owned();
            if let Some(note) = note.filter(|it| !it.trim().is_empty()) {
                text.push_str(", who says: ");
                text.push_str(note.trim());
            }
            if interrupt {
                Outcome::NoAndStop(text)
            } else {
                Outcome::Declined(text)
            }
        }
    }
}

#[cfg(test)]
mod tests;
