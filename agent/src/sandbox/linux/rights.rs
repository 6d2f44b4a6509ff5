//! The Landlock rules: read everything, write what the plan grants.

use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};

use super::{Force, Plan};

/// The newest interface whose rights are used; an older kernel enforces what it knows.
const NEWEST: ABI = ABI::V6;

/// What can be written in every mode: things that keep nothing.
const DEVICES: &[&str] = &[
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/tty",
    "/dev/ptmx",
    "/dev/pts",
];

/// Why the rules could not be put in force.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("landlock: {0}")]
    Rules(#[from] RulesetError),
    #[error("this kernel has no Landlock, or it is switched off")]
    Missing,
}

/// Confines this process for good.
pub(super) fn restrict(plan: &Plan, force: Force) -> Result<(), Error> {
    let mut ruleset = Ruleset::default();
    if force == Force::LandlockOnly {
        // Before the third interface a file could be emptied without the right to write it; with nothing else that
        // holds it back, such a kernel is not enough.
        ruleset = ruleset
            .set_compatibility(CompatLevel::HardRequirement)
            .handle_access(AccessFs::from_all(ABI::V3))?;
    }
    ruleset = ruleset
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .scope(Scope::AbstractUnixSocket | Scope::Signal)?;
    if !plan.network {
        ruleset = ruleset.handle_access(AccessNet::from_all(NEWEST))?;
    }
    let mut created = ruleset.create()?;
    created = grant(created, Path::new("/"), AccessFs::from_read(NEWEST))?;
    for device in DEVICES {
        created = grant(
            created,
            Path::new(device),
            AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::ReadDir | AccessFs::Truncate | AccessFs::IoctlDev,
        )?;
    }
    if !plan.roots.is_empty() && force == Force::Full {
        created = grant(created, Path::new("/dev/shm"), writing())?;
    }
    for root in &plan.roots {
        created = match force {
            Force::Full => grant(created, root, writing())?,
            Force::LandlockOnly => around(created, root, plan)?,
        };
    }
    match created.restrict_self()?.ruleset {
        RulesetStatus::NotEnforced => Err(Error::Missing),
        RulesetStatus::PartiallyEnforced | RulesetStatus::FullyEnforced => Ok(()),
    }
}

/// Everything but making device nodes.
fn writing() -> BitFlags<AccessFs> {
    AccessFs::from_all(NEWEST) & !(AccessFs::MakeChar | AccessFs::MakeBlock)
}

/// Grants `path` whole, or, where something in it is protected, what is around that.
fn around(mut created: RulesetCreated, path: &Path, plan: &Plan) -> Result<RulesetCreated, Error> {
    if plan.protected.iter().any(|it| it == path) || path.is_symlink() {
        return Ok(created);
    }
    if !plan.protected.iter().any(|it| it.starts_with(path)) {
        return grant(created, path, writing());
    }
    let Ok(entries) = std::fs::read_dir(path) else {
        return Ok(created);
    };
    for entry in entries.flatten() {
        created = around(created, &entry.path(), plan)?;
    }
    Ok(created)
}

fn grant(created: RulesetCreated, path: &Path, access: BitFlags<AccessFs>) -> Result<RulesetCreated, Error> {
    // What is not there needs no grant.
    let Ok(fd) = PathFd::new(path) else {
        return Ok(created);
    };
    let access = if path.is_dir() {
        access
    } else {
        access & AccessFs::from_file(NEWEST)
    };
    Ok(created.add_rule(PathBeneath::new(fd, access))?)
}
