//! Rollouts that released versions wrote load for ever.

use std::collections::BTreeSet;

use protocol::{Event, EventKind, ThreadId};

use super::scene::{self, Scene};

const GOLDEN_0_1: &str = include_str!("../../golden/rollout-0.1.jsonl");

#[tokio::test]
async fn a_rollout_of_0_1_loads() {
    let events: Vec<Event> = GOLDEN_0_1.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    let EventKind::ThreadStarted { thread_id: id, .. } = &events[0].kind else {
        unreachable!()
    };
    assert_eq!(kinds(&events), expected_kinds());

    let scene = Scene::new();
    let path = scene.rollout(id);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, GOLDEN_0_1).unwrap();
    let page = scene.logs.page(id, None, Some(1)).await.unwrap();
    let seen = |it: &&Event| !matches!(it.kind, EventKind::ContextAppended { .. });
    assert_eq!(page.events, events.iter().filter(seen).cloned().collect::<Vec<_>>());
    let log = scene.logs.write(id).await.unwrap();
    assert_eq!(log.context().unwrap().len(), 4);
    let state = log.state();
    assert_eq!(state.summary.title, "Golden");
    assert_eq!(
        (
            state.turns,
            state.open_items.len(),
            state.approvals.len(),
            state.queue.len()
        ),
        (3, 1, 1, 1)
    );
    assert_eq!(state.open_turn.as_ref().map(|it| it.as_str()), Some("turn-3"));
    assert_eq!(state.artifacts.len(), 1);
    assert_eq!(state.usage.input_tokens, 100);
    let outline = scene.logs.outline(id).await.unwrap();
    assert_eq!(outline.len(), 3);
    assert_eq!(outline[0].prompt, "Write a report, 写报告");
    assert_eq!(scene.logs.search("报告").await.unwrap().len(), 1);

    // Written again it is the same: a fork or an export changes nothing.
    for (line, event) in GOLDEN_0_1.lines().zip(&events) {
        let (old, new): (serde_json::Value, serde_json::Value) = (
            serde_json::from_str(line).unwrap(),
            serde_json::to_value(event).unwrap(),
        );
        assert_eq!(old, new);
    }
}

/// Kinds of events and of items.
fn kinds(events: &[Event]) -> BTreeSet<String> {
    let mut kinds = BTreeSet::new();
    for event in events {
        let json = serde_json::to_value(event).unwrap();
        kinds.insert(json["type"].as_str().unwrap().to_owned());
        if let Some(kind) = json["item"]["type"].as_str() {
            kinds.insert(format!("item {kind}"));
        }
    }
    kinds
}

fn expected_kinds() -> BTreeSet<String> {
    [
        "approvalRequested",
        "approvalResolved",
        "changesReverted",
        "contextAppended",
        "inputDequeued",
        "inputQueued",
        "item agentMessage",
        "item artifact",
        "item command",
        "item commandInput",
        "item error",
        "item fileChange",
        "item imageView",
        "item plan",
        "item reasoning",
        "item toolCall",
        "item userMessage",
        "itemAppended",
        "itemCompleted",
        "itemStarted",
        "itemUpdated",
        "settingsChanged",
        "threadArchived",
        "threadPinned",
        "threadRenamed",
        "threadStarted",
        "turnCompleted",
        "turnFailed",
        "turnInterrupted",
        "turnStarted",
        "usageUpdated",
    ]
    .map(str::to_owned)
    .into()
}

#[tokio::test]
async fn a_thread_without_its_first_line_still_loads() {
    let scene = Scene::new();
    let id = ThreadId::new();
    let path = scene.rollout(&id);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let rest: String = GOLDEN_0_1.split_inclusive('\n').skip(1).collect();
    std::fs::write(&path, format!("damaged\n{rest}")).unwrap();
    let state = scene.logs.write(&id).await.unwrap().state();
    assert_eq!((state.summary.id.clone(), state.turns), (id, 3));
    let log = scene.logs.create(scene::started(state.summary.id.clone())).await;
    assert!(matches!(log, Err(agent::log::Error::Exists(_))));
}
