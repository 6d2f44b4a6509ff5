//! Chores of this repository: `cargo xtask run | test | bench | bundle`. Says what it does, and installs what is missing.

mod bench;
mod bundle;
mod machine;
mod run;
mod step;
mod test;
mod ui;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Chores of this repository")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Builds the desktop program and opens its window.
    Run {
        /// Optimized, as it is shipped.
        #[arg(long)]
        release: bool,
        /// Work in this folder.
        folder: Option<PathBuf>,
    },
    /// Tests everything: format, lints, Rust, UI, the UI in a browser, the desktop program in a window.
    Test {
        /// Only these steps (see what a whole run prints); other words select tests by their names.
        filters: Vec<String>,
    },
    /// Measures zspark beside the reference CLI on one scripted model, and the desktop program in a window.
    Bench {
        /// Only this one. The workspace server is measured only when it is named.
        program: Option<bench::Program>,
        /// Of the server: only these measures.
        measures: Vec<String>,
    },
    /// Builds what is given to people: a .deb, a .dmg or an installer, depending on this machine.
    Bundle,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().chore {
        Chore::Run { release, folder } => run::run(release, folder.as_deref()),
        Chore::Test { filters } => test::test(&filters),
        Chore::Bench { program, measures } => bench::bench(program, &measures),
        Chore::Bundle => bundle::bundle(),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
