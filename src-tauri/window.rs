//! The one window: made hidden, shown when its page is drawn, reloaded when its page dies.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use agent::home::Home;
use tauri::plugin::TauriPlugin;
use tauri::webview::{NewWindowResponse, PageLoadEvent, WebviewWindowBuilder};
use tauri::{AppHandle, Manager, Url, WebviewUrl, Wry};
use tauri_plugin_window_state::StateFlags;

use crate::follow::Followers;

#[cfg(test)]
mod tests;

/// The window's label, as the capability names it.
pub(crate) const LABEL: &str = "main";

/// What the window remembers of itself.
#[derive(Default)]
pub(crate) struct Window {
    shown: AtomicBool,
    deaths: Mutex<Deaths>,
}

/// Remembers size and place in the home.
pub(crate) fn remembered(home: &Home) -> TauriPlugin<Wry> {
    tauri_plugin_window_state::Builder::new()
        .with_filename(home.root().join("window.json").display().to_string())
        // Whether it is shown is decided here, once the page is drawn.
        .with_state_flags(StateFlags::all() - StateFlags::VISIBLE)
        .build()
}

/// Makes the window, hidden.
pub(crate) fn open(app: &AppHandle, home: &Home) -> tauri::Result<()> {
    let window = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::App("index.html".into()))
        .title("zspark")
        .inner_size(1200.0, 800.0)
        .min_inner_size(480.0, 360.0)
        .visible(false)
        .data_directory(page_data(home))
        .on_navigation(may_load)
        // Links go to the person's browser through `host/openUrl`; nothing opens windows here.
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_page_load(|window, load| {
            if load.event() == PageLoadEvent::Started {
                window.state::<Followers>().forget_page();
            }
        })
        .build()?;
    reload_when_it_dies(&window)?;
    let waiting = app.clone();
    app.state::<Followers>().spawn(async move {
        // A page that never says that it is ready must still be seen, if only to be looked into.
        tokio::time::sleep(Duration::from_secs(2)).await;
        show_first_time(&waiting);
    });
    Ok(())
}

/// Where the page keeps its drafts. With a home that cannot be used the window still opens, to say so, and keeps nothing.
fn page_data(home: &Home) -> PathBuf {
    match home.prepare() {
        Ok(()) => home.root().join("webview"),
        Err(error) => {
            tracing::error!(%error, "the home cannot be used");
            std::env::temp_dir().join(format!("zspark-{}", std::process::id()))
        }
    }
}

/// Shows the window, unless it was shown before.
pub(crate) fn show_first_time(app: &AppHandle) {
    if !app.state::<Window>().shown.swap(true, Ordering::Relaxed) {
        bring_to_front(app);
    }
}

/// Shows the window above others.
pub(crate) fn bring_to_front(app: &AppHandle) {
    let Some(window) = app.get_webview_window(LABEL) else {
        return;
    };
    let done = window
        .show()
        .and_then(|()| window.unminimize())
        .and_then(|()| window.set_focus());
    if let Err(error) = done {
        tracing::warn!(%error, "the window cannot be brought to the front");
    }
}

/// The page and the frames that it may hold: its own origin, and previews.
fn may_load(url: &Url) -> bool {
    match url.scheme() {
        "tauri" => url.host_str() == Some("localhost"),
        "preview" | "about" | "blob" => true,
        "http" | "https" => matches!(url.host_str(), Some("tauri.localhost" | "preview.localhost")),
        _ => false,
    }
}

/// The system ended the page's process, or it crashed: the engine lives on, so the page begins anew.
pub(crate) fn page_died(app: &AppHandle) {
    let reload = app
        .state::<Window>()
        .deaths
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .may_reload(Instant::now());
    if !reload {
        return tracing::error!("the page died too often; it is not loaded again");
    }
    tracing::warn!("the page died and is loaded again");
    app.state::<Followers>().forget_page();
    if let Some(window) = app.get_webview_window(LABEL)
        && let Err(error) = window.reload()
    {
        tracing::error!(%error, "the page cannot be loaded again");
    }
}

/// macOS has a hook of the application for this; see `main`.
#[cfg(not(target_os = "linux"))]
fn reload_when_it_dies(_: &tauri::WebviewWindow) -> tauri::Result<()> {
    Ok(())
}

#[cfg(target_os = "linux")]
fn reload_when_it_dies(window: &tauri::WebviewWindow) -> tauri::Result<()> {
    use webkit2gtk::WebViewExt;
    let app = window.app_handle().clone();
    window.with_webview(move |webview| {
        webview
            .inner()
            .connect_web_process_terminated(move |_, _| page_died(&app));
    })
}

/// When the page died: a page that dies at once each time must not be loaded for ever.
#[derive(Default)]
struct Deaths(VecDeque<Instant>);

impl Deaths {
    const AT_MOST: usize = 3;
    const WITHIN: Duration = Duration::from_secs(10);

    fn may_reload(&mut self, now: Instant) -> bool {
        while self.0.front().is_some_and(|it| now.duration_since(*it) > Self::WITHIN) {
            self.0.pop_front();
        }
        self.0.push_back(now);
        self.0.len() <= Self::AT_MOST
    }
}
