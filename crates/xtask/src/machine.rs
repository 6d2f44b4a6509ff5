//! What this machine needs besides Rust and Node. Installed by apt on Debian and its kin; elsewhere it is said.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::step;

/// What a chore needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// To build and open the window.
    Build,
    /// To test it, too.
    Test,
}

/// One thing that apt has.
struct Package {
    need: Need,
    name: &'static str,
    /// Programs of which one is as good as the package.
    programs: &'static [&'static str],
}

const fn package(need: Need, name: &'static str, programs: &'static [&'static str]) -> Package {
    Package { need, name, programs }
}

const PACKAGES: &[Package] = &[
    package(Need::Build, "build-essential", &[]),
    package(Need::Build, "pkg-config", &["pkg-config"]),
    package(Need::Build, "libwebkit2gtk-4.1-dev", &[]),
    package(Need::Build, "librsvg2-dev", &[]),
    package(Need::Build, "xvfb", &["xvfb-run"]),
    package(Need::Build, "xauth", &["xauth"]),
    package(Need::Test, "webkit2gtk-driver", &["WebKitWebDriver"]),
    package(Need::Test, "dbus-daemon", &["dbus-run-session"]),
    package(Need::Test, "gnome-keyring", &["gnome-keyring-daemon"]),
    package(Need::Test, "libsecret-tools", &["secret-tool"]),
    package(Need::Test, "openbox", &["openbox"]),
    package(Need::Test, "xdotool", &["xdotool"]),
    package(Need::Test, "imagemagick", &["import"]),
    package(
        Need::Test,
        "chromium",
        &["chromium", "chromium-browser", "google-chrome"],
    ),
    package(Need::Test, "fonts-noto-cjk", &[]),
    package(Need::Test, "postgresql", &["postgres", "pg_ctlcluster"]),
    package(Need::Test, "redis-server", &["redis-server"]),
];

/// Makes sure that the machine has what the chore needs.
pub(crate) fn prepare(need: Need) -> Result<()> {
    if !step::succeeds(Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" }).arg("--version")) {
        bail!("npm is missing: install Node 20.19 or newer from https://nodejs.org");
    }
    if cfg!(target_os = "macos") {
        if !step::succeeds(Command::new("xcode-select").arg("-p")) {
            bail!("Apple's command line tools are missing: run `xcode-select --install`");
        }
        return Ok(());
    }
    if !cfg!(target_os = "linux") {
        // WebView2 is a part of Windows 11 and of every Windows 10 that is kept up to date; the compiler is Rust's own need.
        return Ok(());
    }
    if find("dpkg-query").is_none() {
        return check_without_apt(need);
    }
    let missing: Vec<&str> = PACKAGES
        .iter()
        .filter(|it| it.need <= need && !is_there(it))
        .map(|it| it.name)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("This machine lacks {}; installing.", missing.join(", "));
    let mut update = as_root()?;
    step::run(update.args(["apt-get", "update", "-qq"]))?;
    let mut install = as_root()?;
    step::run(
        install
            .args(["apt-get", "install", "-qq", "-y", "--no-install-recommends"])
            .args(&missing),
    )
}

/// `tauri-driver`, built into `target/tools` when there is none.
pub(crate) fn tauri_driver() -> Result<PathBuf> {
    let tools = step::target().join("tools");
    let ours = tools.join("bin/tauri-driver");
    if ours.is_file() {
        return Ok(ours);
    }
    if let Some(installed) = find("tauri-driver") {
        return Ok(installed);
    }
    eprintln!("This machine lacks tauri-driver; building it into {}.", tools.display());
    step::run(
        step::cargo()
            .args([
                "install",
                "tauri-driver",
                "--version",
                "^2",
                "--locked",
                "--quiet",
                "--root",
            ])
            .arg(&tools),
    )?;
    Ok(ours)
}

/// A program on the `PATH`.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "a chore is its own composition root")]
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|it| it.join(program))
        .find(|it| it.is_file())
}

/// A display that windows can open on.
pub(crate) fn has_display() -> bool {
    #[expect(clippy::disallowed_methods, reason = "a chore is its own composition root")]
    let set = |name| std::env::var_os(name).is_some_and(|it| !it.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

fn is_there(package: &Package) -> bool {
    if package.programs.iter().any(|it| find(it).is_some()) {
        return true;
    }
    let asked = Command::new("dpkg-query")
        .args(["-W", "-f=${Status}", package.name])
        .output();
    asked.is_ok_and(|it| it.stdout.ends_with(b"ok installed"))
}

fn as_root() -> Result<Command> {
    let uid = Command::new("id").arg("-u").output().context("cannot run `id`")?;
    let is_root = uid.stdout.trim_ascii() == b"0";
    let mut command = if is_root {
        step::command("env")
    } else if find("sudo").is_some() {
        let mut sudo = step::command("sudo");
        sudo.arg("env");
        sudo
    } else {
        let names: Vec<&str> = PACKAGES.iter().map(|it| it.name).collect();
        bail!(
            "not root, and no sudo here; have somebody run: apt-get install {}",
            names.join(" ")
        );
    };
    command.arg("DEBIAN_FRONTEND=noninteractive");
    Ok(command)
}

fn check_without_apt(need: Need) -> Result<()> {
    let mut missing = Vec::new();
    if !step::succeeds(Command::new("pkg-config").args(["--exists", "webkit2gtk-4.1"])) {
        missing.push("the development files of WebKitGTK 4.1 (and pkg-config)");
    }
    let programs = PACKAGES.iter().filter(|it| it.need <= need && !it.programs.is_empty());
    missing.extend(
        programs
            .filter(|it| !it.programs.iter().any(|it| find(it).is_some()))
            .filter_map(|it| it.programs.first().copied()),
    );
    if missing.is_empty() {
        return Ok(());
    }
    bail!(
        "this Linux has no apt, so please install by its own means: {}\n(on Debian it would be: {})",
        missing.join(", "),
        PACKAGES.iter().map(|it| it.name).collect::<Vec<_>>().join(" ")
    )
}

/// Whether two files say the same.
pub(crate) fn same(one: &Path, other: &Path) -> bool {
    match (std::fs::read(one), std::fs::read(other)) {
        (Ok(one), Ok(other)) => one == other,
        (Err(_), _) | (_, Err(_)) => false,
    }
}
