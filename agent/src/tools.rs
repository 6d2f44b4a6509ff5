//! The tools the model sees, one a file.

pub mod apply_patch;
pub mod exec_command;
pub mod update_plan;
pub mod view_image;
pub mod write_stdin;
