//! The desktop program: puts the engine, the window and what the system offers together. Decides nothing itself.

mod artifact;
mod bridge;
mod dialogs;
mod drop;
mod follow;
mod graphics;
mod host;
mod news;
mod notify;
mod open;
mod panic;
mod preview;
mod single_instance;
mod start;
mod window;

use std::process::ExitCode;

use tauri::{Manager, RunEvent};

use crate::follow::Followers;
use crate::host::Host;
use crate::start::Start;

fn main() -> ExitCode {
    agent::sandbox::run_if_asked();
    graphics::prepare();
    let start = match Start::from_arguments(std::env::args_os().skip(1)) {
        Ok(start) => start,
        Err(start::Leave::Said(text)) => {
            println!("{text}");
            return ExitCode::SUCCESS;
        }
        Err(start::Leave::Refused(text)) => {
            eprintln!("{text}");
            return ExitCode::from(2);
        }
    };
    panic::write_crashes_to(start.home.logs());
    start::write_diagnostics_to(&start.home);
    match open(start) {
        Ok(app) => {
            app.run(|app, event| {
                if matches!(event, RunEvent::Exit) {
                    app.state::<Followers>().stop();
                    tauri::async_runtime::block_on(app.state::<Host>().stop());
                }
            });
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!(%error, "the window cannot open");
            eprintln!("zspark-desktop cannot open its window: {error}");
            ExitCode::FAILURE
        }
    }
}

fn open(start: Start) -> tauri::Result<tauri::App> {
    let home = start.home.clone();
    let builder = tauri::Builder::default()
        // The first plugin, so that a second start ends before it touches anything.
        .plugin(single_instance::plugin(&home))
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_notification::init())
        .plugin(window::remembered(&home))
        .manage(Host::new(start))
        .manage(Followers::default())
        .manage(preview::Previews::default())
        .manage(window::Window::default())
        .register_asynchronous_uri_scheme_protocol("preview", preview::serve)
        .on_window_event(drop::on_window_event)
        .invoke_handler(tauri::generate_handler![bridge::request, bridge::follow])
        .setup(move |app| {
            window::open(app.handle(), &home)?;
            host::stop_on_signals(app.handle());
            notify::watch(app.handle())?;
            Ok(())
        });
    #[cfg(target_os = "macos")]
    let builder = builder.on_web_content_process_terminate(|webview| window::page_died(webview.app_handle()));
    builder.build(tauri::generate_context!())
}
