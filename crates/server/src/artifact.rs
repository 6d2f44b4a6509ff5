//! Shared files: what they may be called, where their bytes are, and which part of them is asked for.

pub mod media;
pub mod name;
pub mod range;
pub mod storage;
