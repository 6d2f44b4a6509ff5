//! The system's dialogs for folders and files.

use std::path::PathBuf;

use tauri::{AppHandle, Manager};
use tauri_plugin_dialog::{DialogExt, FileDialogBuilder, FilePath};
use tokio::sync::oneshot;

/// The picked folder.
pub(crate) async fn pick_folder(app: &AppHandle) -> Option<PathBuf> {
    let (sender, picked) = oneshot::channel();
    dialog(app).pick_folder(move |it| drop(sender.send(it)));
    picked.await.ok().flatten().and_then(path)
}

/// The picked files; none when the person changed their mind.
pub(crate) async fn pick_files(app: &AppHandle) -> Vec<PathBuf> {
    let (sender, picked) = oneshot::channel();
    dialog(app).pick_files(move |it| drop(sender.send(it)));
    let picked = picked.await.ok().flatten().unwrap_or_default();
    picked.into_iter().filter_map(path).collect()
}

/// Where to save a file; the dialog has asked whether an existing one may be replaced.
pub(crate) async fn pick_save(app: &AppHandle, name: &str) -> Option<PathBuf> {
    let (sender, picked) = oneshot::channel();
    dialog(app)
        .set_file_name(name)
        .save_file(move |it| drop(sender.send(it)));
    picked.await.ok().flatten().and_then(path)
}

fn dialog(app: &AppHandle) -> FileDialogBuilder<tauri::Wry> {
    let dialog = app.dialog().file();
    match app.get_webview_window(crate::window::LABEL) {
        Some(window) => dialog.set_parent(&window),
        None => dialog,
    }
}

fn path(picked: FilePath) -> Option<PathBuf> {
    picked.into_path().ok()
}
