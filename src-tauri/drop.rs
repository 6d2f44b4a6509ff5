//! Files that are dragged onto the window, told to the page in its own pixels.
//!
//! The page gets paths, not contents: it is the engine that reads them, once they are sent with a prompt.

use protocol::host::HostEvent;
use tauri::{DragDropEvent, Manager, PhysicalPosition, Window, WindowEvent};

use crate::host::Host;

/// Passes drags on.
pub(crate) fn on_window_event(window: &Window, event: &WindowEvent) {
    let WindowEvent::DragDrop(drag) = event else { return };
    let scale = scale(window);
    let at = |position: &PhysicalPosition<f64>| (position.x / scale, position.y / scale);
    let event = match drag {
        DragDropEvent::Enter { position, .. } | DragDropEvent::Over { position } => {
            let (x, y) = at(position);
            HostEvent::DragOver { x, y }
        }
        DragDropEvent::Drop { paths, position } => {
            let (x, y) = at(position);
            let paths = paths.iter().map(|it| it.display().to_string()).collect();
            HostEvent::Drop { paths, x, y }
        }
        DragDropEvent::Leave | _ => HostEvent::DragLeave {},
    };
    window.state::<Host>().news.tell(event);
}

/// GTK gives positions in its own logical pixels, whatever their type here says; the others in physical ones.
fn scale(window: &Window) -> f64 {
    if cfg!(target_os = "linux") {
        1.0
    } else {
        window.scale_factor().unwrap_or(1.0)
    }
}
