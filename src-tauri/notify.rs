//! A notification when a turn ends or asks while the window is not in front. A click on it opens the thread.

use std::collections::HashMap;

use protocol::host::HostEvent;
use protocol::request::SettingRead;
use protocol::setting::{Language, Settings};
use protocol::thread::{ThreadStatus, ThreadSummary};
use protocol::{Frame, ThreadId, Topic};
use tauri::{AppHandle, Manager};
use tauri_plugin_notification::NotificationExt;

use crate::follow::Followers;
use crate::host::{self, Host};
use crate::window;

#[cfg(test)]
mod tests;

const THREAD: &str = "thread";

/// Watches the list of threads from now on.
pub(crate) fn watch(app: &AppHandle) -> Result<(), tauri_plugin_notification::Error> {
    let clicked = app.clone();
    app.notification().on_action(move |action| {
        let thread = action.notification().and_then(|it| it.extra().get(THREAD)?.as_str());
        if let Some(thread) = thread {
            let thread_id = ThreadId::from(thread);
            clicked.state::<Host>().news.tell(HostEvent::OpenThread { thread_id });
        }
        window::bring_to_front(&clicked);
    })?;
    let watching = app.clone();
    app.state::<Followers>().spawn(async move {
        let host = watching.state::<Host>();
        let engine = host.started().await;
        let mut watch = Watch::default();
        if let Ok(settings) = engine.ask(SettingRead {}).await {
            watch.follow_language(&settings.0);
        }
        let mut home = match engine.follow(Topic::Home).await {
            Ok(home) => home,
            Err(failure) => return tracing::warn!(%failure, "no notifications"),
        };
        while let Some(frame) = home.next().await {
            for note in watch.take(frame) {
                show(&watching, &note);
            }
        }
    });
    Ok(())
}

fn show(app: &AppHandle, note: &Note) {
    let in_front = app
        .get_webview_window(window::LABEL)
        .is_some_and(|it| it.is_focused().unwrap_or(false));
    if in_front {
        return;
    }
    let shown = app
        .notification()
        .builder()
        .title(&note.title)
        .body(note.body)
        .extra(THREAD, note.thread_id.as_str())
        .show();
    if let Err(error) = shown {
        tracing::warn!(%error, "a notification cannot be shown");
    }
}

/// One notification.
#[derive(Debug, PartialEq, Eq)]
struct Note {
    thread_id: ThreadId,
    title: String,
    body: &'static str,
}

/// What the threads did before, so that only changes are told.
#[derive(Default)]
struct Watch {
    chinese: bool,
    before: HashMap<ThreadId, ThreadStatus>,
}

impl Watch {
    fn follow_language(&mut self, settings: &Settings) {
        self.chinese = match settings.language.value {
            Language::En => false,
            Language::ZhCn => true,
            Language::System => host::locale().starts_with("zh"),
        };
    }

    fn take(&mut self, frame: Frame) -> Vec<Note> {
        if let Some(settings) = &frame.settings {
            self.follow_language(settings);
        }
        for gone in &frame.removed {
            self.before.remove(gone);
        }
        frame.threads.into_iter().filter_map(|it| self.note(it)).collect()
    }

    fn note(&mut self, thread: ThreadSummary) -> Option<Note> {
        let before = self.before.insert(thread.id.clone(), thread.status);
        let body = match (before.unwrap_or(ThreadStatus::Idle), thread.status) {
            (ThreadStatus::Idle | ThreadStatus::Running, ThreadStatus::Waiting) => {
                if self.chinese {
                    "需要你的许可才能继续"
                } else {
                    "Needs your answer to go on"
                }
            }
            (ThreadStatus::Running | ThreadStatus::Waiting, ThreadStatus::Idle) => {
                if self.chinese {
                    "已结束"
                } else {
                    "Has ended"
                }
            }
            (_, ThreadStatus::Running)
            | (ThreadStatus::Idle, ThreadStatus::Idle)
            | (ThreadStatus::Waiting, ThreadStatus::Waiting) => return None,
        };
        let title = if thread.title.is_empty() {
            "zspark".to_owned()
        } else {
            thread.title
        };
        Some(Note {
            thread_id: thread.id,
            title,
            body,
        })
    }
}
