//! The messages of a document's websocket, byte for byte: the protocol of `y-websocket` and three private messages that only
//! a client gets that asked for them with `?acks=1`. One message is one frame. Nothing here knows what an update means.

use bytes::{BufMut as _, Bytes, BytesMut};

#[cfg(test)]
mod tests;

/// The largest whole number that JavaScript counts exactly: no id on the wire is above it.
pub const MAX_SAFE: u64 = (1 << 53) - 1;

/// The empty awareness message. It changes nothing and keeps the watchdog of stock clients quiet.
pub const STILL_HERE: Bytes = Bytes::from_static(&[1, 1, 0]);

/// The state vector of somebody who has nothing.
pub const NOTHING_SEEN: &[u8] = &[0];

/// The update that changes nothing.
pub const NOTHING_NEW: &[u8] = &[0, 0];

const SYNC: u64 = 0;
const AWARENESS: u64 = 1;
const AUTH: u64 = 2;
const QUERY_AWARENESS: u64 = 3;
const HELLO: u64 = 120;
const STORED: u64 = 121;

/// Whether a message says something of who is here.
#[must_use]
pub fn is_awareness(message: &[u8]) -> bool {
    message.first().is_some_and(|it| u64::from(*it) == AWARENESS)
}

/// What one websocket message holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// My state vector: answer with what it lacks.
    Step1(Bytes),
    /// What your state vector lacked.
    Step2(Bytes),
    /// What just changed.
    Update(Bytes),
    /// Who is here; see [`awareness`].
    Awareness(Bytes),
    /// Tell me who is here.
    QueryAwareness,
    /// You may not write, and why.
    Denied(String),
    /// Private, the server's first message: which life of the document this is. A client that comes back names it with
    /// `?epoch=` and is refused with 4409 if the document was made anew in the meantime.
    Hello {
        /// Counts from 1; grows when the document is deleted and made again.
        epoch: u64,
    },
    /// Private: of the `Step2` and `Update` messages that came over this socket, so many are on the disk.
    Stored {
        /// All from the first one on.
        count: u64,
    },
}

/// Why bytes are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// They end too early.
    #[error("the message ends too early")]
    Short,
    /// They go on after the message.
    #[error("the message goes on after its end")]
    Long,
    /// A number is above 2^53-1.
    #[error("a number is too large")]
    Number,
    /// A text is not UTF-8.
    #[error("a text is no UTF-8")]
    Text,
    /// More than there may be.
    #[error("there are too many entries")]
    TooMany,
    /// A type that is not known here: stock clients skip such a message, and so should we.
    #[error("messages of type {0} are not known")]
    Unknown(u64),
}

impl Frame {
    /// Reads one message and requires that nothing follows it.
    pub fn decode(message: &Bytes) -> Result<Self, FrameError> {
        let mut rest = Reader::new(message);
        let frame = match rest.number()? {
            SYNC => match rest.number()? {
                0 => Self::Step1(message.slice_ref(rest.buffer()?)),
                1 => Self::Step2(message.slice_ref(rest.buffer()?)),
                2 => Self::Update(message.slice_ref(rest.buffer()?)),
                other => return Err(FrameError::Unknown(other)),
            },
            AWARENESS => Self::Awareness(message.slice_ref(rest.buffer()?)),
            AUTH => match rest.number()? {
                0 => Self::Denied(rest.text()?.to_owned()),
                other => return Err(FrameError::Unknown(other)),
            },
            QUERY_AWARENESS => Self::QueryAwareness,
            HELLO => Self::Hello { epoch: rest.number()? },
            STORED => Self::Stored { count: rest.number()? },
            other => return Err(FrameError::Unknown(other)),
        };
        rest.end()?;
        Ok(frame)
    }

    /// The message's bytes.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(16 + self.payload().len());
        match self {
            Self::Step1(vector) => sync(&mut out, 0, vector),
            Self::Step2(update) => sync(&mut out, 1, update),
            Self::Update(update) => sync(&mut out, 2, update),
            Self::Awareness(states) => {
                put_number(&mut out, AWARENESS);
                put_buffer(&mut out, states);
            }
            Self::QueryAwareness => put_number(&mut out, QUERY_AWARENESS),
            Self::Denied(reason) => {
                put_number(&mut out, AUTH);
                put_number(&mut out, 0);
                put_buffer(&mut out, reason.as_bytes());
            }
            Self::Hello { epoch } => {
                put_number(&mut out, HELLO);
                put_number(&mut out, *epoch);
            }
            Self::Stored { count } => {
                put_number(&mut out, STORED);
                put_number(&mut out, *count);
            }
        }
        out.freeze()
    }

    fn payload(&self) -> &[u8] {
        match self {
            Self::Step1(it) | Self::Step2(it) | Self::Update(it) | Self::Awareness(it) => it,
            Self::Denied(reason) => reason.as_bytes(),
            Self::QueryAwareness | Self::Hello { .. } | Self::Stored { .. } => &[],
        }
    }
}

/// What one client says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Awareness<'a> {
    /// Which client.
    pub client: u64,
    /// Counts what it said.
    pub clock: u32,
    /// JSON; `null` when it is gone.
    pub state: &'a str,
}

/// Reads who is here: at most `most` clients.
pub fn awareness(payload: &[u8], most: usize) -> Result<Vec<Awareness<'_>>, FrameError> {
    let mut rest = Reader::new(payload);
    let count = usize::try_from(rest.number()?).map_err(|_| FrameError::TooMany)?;
    if count > most {
        return Err(FrameError::TooMany);
    }
    let mut states = Vec::with_capacity(count.min(payload.len() / 3));
    for _ in 0..count {
        states.push(Awareness {
            client: rest.number()?,
            clock: u32::try_from(rest.number()?).map_err(|_| FrameError::Number)?,
            state: rest.text()?,
        });
    }
    rest.end()?;
    Ok(states)
}

/// The payload of an awareness message.
#[must_use]
pub fn put_awareness<'a>(states: impl ExactSizeIterator<Item = Awareness<'a>>) -> Bytes {
    let mut out = BytesMut::new();
    put_number(&mut out, states.len() as u64);
    for it in states {
        put_number(&mut out, it.client);
        put_number(&mut out, u64::from(it.clock));
        put_buffer(&mut out, it.state.as_bytes());
    }
    out.freeze()
}

/// Reads the primitives of `lib0`, never beyond the end.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// From the beginning of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// One byte.
    pub fn byte(&mut self) -> Result<u8, FrameError> {
        let (first, rest) = self.rest.split_first().ok_or(FrameError::Short)?;
        self.rest = rest;
        Ok(*first)
    }

    /// `varUint`: seven bits a byte, the low ones first.
    pub fn number(&mut self) -> Result<u64, FrameError> {
        let mut value = 0;
        for shift in (0..56).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return if value <= MAX_SAFE {
                    Ok(value)
                } else {
                    Err(FrameError::Number)
                };
            }
        }
        Err(FrameError::Number)
    }

    /// So many bytes.
    pub fn bytes(&mut self, count: u64) -> Result<&'a [u8], FrameError> {
        let count = usize::try_from(count).map_err(|_| FrameError::Short)?;
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(FrameError::Short)?;
        self.rest = rest;
        Ok(taken)
    }

    /// `varUint8Array`.
    pub fn buffer(&mut self) -> Result<&'a [u8], FrameError> {
        let count = self.number()?;
        self.bytes(count)
    }

    /// `varString`.
    pub fn text(&mut self) -> Result<&'a str, FrameError> {
        std::str::from_utf8(self.buffer()?).map_err(|_| FrameError::Text)
    }

    /// How many bytes are left.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rest.len()
    }

    /// Nothing is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Requires that nothing is left.
    pub fn end(self) -> Result<(), FrameError> {
        if self.is_empty() { Ok(()) } else { Err(FrameError::Long) }
    }
}

/// Writes a `varUint`.
pub fn put_number(out: &mut BytesMut, mut value: u64) {
    while value >= 0x80 {
        out.put_u8((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}

fn put_buffer(out: &mut BytesMut, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.put_slice(bytes);
}

fn sync(out: &mut BytesMut, step: u64, payload: &[u8]) {
    put_number(out, SYNC);
    put_number(out, step);
    put_buffer(out, payload);
}
