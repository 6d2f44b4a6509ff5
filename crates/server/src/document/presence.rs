//! Who is in a document and where their caret is. A socket speaks only for the clients it brought, and who somebody is says
//! the server: a client's `user.id` and `user.name` are overwritten.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use protocol::id::UserId;
use serde_json::{Map, Value};
use sync::frame::{self, Awareness};

#[cfg(test)]
mod tests;

/// Clients of one socket. Stock clients have one; a page that embeds several editors of one document may have more.
const CLIENTS: usize = 4;

/// What a client says of itself, in bytes.
const STATE_BYTES: usize = 16 << 10;

/// Clients of one message: stock clients send back what they hear, so a message may name everybody.
const ENTRIES: usize = 4_096;

/// Clients that are remembered, gone ones included.
const REMEMBERED: usize = 8_192;

/// Another node that ends does not say goodbye for its clients; theirs are renewed every 15 s.
const ELSEWHERE_MS: u64 = 45_000;

/// Who speaks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Speaker<'a> {
    /// Which socket.
    pub(crate) socket: u64,
    /// Whose.
    pub(crate) user: &'a UserId,
    /// Their name.
    pub(crate) name: &'a str,
}

/// Why a socket may not say this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PresenceError {
    /// It is no awareness.
    #[error("the awareness cannot be read")]
    Invalid,
    /// A state is too long.
    #[error("the awareness is too large")]
    TooLarge,
}

/// Everybody in one document.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    clients: BTreeMap<u64, Client>,
}

#[derive(Debug)]
struct Client {
    clock: u32,
    /// None when gone: kept for its clock, because others may still send back what they heard of it.
    state: Option<String>,
    from: Source,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    Socket(u64, UserId),
    Elsewhere { until_ms: u64 },
    Nobody,
}

impl Presence {
    /// What a socket says. Answers of which clients the others should hear.
    pub(crate) fn say(&mut self, who: Speaker<'_>, payload: &[u8]) -> Result<Vec<u64>, PresenceError> {
        let said = frame::awareness(payload, ENTRIES).map_err(|_| PresenceError::Invalid)?;
        let mut heard = Vec::new();
        for it in said {
            if !self.may_say(who, &it) {
                continue;
            }
            if it.state.len() > STATE_BYTES {
                return Err(PresenceError::TooLarge);
            }
            let value: Value = serde_json::from_str(it.state).map_err(|_| PresenceError::Invalid)?;
            let state = named(value, who);
            let from = match state {
                Some(_) => Source::Socket(who.socket, who.user.clone()),
                None => Source::Nobody,
            };
            let clock = it.clock;
            self.clients.insert(it.client, Client { clock, state, from });
            heard.push(it.client);
        }
        Ok(heard)
    }

    fn may_say(&self, who: Speaker<'_>, it: &Awareness<'_>) -> bool {
        let Some(known) = self.clients.get(&it.client) else {
            // Nothing is said about somebody unknown who is gone.
            return it.state != "null" && self.clients.len() < REMEMBERED && self.count(who.socket) < CLIENTS;
        };
        let newer = it.clock > known.clock || (it.clock == known.clock && it.state == "null" && known.state.is_some());
        newer
            && match &known.from {
                Source::Socket(socket, _) if *socket == who.socket => true,
                // The same person comes back on a new socket before the old one is known to be dead.
                Source::Socket(_, user) => user == who.user && it.state != "null" && self.count(who.socket) < CLIENTS,
                Source::Elsewhere { .. } | Source::Nobody => it.state != "null" && self.count(who.socket) < CLIENTS,
            }
    }

    fn count(&self, socket: u64) -> usize {
        let own = |it: &&Client| matches!(&it.from, Source::Socket(owner, _) if *owner == socket);
        self.clients.values().filter(own).count()
    }

    /// A socket is gone, and its clients with it.
    pub(crate) fn leave(&mut self, socket: u64) -> Vec<u64> {
        let mut heard = Vec::new();
        for (id, client) in &mut self.clients {
            if matches!(&client.from, Source::Socket(owner, _) if *owner == socket) {
                client.state = None;
                client.from = Source::Nobody;
                heard.push(*id);
            }
        }
        heard
    }

    /// What another node heard. It is only shown, and may not speak for clients that are here.
    pub(crate) fn elsewhere(&mut self, payload: &[u8], now_ms: u64) -> Vec<u64> {
        let said = frame::awareness(payload, ENTRIES).unwrap_or_default();
        let mut heard = Vec::new();
        for it in said {
            let known = self.clients.get(&it.client);
            let newer = known.is_none_or(|known| {
                !matches!(known.from, Source::Socket(..))
                    && (it.clock > known.clock
                        || (it.clock == known.clock && it.state == "null" && known.state.is_some()))
            });
            if !newer || it.state.len() > 2 * STATE_BYTES || (known.is_none() && self.clients.len() >= REMEMBERED) {
                continue;
            }
            let gone = it.state == "null";
            let client = Client {
                clock: it.clock,
                state: (!gone).then(|| it.state.to_owned()),
                from: if gone {
                    Source::Nobody
                } else {
                    Source::Elsewhere {
                        until_ms: now_ms.saturating_add(ELSEWHERE_MS),
                    }
                },
            };
            self.clients.insert(it.client, client);
            heard.push(it.client);
        }
        heard
    }

    /// Everybody who is here, for somebody who comes.
    pub(crate) fn everybody(&mut self, now_ms: u64) -> Option<Bytes> {
        for client in self.clients.values_mut() {
            if matches!(client.from, Source::Elsewhere { until_ms } if until_ms < now_ms) {
                client.state = None;
                client.from = Source::Nobody;
            }
        }
        let here: Vec<u64> = self
            .clients
            .iter()
            .filter(|(_, it)| it.state.is_some())
            .map(|(id, _)| *id)
            .collect();
        payload(self.states(&here))
    }

    /// What these clients say of themselves.
    pub(crate) fn states<'a>(
        &'a self,
        clients: impl IntoIterator<Item = &'a u64>,
    ) -> impl Iterator<Item = Awareness<'a>> {
        clients.into_iter().filter_map(|id| {
            self.clients.get(id).map(|it| Awareness {
                client: *id,
                clock: it.clock,
                state: it.state.as_deref().unwrap_or("null"),
            })
        })
    }

    /// Which sockets brought any of these clients.
    pub(crate) fn owners<'a>(&self, clients: impl IntoIterator<Item = &'a u64>) -> BTreeSet<u64> {
        clients.into_iter().filter_map(|id| self.owner(*id)).collect()
    }

    /// Which socket brought this client.
    pub(crate) fn owner(&self, client: u64) -> Option<u64> {
        match self.clients.get(&client)?.from {
            Source::Socket(socket, _) => Some(socket),
            Source::Elsewhere { .. } | Source::Nobody => None,
        }
    }
}

/// Of an awareness message; none when there is nothing to say.
pub(crate) fn payload<'a>(states: impl Iterator<Item = Awareness<'a>>) -> Option<Bytes> {
    let states: Vec<_> = states.collect();
    (!states.is_empty()).then(|| frame::put_awareness(states.into_iter()))
}

/// The state with the name that the server knows. Null is gone; what is no object has no room for a name and gets some.
fn named(state: Value, who: Speaker<'_>) -> Option<String> {
    let mut fields = match state {
        Value::Null => return None,
        Value::Object(fields) => fields,
        bare @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            Map::from_iter([("state".to_owned(), bare)])
        }
    };
    let mut user = match fields.remove("user") {
        Some(Value::Object(user)) => user,
        _ => Map::new(),
    };
    user.insert("id".to_owned(), who.user.as_str().into());
    user.insert("name".to_owned(), who.name.into());
    fields.insert("user".to_owned(), user.into());
    // What was read from JSON can be written as it. `Display` would write it in many small pieces.
    serde_json::to_string(&fields).ok()
}
