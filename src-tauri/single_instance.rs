//! A second start does not open a second window: it hands its folder to the first one.

use agent::home::Home;
use protocol::host::HostEvent;
use tauri::plugin::TauriPlugin;
use tauri::{AppHandle, Manager, Wry};

use crate::host::Host;
use crate::{start, window};

/// One instance for each home, because a home's threads have one writer.
pub(crate) fn plugin(home: &Home) -> TauriPlugin<Wry> {
    tauri_plugin_single_instance::Builder::new()
        .dbus_id(bus_name(home))
        .callback(second_start)
        .build()
}

fn second_start(app: &AppHandle, arguments: Vec<String>, cwd: String) {
    let arguments = arguments.into_iter().skip(1).map(Into::into);
    if let Ok(Some(folder)) = start::folder_argument(arguments, cwd.as_ref()) {
        let cwd = folder.display().to_string();
        app.state::<Host>().news.tell(HostEvent::OpenFolder { cwd });
    }
    window::bring_to_front(app);
}

/// FNV-1a over the home's path: the name must stay the same over versions of zspark and of Rust.
fn bus_name(home: &Home) -> String {
    let hash = home
        .root()
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
    format!("dev.zspark.desktop.home{hash:016x}")
}
