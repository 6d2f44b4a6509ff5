//! Artifacts: the files a turn made that people open. Each version is kept as a blob.

use std::io::{self, Read as _};
use std::path::Path;

use protocol::ArtifactId;
use protocol::artifact::{Artifact, ArtifactEntry};
use protocol::change::{ChangeKind, FileChange};
use protocol::failure::{Code, Failure};
use protocol::request::ArtifactText;

use crate::blob::Blobs;

/// Larger files are not kept as artifacts.
const LARGEST: u64 = 512 * 1024 * 1024;

/// What people open, as opposed to what programs read: extension and media type. Code is not in it on purpose.
const KINDS: &[(&str, &str)] = &[
    ("md", "text/markdown"),
    ("markdown", "text/markdown"),
    ("txt", "text/plain"),
    ("rtf", "application/rtf"),
    ("html", "text/html"),
    ("htm", "text/html"),
    ("pdf", "application/pdf"),
    ("csv", "text/csv"),
    ("tsv", "text/tab-separated-values"),
    ("doc", "application/msword"),
    (
        "docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    ("xls", "application/vnd.ms-excel"),
    (
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    ("ppt", "application/vnd.ms-powerpoint"),
    (
        "pptx",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ),
    ("odt", "application/vnd.oasis.opendocument.text"),
    ("ods", "application/vnd.oasis.opendocument.spreadsheet"),
    ("odp", "application/vnd.oasis.opendocument.presentation"),
    ("epub", "application/epub+zip"),
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("avif", "image/avif"),
    ("bmp", "image/bmp"),
    ("tif", "image/tiff"),
    ("tiff", "image/tiff"),
    ("svg", "image/svg+xml"),
    ("mp3", "audio/mpeg"),
    ("wav", "audio/wav"),
    ("ogg", "audio/ogg"),
    ("flac", "audio/flac"),
    ("m4a", "audio/mp4"),
    ("mp4", "video/mp4"),
    ("webm", "video/webm"),
    ("mov", "video/quicktime"),
    ("zip", "application/zip"),
    ("tar", "application/x-tar"),
    ("gz", "application/gzip"),
    ("tgz", "application/gzip"),
    ("xz", "application/x-xz"),
    ("7z", "application/x-7z-compressed"),
    ("ics", "text/calendar"),
];

/// The media type of a file that people open; `None` for others.
#[must_use]
pub fn media_type(path: &Path) -> Option<&'static str> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    KINDS
        .iter()
        .find(|(it, _)| *it == extension)
        .map(|(_, media_type)| *media_type)
}

/// The artifacts among a turn's changes, each with a kept copy. A file that `known` has keeps its id and gets the next
/// version; one whose content is the newest version already is left out.
pub async fn found(changes: &[FileChange], known: &[ArtifactEntry], blobs: &Blobs) -> Vec<Artifact> {
    let candidates: Vec<_> = changes
        .iter()
        .filter(|it| it.kind != ChangeKind::Delete)
        .filter_map(|it| Some((it.path.clone(), media_type(Path::new(&it.path))?)))
        .collect();
    if candidates.is_empty() {
        return Vec::new();
    }
    let (known, blobs) = (known.to_vec(), blobs.clone());
    let work = tokio::task::spawn_blocking(move || {
        candidates
            .into_iter()
            .filter_map(|(path, media_type)| keep(&path, media_type, &known, &blobs))
            .collect()
    });
    work.await.unwrap_or_default()
}

fn keep(path: &str, media_type: &str, known: &[ArtifactEntry], blobs: &Blobs) -> Option<Artifact> {
    let file = Path::new(path);
    let metadata = file.symlink_metadata().ok()?;
    if !metadata.is_file() || metadata.len() > LARGEST {
        return None;
    }
    let hash = blobs
        .put_file(file)
        .inspect_err(|error| tracing::warn!(%error, path, "an artifact could not be kept"))
        .ok()?;
    let old = known.iter().map(|it| &it.artifact).find(|it| it.path == path);
    if old.is_some_and(|it| it.hash == hash) {
        return None;
    }
    Some(Artifact {
        id: old.map_or_else(ArtifactId::new, |it| it.id.clone()),
        name: file.file_name()?.to_string_lossy().into_owned(),
        path: path.to_owned(),
        media_type: media_type.to_owned(),
        size: blobs.path(&hash)?.metadata().ok()?.len(),
        hash,
        version: old.map_or(1, |it| it.version + 1),
    })
}

/// The beginning of an artifact as text.
///
/// # Errors
/// When its kept copy is gone.
pub async fn read(blobs: &Blobs, artifact: &Artifact, limit: u64) -> Result<ArtifactText, Failure> {
    let path = blobs
        .path(&artifact.hash)
        .ok_or_else(|| gone(artifact, "no valid name"))?;
    let read = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        std::fs::File::open(path)?
            .take(limit.saturating_add(1))
            .read_to_end(&mut bytes)?;
        Ok::<_, io::Error>(bytes)
    });
    let mut bytes = read
        .await
        .map_err(io::Error::other)
        .flatten()
        .map_err(|error| gone(artifact, &error.to_string()))?;
    let truncated = bytes.len() as u64 > limit;
    bytes.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    // A character cut by the limit is not a sign of binary content.
    let whole = match std::str::from_utf8(&bytes) {
        Err(error) if truncated && error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
    };
    bytes.truncate(whole);
    let binary = bytes.iter().take(8192).any(|it| *it == 0);
    Ok(ArtifactText {
        text: if binary {
            String::new()
        } else {
            String::from_utf8_lossy(&bytes).into_owned()
        },
        truncated,
        binary,
    })
}

/// Writes a copy of an artifact to `path`, replacing what is there.
///
/// # Errors
/// When it cannot be written.
pub async fn save(blobs: &Blobs, artifact: &Artifact, path: &Path) -> Result<(), Failure> {
    let from = blobs
        .path(&artifact.hash)
        .filter(|it| it.exists())
        .ok_or_else(|| gone(artifact, "it is not there"))?;
    let to = path.to_owned();
    let saved = tokio::task::spawn_blocking(move || {
        let folder = to.parent().ok_or(io::ErrorKind::InvalidInput)?;
        let mut draft = tempfile::Builder::new();
        draft.prefix(".zspark-save-");
        #[cfg(unix)]
        let public = std::os::unix::fs::PermissionsExt::from_mode(0o666);
        #[cfg(unix)]
        draft.permissions(public);
        let mut draft = draft.tempfile_in(folder)?;
        io::copy(&mut std::fs::File::open(from)?, draft.as_file_mut())?;
        draft.persist(&to).map(drop).map_err(|it| it.error)
    });
    saved.await.map_err(io::Error::other).flatten().map_err(|error| {
        let full = error.kind() == io::ErrorKind::StorageFull;
        let code = if full { Code::DiskFull } else { Code::FolderUnusable };
        Failure::new(
            code,
            format!("{} could not be saved to {}.", artifact.name, path.display()),
        )
        .hint("Choose another folder.")
        .details(error.to_string())
    })
}

fn gone(artifact: &Artifact, why: &str) -> Failure {
    Failure::new(Code::NotFound, format!("The kept copy of {} is gone.", artifact.name))
        .hint("The file itself may still be in the folder.")
        .details(why)
}

#[cfg(test)]
mod tests;
