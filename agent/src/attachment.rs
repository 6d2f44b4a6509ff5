//! Files that a person hands to a turn: what they are, and how they reach the model.
//!
//! Nothing large is ever read whole: a file's type is told from its beginning, and copies are streamed by the system.

#[cfg(test)]
mod tests;

use std::io::Read;
use std::path::{Path, PathBuf};

use protocol::attachment::{Attachment, Delivery};
use protocol::context::Content;
use protocol::{Code, Failure, ThreadId};

use crate::home::Home;

/// Text up to this size is part of the prompt.
const INLINE: u64 = 32 * 1024;
/// All inline text of one prompt.
const INLINE_IN_ALL: u64 = 96 * 1024;
/// Providers refuse larger images.
const IMAGE: u64 = 10 * 1024 * 1024;
/// Enough to tell what a file is.
const BEGINNING: u64 = 8 * 1024;
/// Bytes of a file name that every file system takes, with room for a number.
const NAME: usize = 120;

/// Looks at files and folders, for their chips. Nothing is copied.
///
/// # Errors
/// [`Code::NotFound`] or [`Code::InvalidRequest`] names the first path that cannot be attached.
pub async fn check(paths: Vec<String>) -> Result<Vec<Attachment>, Failure> {
    blocking(move || {
        let mut budget = INLINE_IN_ALL;
        paths.iter().map(|it| look(Path::new(it), &mut budget)).collect()
    })
    .await
}

/// Copies what lies outside the thread's folder, so that it is still there when the prompt's turn comes, and answers where
/// everything is now. This may take long, so it is done before the thread is asked for anything: meanwhile the thread can
/// be stopped and its questions answered.
///
/// # Errors
/// As [`check`], and [`Code::DiskFull`]; then no copy stays.
pub async fn keep(home: &Home, thread: &ThreadId, cwd: &Path, paths: Vec<String>) -> Result<Vec<String>, Failure> {
    if paths.is_empty() {
        return Ok(paths);
    }
    let kept = home.attachments();
    // A folder for each prompt, so that a file keeps its name.
    let folder = kept.join(thread.as_str()).join(uuid::Uuid::now_v7().to_string());
    let cwd = cwd.to_path_buf();
    blocking(move || {
        let now: Result<Vec<String>, Failure> = paths
            .iter()
            .map(|it| keep_one(Path::new(it), &cwd, &kept, &folder))
            .collect();
        if now.is_err() {
            // Nothing of it is named anywhere; the failure itself is what the person must hear.
            let _ = std::fs::remove_dir_all(&folder);
        }
        now
    })
    .await
}

fn keep_one(path: &Path, cwd: &Path, kept: &Path, folder: &Path) -> Result<String, Failure> {
    let attachment = look(path, &mut 0)?;
    let stays = attachment.media_type == "inode/directory" || path.starts_with(kept) || inside(path, cwd);
    let copied = if stays {
        None
    } else {
        copy_if(path, cwd, folder, attachment.delivery)?
    };
    Ok(copied.map_or(attachment.path, |it| it.to_string_lossy().into_owned()))
}

/// Takes files into a turn: outside the thread's folder they are copied beside its log, inside they stay. Folders are named, never
/// copied. Each comes with what the model reads of it.
///
/// # Errors
/// As [`check`], and [`Code::DiskFull`]; then no part of a copy stays.
pub async fn take(
    home: &Home,
    thread: &ThreadId,
    cwd: &Path,
    paths: &[String],
) -> Result<Vec<(Attachment, Vec<Content>)>, Failure> {
    let kept = home.attachments();
    let folder = kept.join(thread.as_str());
    let (cwd, paths) = (cwd.to_path_buf(), paths.to_vec());
    blocking(move || {
        let mut budget = INLINE_IN_ALL;
        paths
            .iter()
            .map(|it| take_one(Path::new(it), &cwd, &kept, &folder, &mut budget))
            .collect()
    })
    .await
}

/// Keeps pasted content as a file, so that it can be attached by its path.
///
/// # Errors
/// [`Code::DiskFull`], or the home cannot be written.
pub async fn paste(home: &Home, name: &str, bytes: Vec<u8>) -> Result<Attachment, Failure> {
    let folder = home.attachments().join("pasted").join(uuid::Uuid::now_v7().to_string());
    let name = file_name(name);
    blocking(move || {
        let path = folder.join(name);
        let written = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, &bytes));
        written.map_err(|error| {
            // What is left of a failed write is worth nothing.
            let _ = std::fs::remove_dir_all(&folder);
            unkept(&path, &error)
        })?;
        look(&path, &mut INLINE_IN_ALL.clone())
    })
    .await
}

fn look(path: &Path, budget: &mut u64) -> Result<Attachment, Failure> {
    if !path.is_absolute() {
        return Err(Failure::new(
            Code::InvalidRequest,
            format!("{} is no absolute path", path.display()),
        ));
    }
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    let name = path
        .file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned();
    let shown = path.to_string_lossy().into_owned();
    if metadata.is_dir() {
        let media_type = "inode/directory".to_owned();
        return Ok(Attachment {
            name,
            path: shown,
            media_type,
            size: 0,
            delivery: Delivery::Path,
        });
    }
    if !metadata.is_file() {
        return Err(Failure::new(
            Code::InvalidRequest,
            format!("{} is neither a file nor a folder", path.display()),
        )
        .hint("Pipes and devices cannot be attached."));
    }
    let beginning = beginning(path).map_err(|error| unreadable(path, &error))?;
    let (media_type, text) = media_type(path, &beginning);
    let size = metadata.len();
    let delivery = if is_image(&media_type) && size <= IMAGE {
        Delivery::Image
    } else if text && size <= INLINE.min(*budget) {
        *budget -= size;
        Delivery::Inline
    } else {
        Delivery::Path
    };
    Ok(Attachment {
        name,
        path: shown,
        media_type,
        size,
        delivery,
    })
}

fn take_one(
    path: &Path,
    cwd: &Path,
    kept: &Path,
    folder: &Path,
    budget: &mut u64,
) -> Result<(Attachment, Vec<Content>), Failure> {
    let mut attachment = look(path, budget)?;
    let is_folder = attachment.media_type == "inode/directory";
    // What an earlier prompt or a paste brought is ours already.
    let ours = path.starts_with(kept);
    let copied = if is_folder || ours {
        None
    } else {
        copy_if(path, cwd, folder, attachment.delivery)?
    };
    if let Some(copy) = &copied
        && !inside(path, cwd)
    {
        attachment.path = copy.to_string_lossy().into_owned();
    }
    let named = format!(
        "{} ({}, {} bytes): {}",
        attachment.name, attachment.media_type, attachment.size, attachment.path
    );
    let content = match attachment.delivery {
        Delivery::Image => {
            let image = copied.as_deref().unwrap_or(path).to_string_lossy().into_owned();
            vec![
                Content::Text {
                    text: format!("Attached image {named}"),
                },
                Content::Image {
                    path: image,
                    media_type: attachment.media_type.clone(),
                },
            ]
        }
        Delivery::Inline => {
            let mut bytes = Vec::new();
            let file = std::fs::File::open(path).map_err(|error| unreadable(path, &error))?;
            file.take(INLINE)
                .read_to_end(&mut bytes)
                .map_err(|error| unreadable(path, &error))?;
            let text = String::from_utf8_lossy(&bytes);
            let end = if text.ends_with('\n') { "" } else { "\n" };
            vec![Content::Text {
                text: format!("Attached file {named}\n<attachment>\n{text}{end}</attachment>"),
            }]
        }
        Delivery::Path if is_folder => {
            vec![Content::Text {
                text: format!("Attached folder {}: {}", attachment.name, attachment.path),
            }]
        }
        Delivery::Path => vec![Content::Text {
            text: format!(
                "Attached file {named}\nIts content is not shown here. Read it with tools, in parts where it is large."
            ),
        }],
    };
    Ok((attachment, content))
}

/// Files of the thread's folder stay where they are. Images are kept even so, because every later request reads them again.
fn copy_if(path: &Path, cwd: &Path, folder: &Path, delivery: Delivery) -> Result<Option<PathBuf>, Failure> {
    if inside(path, cwd) && delivery != Delivery::Image {
        return Ok(None);
    }
    let failed = |error: std::io::Error| unkept(path, &error);
    std::fs::create_dir_all(folder).map_err(failed)?;
    let part = tempfile::NamedTempFile::new_in(folder)
        .map_err(failed)?
        .into_temp_path();
    // `copy` lets the system share blocks where it can, and streams where it cannot.
    std::fs::copy(path, &part).map_err(failed)?;
    let name = file_name(&path.file_name().unwrap_or_default().to_string_lossy());
    let mut part = part;
    for number in 1_u32.. {
        match part.persist_noclobber(folder.join(numbered(&name, number))) {
            Ok(()) => return Ok(Some(folder.join(numbered(&name, number)))),
            Err(taken) if taken.error.kind() == std::io::ErrorKind::AlreadyExists => part = taken.path,
            Err(error) => return Err(failed(error.error)),
        }
    }
    Ok(None)
}

fn inside(path: &Path, cwd: &Path) -> bool {
    let real = |it: &Path| it.canonicalize().unwrap_or_else(|_| it.to_path_buf());
    real(path).starts_with(real(cwd))
}

/// `report.pdf`, `report (2).pdf` …
fn numbered(name: &str, number: u32) -> String {
    match (number, name.rsplit_once('.')) {
        (1, _) => name.to_owned(),
        (_, Some((stem, extension))) if !stem.is_empty() => format!("{stem} ({number}).{extension}"),
        _ => format!("{name} ({number})"),
    }
}

/// A name that every file system takes.
fn file_name(name: &str) -> String {
    let forbidden = |it: char| it.is_control() || matches!(it, '/' | '\\' | '<' | '>' | ':' | '"' | '|' | '?' | '*');
    let clean: String = name.chars().map(|it| if forbidden(it) { '_' } else { it }).collect();
    let clean = clean.trim().trim_end_matches('.');
    let clean = if clean.is_empty() { "attachment" } else { clean };
    if clean.len() <= NAME {
        return clean.to_owned();
    }
    // The extension says what it is, so the stem gives way.
    let (stem, extension) = match clean.rsplit_once('.') {
        Some((stem, extension)) if extension.len() <= 16 => (stem, format!(".{extension}")),
        _ => (clean, String::new()),
    };
    let mut end = (NAME - extension.len()).min(stem.len());
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{extension}", &stem[..end])
}

fn beginning(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(BEGINNING).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The media type, from the content rather than the name, and whether it is text.
pub(crate) fn media_type(path: &Path, beginning: &[u8]) -> (String, bool) {
    let text = is_text(beginning);
    let guessed = mime_guess::from_path(path).first_raw();
    if text {
        // A text with an image's or archive's name is still text, but SVG and JSON are what they say.
        let named =
            guessed.filter(|it| it.starts_with("text/") || it.starts_with("application/") || *it == "image/svg+xml");
        return (named.unwrap_or("text/plain").to_owned(), true);
    }
    let told = infer::get(beginning).map(|it| it.mime_type());
    // An office document is a ZIP archive to its content and itself to its name.
    let told = told.filter(|it| !matches!(*it, "application/zip" | "application/x-ole-storage"));
    (told.or(guessed).unwrap_or("application/octet-stream").to_owned(), false)
}

fn is_text(bytes: &[u8]) -> bool {
    if bytes.contains(&0) {
        return false;
    }
    match std::str::from_utf8(bytes) {
        Ok(_) => true,
        // The last character may be cut off by the end of what was read.
        Err(error) => error.error_len().is_none() && bytes.len() - error.valid_up_to() < 4,
    }
}

fn is_image(media_type: &str) -> bool {
    matches!(media_type, "image/png" | "image/jpeg" | "image/gif" | "image/webp")
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    let gone = error.kind() == std::io::ErrorKind::NotFound;
    let failure = if gone {
        Failure::new(Code::NotFound, format!("{} is not there", path.display()))
            .hint("Attach it again from where it is now.")
    } else {
        Failure::new(Code::InvalidRequest, format!("{} cannot be read", path.display()))
            .hint("Check that you may read it.")
    };
    failure.details(error.to_string())
}

fn unkept(path: &Path, error: &std::io::Error) -> Failure {
    let full = error.kind() == std::io::ErrorKind::StorageFull;
    let (code, hint) = if full {
        (
            Code::DiskFull,
            "Free some space, or attach the folder instead: folders are not copied.",
        )
    } else {
        (Code::Internal, "Check that the zspark folder can be written.")
    };
    Failure::new(code, format!("{} cannot be kept for the thread", path.display()))
        .hint(hint)
        .details(error.to_string())
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Failure> + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Failure::new(Code::Internal, "attachments could not be read").details(error.to_string()))?
}
