//! Lets Tauri read its configuration and compile the capabilities.

fn main() {
    tauri_build::build()
}
