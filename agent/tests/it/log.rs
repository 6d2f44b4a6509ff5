//! The log keeps what was appended, gives it to whoever asks, and survives what happens to files.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod damage;

mod fork;

mod golden;

mod index;

mod read;

mod scene;
