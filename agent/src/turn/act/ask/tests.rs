//! Whose answer counts.

use super::*;

#[test]
fn a_question_is_answered_or_taken_back_but_never_both() {
    let pending = Pending::new();
    let id = ApprovalId::default();
    let mut answer = pending.wait(&id);
    let Claim::Waits(sender) = pending.claim(&id) else {
        panic!("nobody waits")
    };
    assert!(!pending.withdraw(&id));
    sender.send(Decision::Once).unwrap();
    assert_eq!(answer.try_recv(), Ok(Decision::Once));

    let id = ApprovalId::default();
    let _answer = pending.wait(&id);
    assert!(pending.withdraw(&id));
    assert!(matches!(pending.claim(&id), Claim::Over));
}

#[test]
fn an_answer_that_comes_early_is_there_when_the_call_asks() {
    let pending = Pending::new();
    let id = ApprovalId::default();
    assert!(matches!(pending.claim(&id), Claim::NotYet));
    pending.answer_early(&id, Decision::Thread);
    assert!(matches!(pending.claim(&id), Claim::Over));
    assert_eq!(pending.wait(&id).try_recv(), Ok(Decision::Thread));
}
