//! Opens things with the programs that the system has for them. Every target is checked here, because the page asks.

use std::path::{Path, PathBuf};

use protocol::artifact::ArtifactRef;
use protocol::request::ThreadList;
use protocol::{Code, Failure};
use tauri::{AppHandle, Manager, Url};

use crate::artifact::{self, Found};
use crate::host::Host;

#[cfg(test)]
mod tests;

/// Opens an artifact: the living file when it is the newest version, else a copy of that version.
pub(crate) async fn artifact(app: &AppHandle, wanted: &ArtifactRef) -> Result<(), Failure> {
    let found = artifact::find(app, wanted).await?;
    if is_program(&found.name) {
        return Err(Failure::new(
            Code::InvalidRequest,
            format!("{} is a program, so zspark does not open it.", found.name),
        )
        .hint("Show it in its folder and start it from there, if you trust it."));
    }
    let path = on_disk(found).await?;
    tauri_plugin_opener::open_path(path, None::<&str>).map_err(no_program)
}

/// Shows an artifact in the file manager.
pub(crate) async fn reveal(app: &AppHandle, wanted: &ArtifactRef) -> Result<(), Failure> {
    let path = on_disk(artifact::find(app, wanted).await?).await?;
    blocking(move || tauri_plugin_opener::reveal_item_in_dir(path)).await
}

/// Opens a folder in the file manager, if a thread works in it.
pub(crate) async fn folder(app: &AppHandle, cwd: &str) -> Result<(), Failure> {
    let host = app.state::<Host>();
    let engine = host.engine().await?;
    for archived in [false, true] {
        let threads = engine.ask(ThreadList { archived }).await?.0;
        if threads.iter().any(|it| it.cwd == cwd) {
            return if Path::new(cwd).is_dir() {
                tauri_plugin_opener::open_path(cwd, None::<&str>).map_err(no_program)
            } else {
                Err(Failure::new(
                    Code::FolderUnusable,
                    format!("The folder {cwd} is not there any more."),
                ))
            };
        }
    }
    Err(Failure::new(Code::NotFound, format!("No thread works in {cwd}.")))
}

/// Opens a web or mail address in the person's browser.
pub(crate) fn url(text: &str) -> Result<(), Failure> {
    let url = web_address(text)?;
    tauri_plugin_opener::open_url(url.as_str(), None::<&str>).map_err(no_program)
}

fn web_address(text: &str) -> Result<Url, Failure> {
    Url::parse(text)
        .ok()
        .filter(|it| matches!(it.scheme(), "http" | "https" | "mailto"))
        .ok_or_else(|| {
            Failure::new(
                Code::InvalidRequest,
                format!("zspark does not open addresses like {text}."),
            )
        })
}

/// Files that do something when they are opened, instead of being shown.
fn is_program(name: &str) -> bool {
    const PROGRAMS: &[&str] = &[
        "app",
        "appimage",
        "application",
        "bat",
        "chm",
        "cmd",
        "com",
        "command",
        "cpl",
        "desktop",
        "dll",
        "dmg",
        "exe",
        "gadget",
        "hta",
        "inf",
        "jar",
        "js",
        "jse",
        "lnk",
        "msc",
        "msi",
        "msp",
        "pif",
        "pkg",
        "ps1",
        "reg",
        "scf",
        "scr",
        "sct",
        "sh",
        "terminal",
        "url",
        "vb",
        "vbe",
        "vbs",
        "webloc",
        "workflow",
        "wsf",
        "wsh",
    ];
    Path::new(name)
        .extension()
        .and_then(|it| it.to_str())
        .is_some_and(|it| PROGRAMS.contains(&it.to_ascii_lowercase().as_str()))
}

async fn on_disk(found: Found) -> Result<PathBuf, Failure> {
    if let Some(living) = found.living.filter(|it| it.exists()) {
        return Ok(living);
    }
    let folder = std::env::temp_dir().join(format!("zspark-{}", found.hash));
    // The name comes from a log: only its last part may decide where the copy goes.
    let name = Path::new(&found.name)
        .file_name()
        .unwrap_or_else(|| "artifact".as_ref());
    let copy = folder.join(name);
    let written = async {
        tokio::fs::create_dir_all(&folder).await?;
        tokio::fs::copy(&found.kept, &copy).await
    };
    match written.await {
        Ok(_) => Ok(copy),
        Err(error) => {
            Err(Failure::new(Code::NotFound, format!("{} cannot be read.", found.name)).details(error.to_string()))
        }
    }
}

async fn blocking(
    run: impl FnOnce() -> Result<(), tauri_plugin_opener::Error> + Send + 'static,
) -> Result<(), Failure> {
    match tauri::async_runtime::spawn_blocking(run).await {
        Ok(done) => done.map_err(no_program),
        Err(error) => Err(Failure::new(Code::Internal, "Opening it failed.").details(error.to_string())),
    }
}

fn no_program(error: impl std::fmt::Display) -> Failure {
    Failure::new(Code::NotFound, "The system could not open it.")
        .hint("Check that a program for it is installed.")
        .details(error.to_string())
}
