//! Presence in Redis: one key for each device, which ends by itself, and one list of devices for each workspace.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use protocol::id::{DeviceId, WorkspaceId};
use protocol::workspace::live::Present;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::bus::Link;
use crate::store::Chain;

/// Devices of one workspace that are read.
const MOST: isize = 1000;
/// A state, a name and a signature are shorter.
const LONGEST: usize = 16 * 1024;

/// Somebody at another node, with that node's signature.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Signed {
    at_ms: u64,
    /// The [`Present`], as it was signed.
    text: String,
    mac: String,
    #[serde(skip)]
    device: Option<DeviceId>,
}

impl Signed {
    pub(super) fn new(workspace: &WorkspaceId, present: Present, at_ms: u64, key: &[u8]) -> Option<Self> {
        let text = serde_json::to_string(&present).ok()?;
        let mac = URL_SAFE_NO_PAD.encode(mac(workspace, at_ms, &text, key)?.finalize().into_bytes());
        Some(Self {
            at_ms,
            text,
            mac,
            device: Some(present.device_id),
        })
    }

    /// Who it is, if a node of ours said so a short while ago, and about this workspace.
    fn checked(&self, workspace: &WorkspaceId, now_ms: u64, life: Duration, key: &[u8]) -> Option<Present> {
        let given = URL_SAFE_NO_PAD.decode(&self.mac).ok()?;
        mac(workspace, self.at_ms, &self.text, key)?.verify_slice(&given).ok()?;
        let age = now_ms.saturating_sub(self.at_ms);
        let fresh = u128::from(age) <= life.as_millis();
        fresh.then(|| serde_json::from_str(&self.text).ok()).flatten()
    }
}

fn mac(workspace: &WorkspaceId, at_ms: u64, text: &str, key: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    // Neither a workspace's id nor a number holds a space.
    mac.update(format!("{workspace} {at_ms} {text}").as_bytes());
    Some(mac)
}

fn list(link: &Link, workspace: &WorkspaceId) -> String {
    format!("{}presence:{workspace}", link.prefix())
}

fn key(link: &Link, workspace: &WorkspaceId, device: &DeviceId) -> String {
    format!("{}presence:{workspace}:{device}", link.prefix())
}

/// Says who is at this node.
pub(super) async fn write(link: &Link, workspace: &WorkspaceId, people: &[Signed], now_ms: u64, life: Duration) {
    let Some(mut connection) = link.connection() else {
        return;
    };
    if people.is_empty() {
        return;
    }
    let life_ms = u64::try_from(life.as_millis()).unwrap_or(u64::MAX);
    let mut pipe = redis::pipe();
    for signed in people {
        let (Some(device), Ok(value)) = (&signed.device, serde_json::to_vec(signed)) else {
            continue;
        };
        pipe.cmd("SET")
            .arg(key(link, workspace, device))
            .arg(value)
            .arg("PX")
            .arg(life_ms)
            .ignore();
        let until = now_ms.saturating_add(life_ms);
        pipe.cmd("ZADD")
            .arg(list(link, workspace))
            .arg(until)
            .arg(device.as_str())
            .ignore();
    }
    pipe.cmd("PEXPIRE").arg(list(link, workspace)).arg(life_ms).ignore();
    if let Err(error) = pipe.query_async::<()>(&mut connection).await {
        tracing::debug!(error = %Chain(&error), "presence could not be told to other nodes");
    }
}

/// Says who left this node.
pub(super) async fn remove(link: &Link, workspace: &WorkspaceId, devices: &[DeviceId]) {
    let Some(mut connection) = link.connection() else {
        return;
    };
    if devices.is_empty() {
        return;
    }
    let mut pipe = redis::pipe();
    for device in devices {
        pipe.cmd("DEL").arg(key(link, workspace, device)).ignore();
        pipe.cmd("ZREM")
            .arg(list(link, workspace))
            .arg(device.as_str())
            .ignore();
    }
    if let Err(error) = pipe.query_async::<()>(&mut connection).await {
        tracing::debug!(error = %Chain(&error), "presence could not be told to other nodes");
    }
}

/// Who is at any node, as far as Redis knows. Nobody when it is away.
pub(super) async fn read(
    link: &Link,
    workspace: &WorkspaceId,
    secret: &[u8],
    now_ms: u64,
    life: Duration,
) -> Vec<Present> {
    let Some(mut connection) = link.connection() else {
        return Vec::new();
    };
    let devices: Result<Vec<String>, _> = redis::cmd("ZRANGE")
        .arg(list(link, workspace))
        .arg(now_ms)
        .arg("+inf")
        .arg("BYSCORE")
        .arg("LIMIT")
        .arg(0)
        .arg(MOST)
        .query_async(&mut connection)
        .await;
    let devices = match devices {
        Ok(devices) if !devices.is_empty() => devices,
        Ok(_) => return Vec::new(),
        Err(error) => {
            tracing::debug!(error = %Chain(&error), "presence could not be asked of other nodes");
            return Vec::new();
        }
    };
    let mut ask = redis::cmd("MGET");
    for device in devices {
        ask.arg(key(link, workspace, &DeviceId(device)));
    }
    let values: Result<Vec<Option<Vec<u8>>>, _> = ask.query_async(&mut connection).await;
    let values = values
        .unwrap_or_default()
        .into_iter()
        .flatten()
        .filter(|it| it.len() <= LONGEST);
    values
        .filter_map(|it| serde_json::from_slice::<Signed>(&it).ok())
        .filter_map(|it| it.checked(workspace, now_ms, life, secret))
        .collect()
}

#[cfg(test)]
mod tests;
