//! Works around what WebKitGTK and NVIDIA's driver do to each other: a blank window, or none at all.
//!
//! Runs before anything else, because the libraries read these variables once.

/// Sets what is needed on this machine, where the person has not set it.
#[cfg(target_os = "linux")]
pub(crate) fn prepare() {
    if !std::path::Path::new("/proc/driver/nvidia/version").exists() {
        return;
    }
    set_if_absent("__NV_DISABLE_EXPLICIT_SYNC", "1");
    #[expect(clippy::disallowed_methods, reason = "this is the composition root")]
    let wayland = std::env::var_os("WAYLAND_DISPLAY").is_some_and(|it| !it.is_empty());
    if !wayland {
        set_if_absent("WEBKIT_DISABLE_DMABUF_RENDERER", "1");
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

/// Nothing to do here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn prepare() {}
