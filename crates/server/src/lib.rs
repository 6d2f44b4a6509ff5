//! The shared workspace.
