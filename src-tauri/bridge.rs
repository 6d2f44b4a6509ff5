//! The two commands between page and engine: `request` and `follow`. There is no third.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use protocol::host::HostRequest;
use protocol::{Answer, Code, Failure, Request};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tauri::ipc::Channel;
use tauri::{AppHandle, Manager};

use crate::follow::{self, Delivery, Followed, Followers, HostTopic};
use crate::host::Host;
use crate::{dialogs, open, preview, window};

#[cfg(test)]
mod tests;

/// What the page gets back.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Reply {
    /// From the engine.
    Engine(Box<Answer>),
    /// From the window.
    Host(Value),
}

/// A request of the page: `{"method": "thread/list", "params": {}}`.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    method: String,
    #[serde(default = "nothing")]
    params: Value,
}

fn nothing() -> Value {
    json!({})
}

/// Answers one request: `host/…` by the window, everything else by the engine.
#[tauri::command]
pub(crate) async fn request(app: AppHandle, request: Asked) -> Result<Reply, Failure> {
    // A panic must reach the page as a failure: its promise would otherwise never settle.
    AssertUnwindSafe(answer(app, request))
        .catch_unwind()
        .await
        .unwrap_or_else(|_| {
            Err(Failure::new(Code::Internal, "zspark hit a defect while answering.")
                .hint("A crash file with the details is in the logs folder of zspark's home."))
        })
}

async fn answer(app: AppHandle, asked: Asked) -> Result<Reply, Failure> {
    if asked.method.starts_with("host/") {
        return answer_as_window(&app, parse(asked)?).await.map(Reply::Host);
    }
    let request: Request = parse(asked)?;
    let answer = app.state::<Host>().engine().await?.request(request).await?;
    Ok(Reply::Engine(Box::new(answer)))
}

async fn answer_as_window(app: &AppHandle, request: HostRequest) -> Result<Value, Failure> {
    match request {
        HostRequest::Info {} => Ok(json!(app.state::<Host>().info())),
        HostRequest::PickFolder {} => Ok(json!(dialogs::pick_folder(app).await)),
        HostRequest::PickFiles {} => Ok(json!(dialogs::pick_files(app).await)),
        HostRequest::PickSave { name } => Ok(json!(dialogs::pick_save(app, &name).await)),
        HostRequest::OpenArtifact { artifact } => open::artifact(app, &artifact).await.map(|()| json!({})),
        HostRequest::RevealArtifact { artifact } => open::reveal(app, &artifact).await.map(|()| json!({})),
        HostRequest::OpenFolder { cwd } => open::folder(app, &cwd).await.map(|()| json!({})),
        HostRequest::OpenUrl { url } => open::url(&url).map(|()| json!({})),
        HostRequest::Preview { artifact } => preview::grant(app, &artifact).await.map(|it| json!(it)),
        HostRequest::Ready {} => {
            window::show_first_time(app);
            Ok(json!({}))
        }
    }
}

/// Follows `topic` under a key that the page chose, instead of what the key followed before; null ends it.
#[tauri::command]
pub(crate) async fn follow(
    app: AppHandle,
    key: String,
    topic: Option<Followed>,
    channel: Channel<Delivery>,
) -> Result<(), Failure> {
    let host = app.state::<Host>();
    let followers = app.state::<Followers>();
    match topic {
        Some(Followed::Engine(topic)) => {
            let follower = host.engine().await?.follow(topic).await?;
            followers.begin(key, follow::frames(follower, channel));
        }
        Some(Followed::Host(HostTopic::Host)) => followers.begin(key, follow::news(host.news.listen(), channel)),
        None => followers.end(key),
    }
    Ok(())
}

fn parse<T: DeserializeOwned>(Asked { method, params }: Asked) -> Result<T, Failure> {
    serde_json::from_value(json!({ "method": method, "params": params })).map_err(|error| {
        Failure::new(
            Code::InvalidRequest,
            format!("The window asked for `{method}` in a way that makes no sense."),
        )
        .details(error.to_string())
    })
}
