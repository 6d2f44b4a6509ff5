//! `view_image`: shows the model a picture from the disk.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use protocol::context::Content;
use protocol::{ItemKind, ItemStatus};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::patch::absolute;
use crate::tool::{Access, Begin, Cx, End, Output, Step, Tool};

/// The largest picture that is sent to a model.
const MOST: u64 = 20 * 1024 * 1024;

/// Shows you an image file of this computer: PNG, JPEG, GIF or WebP.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct Input {
    /// Path of the image.
    pub path: String,
}

/// The tool.
#[derive(Debug, Default)]
pub struct ViewImage;

impl Tool for ViewImage {
    const NAME: &'static str = "view_image";
    type Input = Input;

    fn begin(&self, input: &Input, cx: &Cx) -> Result<Begin, String> {
        let path = absolute(&cx.cwd, &input.path);
        Ok(Begin {
            item: Some(ItemKind::ImageView {
                path: path.to_string_lossy().into_owned(),
            }),
            access: Access::Read(vec![path]),
        })
    }

    async fn run(&self, input: Input, step: Step<'_>) -> End {
        let path = absolute(&step.cx.cwd, &input.path);
        let kept = step.cx.home.attachments().join(step.cx.thread_id.as_str());
        let looked = tokio::task::spawn_blocking(move || keep(&path, &kept)).await;
        match looked.unwrap_or_else(|error| Err(error.to_string())) {
            Ok((path, media_type)) => End {
                item: None,
                status: ItemStatus::Completed,
                output: Output::Ok(vec![Content::Image {
                    path: path.to_string_lossy().into_owned(),
                    media_type: media_type.to_owned(),
                }]),
            },
            Err(why) => End {
                item: None,
                status: ItemStatus::Failed,
                output: Output::Failed(format!("view_image failed: {why}")),
            },
        }
    }
}

/// Copies the picture beside the thread: the context names it for ever, while the file itself may change.
fn keep(path: &Path, folder: &Path) -> Result<(PathBuf, &'static str), String> {
    let shown = path.display();
    let metadata = path
        .metadata()
        .map_err(|error| format!("cannot read {shown}: {error}"))?;
    if !metadata.is_file() {
        return Err(format!("{shown} is not a file"));
    }
    if metadata.len() > MOST {
        return Err(format!("{shown} is larger than 20 MiB"));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MOST + 1).read_to_end(&mut bytes))
        .map_err(|error| format!("cannot read {shown}: {error}"))?;
    if bytes.len() as u64 > MOST {
        return Err(format!("{shown} is larger than 20 MiB"));
    }
    let kind = infer::get(&bytes)
        .filter(|it| matches!(it.mime_type(), "image/png" | "image/jpeg" | "image/gif" | "image/webp"))
        .ok_or_else(|| format!("{shown} is not a PNG, JPEG, GIF or WebP image"))?;
    let hash: String = <sha2::Sha256 as sha2::Digest>::digest(&bytes)
        .iter()
        .map(|it| format!("{it:02x}"))
        .collect();
    let copy = folder.join(format!("{hash}.{}", kind.extension()));
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&copy, &bytes))
        .map_err(|error| format!("cannot keep a copy of {shown}: {error}"))?;
    Ok((copy, kind.mime_type()))
}
