//! Works around what WebKitGTK makes of some graphics: with NVIDIA's driver a blank window, or none at all; without any
//! graphics chip a machine that never rests.
//!
//! Runs before anything else, because the libraries read these variables once.

/// Sets what is needed on this machine, where the person has not set it.
#[cfg(target_os = "linux")]
pub(crate) fn prepare() {
    for (name, value) in variables(graphics()) {
        set_if_absent(name, value);
    }
}

/// Nothing to do here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn prepare() {}

/// What draws.
#[cfg(target_os = "linux")]
#[derive(Debug, Clone, Copy)]
enum Graphics {
    /// The processor, by an OpenGL made of software.
    None,
    /// NVIDIA's own driver.
    Nvidia {
        wayland: bool,
    },
    Other,
}

#[cfg(target_os = "linux")]
fn variables(graphics: Graphics) -> &'static [(&'static str, &'static str)] {
    match graphics {
        // Else each blink of the caret and each letter typed draws the whole window anew.
        Graphics::None => &[("WEBKIT_DISABLE_COMPOSITING_MODE", "1")],
        Graphics::Nvidia { wayland: true } => &[("__NV_DISABLE_EXPLICIT_SYNC", "1")],
        Graphics::Nvidia { wayland: false } => &[
            ("__NV_DISABLE_EXPLICIT_SYNC", "1"),
            ("WEBKIT_DISABLE_DMABUF_RENDERER", "1"),
        ],
        Graphics::Other => &[],
    }
}

#[cfg(target_os = "linux")]
fn graphics() -> Graphics {
    use std::path::Path;

    if Path::new("/proc/driver/nvidia/version").exists() {
        #[expect(clippy::disallowed_methods, reason = "this is the composition root")]
        let wayland = std::env::var_os("WAYLAND_DISPLAY").is_some_and(|it| !it.is_empty());
        return Graphics::Nvidia { wayland };
    }
    let mut devices = std::fs::read_dir("/dev/dri").into_iter().flatten().flatten();
    let renders = devices.any(|it| it.file_name().to_string_lossy().starts_with("renderD"));
    // What Windows lends to the Linux inside it has a name of its own.
    if renders || Path::new("/dev/dxg").exists() {
        Graphics::Other
    } else {
        Graphics::None
    }
}

#[cfg(target_os = "linux")]
fn set_if_absent(name: &str, value: &str) {
    #[expect(clippy::disallowed_methods, reason = "this is the composition root")]
    let absent = std::env::var_os(name).is_none();
    if absent {
        #[expect(unsafe_code, reason = "no other thread runs yet")]
        // SAFETY: called from the first lines of `main`, before any thread was started.
        unsafe {
            std::env::set_var(name, value);
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
