//! Serves artifacts to frames and images, each under an address that cannot be guessed.
//!
//! What is served is hostile until proven otherwise: it gets an opaque origin, no network, and no way to the engine.

use std::collections::HashMap;
use std::io::SeekFrom;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use protocol::Failure;
use protocol::artifact::ArtifactRef;
use protocol::host::Preview;
use tauri::http::{HeaderMap, Request, Response, StatusCode, header};
use tauri::{AppHandle, Manager, UriSchemeContext, UriSchemeResponder, Wry};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use crate::artifact::{self, Found};
use crate::follow::Followers;

#[cfg(test)]
mod tests;

/// Bytes in one answer. Players and PDF viewers ask for the rest; a frame whose document is larger gets none.
const LARGEST_ANSWER: u64 = 64 << 20;

/// What may be loaded, by token.
#[derive(Default)]
pub(crate) struct Previews(Mutex<HashMap<String, Found>>);

/// Makes an address for one version of one artifact.
pub(crate) async fn grant(app: &AppHandle, wanted: &ArtifactRef) -> Result<Preview, Failure> {
    let found = artifact::find(app, wanted).await?;
    Ok(Preview {
        url: app.state::<Previews>().grant(found),
    })
}

impl Previews {
    fn grant(&self, found: Found) -> String {
        let mut granted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = granted
            .iter()
            .find(|(_, it)| **it == found)
            .map(|(token, _)| token.clone());
        let token = known.unwrap_or_else(|| {
            let token = format!("{:032x}", rand::random::<u128>());
            granted.insert(token.clone(), found);
            token
        });
        if cfg!(windows) {
            format!("http://preview.localhost/{token}")
        } else {
            format!("preview://localhost/{token}")
        }
    }

    fn find(&self, path: &str) -> Option<Found> {
        let token = path.trim_start_matches('/');
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(token)
            .cloned()
    }
}

/// Answers `preview://localhost/<token>`.
pub(crate) fn serve(context: UriSchemeContext<'_, Wry>, request: Request<Vec<u8>>, responder: UriSchemeResponder) {
    let app = context.app_handle();
    let found = app.state::<Previews>().find(request.uri().path());
    let headers = request.headers().clone();
    app.state::<Followers>().spawn(async move {
        let response = match found {
            Some(found) => answer(&found, &headers).await,
            None => plain(StatusCode::NOT_FOUND),
        };
        responder.respond(response);
    });
}

async fn answer(found: &Found, headers: &HeaderMap) -> Response<Vec<u8>> {
    let media_type = served_as(&found.media_type);
    let size = match tokio::fs::metadata(&found.kept).await {
        Ok(it) => it.len(),
        Err(error) => {
            tracing::warn!(%error, name = found.name, "a kept artifact cannot be read");
            return plain(StatusCode::NOT_FOUND);
        }
    };
    let wanted = headers.get(header::RANGE).and_then(|it| it.to_str().ok());
    let mut response = Response::builder()
        .header(header::CONTENT_TYPE, media_type)
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(header::CONTENT_SECURITY_POLICY, policy(media_type))
        .header(header::REFERRER_POLICY, "no-referrer")
        .header(header::CACHE_CONTROL, "no-store")
        .header(header::ACCEPT_RANGES, "bytes");
    // Only zspark's own page may read a preview with a script.
    if let Some(origin) = headers.get(header::ORIGIN)
        && matches!(origin.as_bytes(), b"tauri://localhost" | b"http://tauri.localhost")
    {
        response = response.header(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin).header(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            "content-length, content-range, accept-ranges",
        );
    }
    let span = match span(wanted, size) {
        Span::Whole if size <= LARGEST_ANSWER => 0..size,
        Span::Whole => return plain(StatusCode::PAYLOAD_TOO_LARGE),
        Span::Part(part) => {
            response = response.status(StatusCode::PARTIAL_CONTENT).header(
                header::CONTENT_RANGE,
                format!("bytes {}-{}/{size}", part.start, part.end - 1),
            );
            part
        }
        Span::Outside => {
            let refused = response
                .status(StatusCode::RANGE_NOT_SATISFIABLE)
                .header(header::CONTENT_RANGE, format!("bytes */{size}"));
            return refused.body(Vec::new()).unwrap_or_default();
        }
    };
    match read(&found.kept, span).await {
        Ok(body) => response
            .header(header::CONTENT_LENGTH, body.len())
            .body(body)
            .unwrap_or_default(),
        Err(error) => {
            tracing::warn!(%error, name = found.name, "a kept artifact cannot be read");
            plain(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

async fn read(path: &Path, span: std::ops::Range<u64>) -> std::io::Result<Vec<u8>> {
    let mut file = tokio::fs::File::open(path).await?;
    file.seek(SeekFrom::Start(span.start)).await?;
    let mut body = Vec::new();
    file.take(span.end - span.start).read_to_end(&mut body).await?;
    Ok(body)
}

/// What a `Range` header asks for.
#[derive(Debug, PartialEq, Eq)]
enum Span {
    Whole,
    Part(std::ops::Range<u64>),
    Outside,
}

/// One range is honoured; a header that asks for several or makes no sense is passed over, as HTTP says.
fn span(range: Option<&str>, size: u64) -> Span {
    let parsed = range
        .and_then(|it| it.strip_prefix("bytes="))
        .filter(|it| !it.contains(','))
        .and_then(|it| it.split_once('-'));
    let Some((first, last)) = parsed else {
        return Span::Whole;
    };
    let (start, end) = match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => (first, last.saturating_add(1).min(size)),
        (Ok(first), Err(_)) if last.trim().is_empty() => (first, size),
        (Err(_), Ok(last)) if first.trim().is_empty() && last > 0 => (size.saturating_sub(last), size),
        _ => return Span::Whole,
    };
    if start >= size {
        return Span::Outside;
    }
    Span::Part(start..end.min(start + LARGEST_ANSWER))
}

/// Types that a web view shows stay what they are; everything that could become something else on its way is text or bytes.
fn served_as(media_type: &str) -> &str {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    match essence {
        "text/html" => "text/html; charset=utf-8",
        "application/pdf" => essence,
        "application/json" | "application/xml" | "application/javascript" | "application/xhtml+xml" => {
            "text/plain; charset=utf-8"
        }
        it if it.starts_with("image/") || it.starts_with("audio/") || it.starts_with("video/") => it,
        it if it.starts_with("text/") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// No network for anything; scripts only for pages, and those in an origin of their own.
fn policy(served_as: &str) -> &'static str {
    if served_as.starts_with("text/html") {
        "sandbox allow-scripts; default-src 'none'; img-src data: blob:; media-src data: blob:; font-src data:; \
         style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
         frame-ancestors tauri://localhost http://tauri.localhost"
    } else {
        "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; \
         frame-ancestors tauri://localhost http://tauri.localhost"
    }
}

fn plain(status: StatusCode) -> Response<Vec<u8>> {
    let mut response = Response::new(Vec::new());
    *response.status_mut() = status;
    response
}
