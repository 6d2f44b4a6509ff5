//! Shared files up and down, gone on with where the line broke, and checked whole at the end.

use std::io::SeekFrom;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::TryStreamExt as _;
use protocol::id::{ArtifactId, WorkspaceId};
use protocol::workspace::artifact::{NewUpload, SharedArtifact, Upload};
use protocol::workspace::problem::ProblemCode;
use reqwest::{Body, Method, StatusCode, header};
use sha2::{Digest as _, Sha256};
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};
use tokio_util::io::ReaderStream;

use super::calls::{Calls, segment, workspace_path};
use crate::backoff::Backoff;
use crate::trouble::{Again, Trouble};

/// So many breaks in a row, without a byte in between, and it is given up for now.
const TRIES: u32 = 8;
/// Bytes of one read.
const PIECE: usize = 64 * 1024;

/// What a file is shared as.
#[derive(Debug, Clone, Default)]
pub struct Sharing {
    /// Its name, without folders.
    pub name: String,
    /// What it is taken for.
    pub media_type: Option<String>,
    /// The thread it comes from.
    pub thread: Option<protocol::id::ThreadId>,
    /// The artifact of which it is a new version.
    pub artifact: Option<ArtifactId>,
}

impl Calls {
    /// Uploads a file: read twice, once for its hash. A break of the line is gone on from.
    ///
    /// # Errors
    /// As [`Trouble`] says. The file must not change in between: the server compares the hash.
    pub async fn upload(&self, workspace: &WorkspaceId, file: &Path, as_: &Sharing) -> Result<SharedArtifact, Trouble> {
        let (sha256, size) = hash(file).await?;
        let new = NewUpload {
            name: as_.name.clone(),
            size,
            sha256,
            media_type: as_.media_type.clone(),
            thread_id: as_.thread.clone(),
            artifact_id: as_.artifact.clone(),
        };
        let path = workspace_path(workspace, "/uploads")?;
        let mut upload: Upload = self.door().ask(Method::POST, &path, Some(&new)).await?;
        let path = workspace_path(workspace, &format!("/uploads/{}", segment(upload.id.as_str())?))?;
        let mut patience = Patience::default();
        loop {
            if let Some(artifact) = upload.artifact {
                return Ok(artifact);
            }
            let sent = self.send_rest(&path, file, &upload).await;
            let trouble = match sent {
                Ok(now) if now.offset > upload.offset || now.artifact.is_some() => {
                    patience.saw(true);
                    upload = now;
                    continue;
                }
                Ok(_) => Trouble::Unreachable("the server took no bytes".into()),
                Err(trouble) => trouble,
            };
            // Somebody sent bytes meanwhile: a try of ours that we took for lost.
            let lost_count = trouble.problem().is_some_and(|it| it.code == ProblemCode::Conflict);
            if !lost_count {
                patience.wait(trouble).await?;
            }
            match self.door().ask::<Upload>(Method::GET, &path, None::<&()>).await {
                Ok(now) => {
                    patience.saw(now.offset > upload.offset);
                    upload = now;
                }
                Err(trouble) => patience.wait(trouble).await?,
            }
        }
    }

    /// Sends what the server does not have yet.
    async fn send_rest(&self, path: &str, file: &Path, upload: &Upload) -> Result<Upload, Trouble> {
        let mut file = File::open(file).await?;
        file.seek(SeekFrom::Start(upload.offset)).await?;
        let left = upload.size - upload.offset;
        let path = format!("{path}?offset={}", upload.offset);
        // A body is read once, so it is made for one node only: the next try asks the next one.
        let body = std::sync::Mutex::new(Some(Body::wrap_stream(ReaderStream::with_capacity(
            file.take(left),
            PIECE,
        ))));
        let response = self
            .door()
            .send(Method::PUT, &path, |request| {
                match body.lock().ok().and_then(|mut it| it.take()) {
                    Some(body) => request.header(header::CONTENT_LENGTH, left).body(body),
                    None => request,
                }
            })
            .await?;
        let text = response
            .bytes()
            .await
            .map_err(|it| Trouble::Unreachable(Box::new(it)))?;
        serde_json::from_slice(&text).map_err(|it| Trouble::Nonsense(it.to_string()))
    }

    /// Downloads a version of a file to a path that appears when all of it is there and its hash is right. What a break
    /// leaves is gone on from, also by a later call.
    ///
    /// # Errors
    /// As [`Trouble`] says.
    pub async fn download(&self, workspace: &WorkspaceId, artifact: &SharedArtifact, to: &Path) -> Result<(), Trouble> {
        let rest = format!(
            "/artifacts/{}/content?version={}",
            segment(artifact.id.as_str())?,
            artifact.version
        );
        let path = workspace_path(workspace, &rest)?;
        let part = part_of(to, &artifact.sha256);
        let mut patience = Patience::default();
        loop {
            let before = length(&part).await?;
            if before >= artifact.size {
                break;
            }
            if let Err(trouble) = self.receive_rest(&path, &part, before).await {
                patience.saw(length(&part).await? > before);
                patience.wait(trouble).await?;
            } else if length(&part).await? == before {
                let ended = Trouble::Nonsense("the file ends before its size".to_owned());
                return Err(ended);
            }
        }
        if artifact.size == 0 {
            File::create(&part).await?.sync_all().await?;
        }
        let (sha256, size) = hash(&part).await?;
        if sha256 != artifact.sha256 || size != artifact.size {
            tokio::fs::remove_file(&part).await?;
            return Err(Trouble::Nonsense(
                "the bytes do not add up to the file's hash".to_owned(),
            ));
        }
        tokio::fs::rename(&part, to).await?;
        Ok(())
    }

    async fn receive_rest(&self, path: &str, part: &Path, from: u64) -> Result<(), Trouble> {
        let response = self
            .door()
            .send(Method::GET, path, |request| match from {
                0 => request,
                from => request.header(header::RANGE, format!("bytes={from}-")),
            })
            .await?;
        let goes_on = response.status() == StatusCode::PARTIAL_CONTENT;
        let mut options = OpenOptions::new();
        options.create(true).write(true).append(goes_on).truncate(!goes_on);
        let mut file = options.open(part).await?;
        let mut bytes = response.bytes_stream().map_err(|it| Trouble::Unreachable(Box::new(it)));
        while let Some(piece) = bytes.try_next().await? {
            file.write_all(&piece).await?;
        }
        file.sync_all().await?;
        Ok(())
    }
}

/// How often something may break.
#[derive(Debug, Default)]
struct Patience {
    breaks: u32,
    backoff: Backoff,
}

impl Patience {
    /// Bytes went over, or none.
    fn saw(&mut self, progress: bool) {
        if progress {
            *self = Self::default();
        }
    }

    /// Waits before the next try, or gives up with the trouble.
    async fn wait(&mut self, trouble: Trouble) -> Result<(), Trouble> {
        self.breaks += 1;
        match trouble.again() {
            Again::Later(least) if self.breaks < TRIES => {
                let wait: Duration = self.backoff.next(least, rand::random());
                tokio::time::sleep(wait).await;
                Ok(())
            }
            Again::Later(_) | Again::Never => Err(trouble),
        }
    }
}

/// Beside the file, named by the content: another version never goes on from it.
fn part_of(to: &Path, sha256: &str) -> PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(format!(".{}.part", sha256.get(..16).unwrap_or("new")));
    PathBuf::from(name)
}

async fn length(path: &Path) -> Result<u64, Trouble> {
    match tokio::fs::metadata(path).await {
        Ok(found) => Ok(found.len()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error.into()),
    }
}

/// SHA-256 in hex, and the size.
async fn hash(path: &Path) -> Result<(String, u64), Trouble> {
    let mut file = File::open(path).await?;
    let (mut hash, mut size, mut piece) = (Sha256::new(), 0, vec![0; PIECE]);
    loop {
        let count = file.read(&mut piece).await?;
        let Some(read) = piece.get(..count).filter(|it| !it.is_empty()) else {
            break;
        };
        hash.update(read);
        size += read.len() as u64;
    }
    let hex = hash.finalize().iter().fold(String::new(), |mut hex, byte| {
        use std::fmt::Write as _;
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    Ok((hex, size))
}
