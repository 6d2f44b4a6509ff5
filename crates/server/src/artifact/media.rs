//! What a browser is told that a file is: one of a few harmless kinds, or nothing.

/// Kinds that no browser runs code from. HTML, SVG and XML are not among them.
const KNOWN: &[&str] = &[
    "application/gzip",
    "application/json",
    "application/pdf",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/zip",
    "audio/mpeg",
    "audio/wav",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/webp",
    "text/csv",
    "text/markdown",
    "text/plain",
    "video/mp4",
];

/// What nothing is known about.
pub const UNKNOWN: &str = "application/octet-stream";

/// What a file is said to be, if that is a kind we know.
#[must_use]
pub fn known(claimed: Option<&str>) -> &'static str {
    let essence = claimed.and_then(|it| it.split(';').next()).unwrap_or_default().trim();
    KNOWN
        .iter()
        .find(|it| it.eq_ignore_ascii_case(essence))
        .copied()
        .unwrap_or(UNKNOWN)
}
