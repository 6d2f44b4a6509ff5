//! What the kernel says of a process: how much time it used, and how much memory it has.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};

/// A tick of the times in `/proc`: Linux tells them in hundredths of a second, whatever its own clock does.
const TICK: Duration = Duration::from_millis(10);

/// Another process, by its number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Process(pub(crate) u32);

impl Process {
    /// The time it used on processors so far.
    pub(crate) fn cpu(self) -> Result<Duration> {
        let stat = self.read("stat")?;
        let ticks = ticks(&stat).with_context(|| format!("this is no stat: {stat}"))?;
        Ok(TICK * ticks)
    }

    /// The bytes of memory it has, its part of what it shares.
    pub(crate) fn memory(self) -> Result<u64> {
        let rollup = self.read("smaps_rollup")?;
        kilobytes(&rollup, "Pss:").with_context(|| format!("this is no smaps_rollup: {rollup}"))
    }

    /// What it had at most since [`Self::forget_peak`].
    pub(crate) fn peak(self) -> Result<u64> {
        let status = self.read("status")?;
        kilobytes(&status, "VmHWM:").with_context(|| format!("this is no status: {status}"))
    }

    /// What it has now, counted as the peak is.
    pub(crate) fn resident(self) -> Result<u64> {
        let status = self.read("status")?;
        kilobytes(&status, "VmRSS:").with_context(|| format!("this is no status: {status}"))
    }

    /// Counts the peak from now on.
    pub(crate) fn forget_peak(self) -> Result<()> {
        let file = format!("/proc/{}/clear_refs", self.0);
        fs::write(&file, "5").with_context(|| format!("cannot write {file}"))
    }

    /// Sends it a signal.
    pub(crate) fn signal(self, signal: Signal) -> Result<()> {
        let id = i32::try_from(self.0).ok().and_then(Pid::from_raw);
        kill_process(id.context("this is no process")?, signal)?;
        Ok(())
    }

    fn read(self, name: &str) -> Result<String> {
        let file = format!("/proc/{}/{name}", self.0);
        fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))
    }
}

/// Of a `stat`: in user mode and in the kernel.
fn ticks(stat: &str) -> Option<u32> {
    // The program's name stands in brackets and may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(11).map(str::parse::<u32>);
    Some(times.next()?.ok()? + times.next()?.ok()?)
}

fn kilobytes(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|it| it.strip_prefix(key))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests;
