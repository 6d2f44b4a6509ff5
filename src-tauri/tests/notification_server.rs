//! For the scenarios in `ui/e2e/desktop`: shows nothing, but is asked on the session bus to show notifications. Prints
//! `ready` and then each as a line of JSON; a number on stdin is a click on the notification with that number.

#[cfg(target_os = "linux")]
fn main() {
    use std::io::{BufRead as _, Write as _};
    use std::sync::atomic::{AtomicU32, Ordering};

    use gtk::gio::{BusNameOwnerFlags, BusType, DBusConnection, DBusNodeInfo};
    use gtk::prelude::*;
    use gtk::{gio, glib};

    const NAME: &str = "org.freedesktop.Notifications";
    const OBJECT: &str = "/org/freedesktop/Notifications";
    const INTERFACE: &str = r#"<node><interface name="org.freedesktop.Notifications">
        <method name="GetCapabilities"><arg type="as" direction="out"/></method>
        <method name="GetServerInformation">
            <arg type="s" direction="out"/><arg type="s" direction="out"/><arg type="s" direction="out"/><arg type="s" direction="out"/>
        </method>
        <method name="Notify">
            <arg type="s" direction="in"/><arg type="u" direction="in"/><arg type="s" direction="in"/><arg type="s" direction="in"/>
            <arg type="s" direction="in"/><arg type="as" direction="in"/><arg type="a{sv}" direction="in"/><arg type="i" direction="in"/>
            <arg type="u" direction="out"/>
        </method>
        <method name="CloseNotification"><arg type="u" direction="in"/></method>
        <signal name="NotificationClosed"><arg type="u"/><arg type="u"/></signal>
        <signal name="ActionInvoked"><arg type="u"/><arg type="s"/></signal>
    </interface></node>"#;

    /// Writes a line for whoever started us; without a reader there is no more to do.
    fn say(line: &str) {
        let mut out = std::io::stdout().lock();
        if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
            std::process::exit(0);
        }
    }

    fn click_what_stdin_names(connection: &DBusConnection) {
        let clicked = std::io::stdin().lock().lines().map_while(Result::ok);
        for id in clicked.filter_map(|it| it.parse::<u32>().ok()) {
            let signal =
                |name: &str, body: &glib::Variant| connection.emit_signal(None, OBJECT, NAME, name, Some(body));
            let told = signal("ActionInvoked", &(id, "default").to_variant())
                .and_then(|()| signal("NotificationClosed", &(id, 2_u32).to_variant()));
            if let Err(error) = told {
                eprintln!("the click cannot be told: {error}");
            }
        }
        std::process::exit(0);
    }

    fn serve(connection: &DBusConnection) -> Result<(), glib::Error> {
        let node = DBusNodeInfo::for_xml(INTERFACE)?;
        let Some(interface) = node.lookup_interface(NAME) else {
            return Err(glib::Error::new(gio::IOErrorEnum::NotFound, NAME));
        };
        let last = AtomicU32::new(0);
        let answer = move |_: DBusConnection,
                           _: &str,
                           _: &str,
                           _: &str,
                           method: &str,
                           parameters: glib::Variant,
                           invocation: gio::DBusMethodInvocation| {
            match method {
                "GetCapabilities" => {
                    invocation.return_value(Some(&(vec!["actions".to_owned(), "body".to_owned()],).to_variant()));
                }
                "GetServerInformation" => {
                    invocation.return_value(Some(&("scenario", "zspark", "1", "1.2").to_variant()));
                }
                "Notify" => {
                    let id = last.fetch_add(1, Ordering::Relaxed) + 1;
                    let text = |index| parameters.child_value(index).get::<String>().unwrap_or_default();
                    let note = serde_json::json!({
                        "id": id, "title": text(3), "body": text(4), "all": parameters.to_string(),
                    });
                    invocation.return_value(Some(&(id,).to_variant()));
                    say(&note.to_string());
                }
                _ => invocation.return_value(None),
            }
        };
        connection
            .register_object(
                OBJECT,
                &interface,
                answer,
                |_, _, _, _, _| ().to_variant(),
                |_, _, _, _, _, _| false,
            )
            .map(drop)?;
        let clicking = connection.clone();
        std::thread::spawn(move || click_what_stdin_names(&clicking));
        Ok(())
    }

    let _owned = gio::bus_own_name(
        BusType::Session,
        NAME,
        BusNameOwnerFlags::NONE,
        |connection, _| {
            if let Err(error) = serve(&connection) {
                eprintln!("notifications cannot be taken: {error}");
                std::process::exit(1);
            }
        },
        |_, _| say("ready"),
        |_, _| {
            eprintln!("there is no bus, or somebody else shows notifications on it");
            std::process::exit(1);
        },
    );
    glib::MainLoop::new(None, false).run();
}

/// Only Linux' windows are driven by scenarios.
#[cfg(not(target_os = "linux"))]
fn main() {}
