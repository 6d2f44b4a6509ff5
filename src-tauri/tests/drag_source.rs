//! For the scenarios in `ui/e2e/desktop`: a small window from which the files named as arguments can be dragged, as from
//! a file manager. Prints `ready` when it is on the screen, `taken` when what is under the pointer would take the files,
//! `refused` when it no longer would, and, as its last word, whether the drop `ended` well or `failed`.

#[cfg(target_os = "linux")]
fn main() {
    use gtk::prelude::*;
    use gtk::{gdk, glib};

    let files = std::env::args_os().skip(1);
    let uris: Vec<String> = files
        .filter_map(|it| glib::filename_to_uri(it, None).ok())
        .map(String::from)
        .collect();
    if gtk::init().is_err() {
        eprintln!("there is no display");
        std::process::exit(1);
    }
    let window = gtk::Window::new(gtk::WindowType::Toplevel);
    window.set_title("drag source");
    window.set_decorated(false);
    window.set_keep_above(true);
    window.set_accept_focus(false);
    window.set_default_size(60, 60);
    window.move_(0, 0);
    let handle = gtk::EventBox::new();
    handle.drag_source_set(gdk::ModifierType::BUTTON1_MASK, &[], gdk::DragAction::COPY);
    handle.drag_source_add_uri_targets();
    handle.connect_drag_data_get(move |_, _, data, _, _| {
        let uris: Vec<&str> = uris.iter().map(String::as_str).collect();
        data.set_uris(&uris);
    });
    handle.connect_drag_begin(|_, context| {
        context.connect_action_changed(|_, action| {
            println!("{}", if action.is_empty() { "refused" } else { "taken" });
        });
    });
    handle.connect_drag_failed(|_, _, why| {
        println!("failed: {why:?}");
        glib::Propagation::Stop
    });
    // Not before the other program has read all it wants of the files.
    handle.connect_drag_end(|_, _| {
        println!("ended");
        gtk::main_quit();
    });
    window.add(&handle);
    window.connect_map_event(|_, _| {
        println!("ready");
        glib::Propagation::Proceed
    });
    window.show_all();
    gtk::main();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("only for Linux");
}
