//! What the process finds outside itself: handed in by `main`, which alone reads it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use agent::clock::Clock;
use agent::config::Inputs;
use agent::home::Home;
use agent::sandbox::Launcher;

use crate::args::Color;
use crate::exec::{Paint, Stdin};

/// What the process finds outside itself.
pub(crate) struct Outside {
    pub(crate) home: Home,
    pub(crate) clock: Clock,
    pub(crate) launcher: Launcher,
    /// The administrator's configuration, whether or not it exists.
    pub(crate) managed: PathBuf,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) cwd: PathBuf,
    pub(crate) stdin: Stdin,
    pub(crate) stdout_is_terminal: bool,
    pub(crate) stderr_is_terminal: bool,
    /// Says that stdin is being waited for.
    pub(crate) waiting: fn(),
}

impl Outside {
    /// The configuration's inputs, without what flags add.
    pub(crate) fn inputs(&self) -> Inputs {
        Inputs {
            managed: Some(self.managed.clone()),
            profile: None,
            overrides: Vec::new(),
            env: self.env.clone(),
        }
    }

    /// How stderr is coloured. `NO_COLOR` is honoured where nothing was said.
    pub(crate) fn paint(&self, color: Option<Color>) -> Paint {
        let unwanted = self.env.get("NO_COLOR").is_some_and(|it| !it.is_empty());
        let ansi = match color {
            Some(Color::Always) => true,
            Some(Color::Never) => false,
            Some(Color::Auto) | None => self.stderr_is_terminal && !unwanted,
        };
        if ansi { Paint::Ansi } else { Paint::None }
    }
}
