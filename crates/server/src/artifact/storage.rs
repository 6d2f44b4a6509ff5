//! Where bytes are: a folder, or an object store. Places are named after ids and hashes, never after what people type.

use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt as _;
use futures::stream::{BoxStream, StreamExt as _};
use object_store::buffered::BufWriter;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreExt as _};
use protocol::id::{UploadId, WorkspaceId};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt as _;
use url::Url;

use crate::problem::Refusal;
use crate::store::Chain;
use protocol::workspace::problem::ProblemCode;

/// Why bytes cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The storage's own words.
    #[error("the storage of artifacts refused")]
    Store(#[from] object_store::Error),
    /// The file system's own words.
    #[error("the storage of artifacts refused")]
    File(#[from] std::io::Error),
    /// The address is none of ours.
    #[error("`artifact_storage_dir` must be a folder or an address such as s3://bucket/prefix, not {0}")]
    Address(String),
}

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        tracing::error!(error = %Chain(&error), "the storage of artifacts refused");
        Self::new(
            ProblemCode::Unavailable,
            "The storage of artifacts cannot take this right now. What was sent so far is kept.",
        )
    }
}

/// The storage of all artifacts.
#[derive(Debug, Clone)]
pub struct Storage {
    store: Arc<dyn ObjectStore>,
}

/// Bytes that were written, and what they add up to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// So many.
    pub size: u64,
    /// Their SHA-256 in hex.
    pub sha256: String,
}

impl Storage {
    /// Opens a folder, which is made if need be, or an object store (`s3://`, `az://` …) with its options.
    ///
    /// # Errors
    /// The folder cannot be made, or the address makes no sense.
    pub fn open(place: &str, options: &[(String, String)]) -> Result<Self, StorageError> {
        let store: Arc<dyn ObjectStore> = match Url::parse(place) {
            // One letter is a drive of Windows.
            Ok(url) if url.scheme().len() > 1 => {
                let known = options.iter().map(|(name, value)| (name.as_str(), value.as_str()));
                let (store, prefix) = object_store::parse_url_opts(&url, known)
                    .map_err(|_| StorageError::Address(format!("{}://…", url.scheme())))?;
                Arc::new(PrefixStore::new(Arc::<dyn ObjectStore>::from(store), prefix))
            }
            Ok(_) | Err(_) => {
                std::fs::create_dir_all(FilePath::new(place))?;
                Arc::new(LocalFileSystem::new_with_prefix(place)?.with_fsync(true))
            }
        };
        Ok(Self { store })
    }

    /// A new place for a part of an upload. A part that is the whole file stays there as its blob.
    #[must_use]
    pub fn part(upload: &UploadId, start: u64) -> String {
        format!("uploads/{upload}/{start}-{}", uuid::Uuid::now_v7().simple())
    }

    /// A new place for a blob. Each time the same bytes come back after they were deleted it is another one, so that a
    /// late deletion cannot hit them.
    #[must_use]
    pub fn blob(workspace: &WorkspaceId, sha256: &str) -> String {
        let start = sha256.get(..2).unwrap_or_default();
        format!("blobs/{workspace}/{start}/{sha256}-{}", uuid::Uuid::now_v7().simple())
    }

    /// Writes a stream to a place. When the stream fails, what came before is kept all the same, and its error is given
    /// beside it: a connection that breaks must not cost what was sent.
    ///
    /// # Errors
    /// The storage fails; then nothing is kept.
    pub async fn write<E>(
        &self,
        place: &str,
        mut bytes: BoxStream<'_, Result<Bytes, E>>,
    ) -> Result<(Written, Option<E>), StorageError> {
        let mut hash = Sha256::new();
        let mut size = 0;
        let mut broken = None;
        let mut writer = BufWriter::with_capacity(Arc::clone(&self.store), Path::from(place), 8 << 20);
        while let Some(piece) = bytes.next().await {
            match piece {
                Ok(piece) => {
                    hash.update(&piece);
                    size += piece.len() as u64;
                    if let Err(error) = writer.put(piece).await {
                        // A failed write may leave a begun multipart upload behind.
                        if let Err(left) = writer.abort().await {
                            tracing::warn!(error = %Chain(&left), "a broken part stays in the storage");
                        }
                        return Err(error.into());
                    }
                }
                Err(error) => {
                    broken = Some(error);
                    break;
                }
            }
        }
        writer.shutdown().await?;
        Ok((
            Written {
                size,
                sha256: hex(&hash.finalize()),
            },
            broken,
        ))
    }

    /// Joins parts into one place, in order, and says what they add up to.
    ///
    /// # Errors
    /// The storage fails.
    pub async fn join(&self, parts: &[String], place: &str) -> Result<Written, StorageError> {
        let store = Arc::clone(&self.store);
        let parts: Vec<Path> = parts.iter().map(|it| Path::from(it.as_str())).collect();
        let bytes = futures::stream::iter(parts)
            .then(move |part| {
                let store = Arc::clone(&store);
                async move { Ok::<_, object_store::Error>(store.get(&part).await?.into_stream()) }
            })
            .try_flatten()
            .boxed();
        let (written, broken) = self.write(place, bytes).await?;
        match broken {
            Some(error) => {
                self.delete(place).await;
                Err(error.into())
            }
            None => Ok(written),
        }
    }

    /// Reads a part of what is at a place.
    ///
    /// # Errors
    /// The storage fails, or no longer has it.
    pub async fn read(
        &self,
        place: &str,
        part: std::ops::Range<u64>,
    ) -> Result<BoxStream<'static, object_store::Result<Bytes>>, StorageError> {
        let options = object_store::GetOptions {
            // An empty file has no range.
            range: (part.end > 0).then_some(object_store::GetRange::Bounded(part)),
            ..object_store::GetOptions::default()
        };
        Ok(self.store.get_opts(&Path::from(place), options).await?.into_stream())
    }

    /// Removes what is at a place. What cannot be removed is only in the way, and is said in the log.
    pub async fn delete(&self, place: &str) {
        if let Err(error) = self.store.delete(&Path::from(place)).await
            && !matches!(error, object_store::Error::NotFound { .. })
        {
            tracing::warn!(error = %Chain(&error), place, "it stays in the storage");
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|it| format!("{it:02x}")).collect()
}
