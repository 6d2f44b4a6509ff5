//! One running server: puts the parts together, listens, and stops in order.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::api;
use crate::app::{App, Parts};
use crate::artifact::storage::Storage;
use crate::auth::entra::Settings;
use crate::auth::{Entra, Identity};
use crate::bus::Bus;
use crate::clock::Clock;
use crate::config::{Config, Mode};
use crate::document::Documents;
use crate::follow::Follow;
use crate::gate::door::Door;
use crate::job;
use crate::listen;
use crate::metrics::Metrics;
use crate::presence::Presence;
use crate::rate::Rates;
use crate::sockets::Sockets;
use crate::store::{Kind, Store};
use crate::webhook::Sender;

/// A server that listens. Dropping it ends it at once; [`Node::stop`] lets it finish what it does.
#[derive(Debug)]
pub struct Node {
    address: SocketAddr,
    app: App,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Node {
    /// Starts it.
    pub async fn start(config: Config, clock: Clock) -> Result<Self> {
        if !config.listen.ip().is_loopback() && !config.behind_proxy {
            bail!(
                "without TLS this server listens on loopback only, not on {}; if a proxy in front of it has TLS, set \
                 behind_proxy = true",
                config.listen
            );
        }
        let door = Door::new(&config)?;
        let rates = Rates::new(&config.limits);
        let identity = identity(&config, &clock)?;
        let sender = Sender::new(&config.egress).context("webhooks cannot be sent")?;
        let store = Store::open(&database_url(&config)?)
            .await
            .context("the database cannot be opened")?;
        let storage = Storage::open(&storage_place(&config)?, &config.storage_options)
            .context("the storage of artifacts cannot be opened")?;
        let listener = TcpListener::bind(config.listen)
            .await
            .with_context(|| format!("cannot listen on {}", config.listen))?;
        let address = listener.local_addr()?;
        let bus = match &config.redis_url {
            Some(url) => Bus::redis(url, &config.redis_prefix)?,
            None => Bus::in_process(store.kind() == Kind::Postgres),
        };
        let bus = if config.silent { bus.silent() } else { bus };
        let metrics = Metrics::default();
        let documents = Documents::start(store.clone(), bus.clone(), clock.clone(), &metrics, &config);
        let follow = Arc::new(Follow::start(store.clone(), bus.clone(), config.rhythm.clone()));
        let presence = Presence::start(
            store.clone(),
            bus.clone(),
            clock.clone(),
            config.rhythm.clone(),
            follow.clone(),
        )
        .await?;
        let sockets = Sockets::new(config.limits.pending_sockets, config.limits.sockets);
        let app = App::new(Parts {
            config,
            clock,
            store,
            bus,
            identity,
            metrics,
            documents,
            rates,
            sockets,
            follow,
            presence,
            storage,
        });
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let router = api::router(&app, door);
        tasks.spawn(listen::serve(listener, router, stop.clone()));
        tasks.spawn(job::log::run(app.clone(), stop.clone()));
        tasks.spawn(job::uploads::run(app.clone(), stop.clone()));
        tasks.spawn(job::deletion::run(app.clone(), stop.clone()));
        tasks.spawn(job::versions::run(app.clone(), stop.clone()));
        tasks.spawn(job::call::tell(app.clone(), stop.clone()));
        tasks.spawn(job::call::hear(app.clone(), stop.clone()));
        tasks.spawn(job::retention::run(app.clone(), stop.clone()));
        tasks.spawn(job::webhook::run(app.clone(), sender, stop.clone()));
        Ok(Self {
            address,
            app,
            stop,
            tasks,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What its handlers reach.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Takes no more requests, finishes those it has, and lets go of the database.
    pub async fn stop(mut self) {
        self.stop.cancel();
        self.app.sockets.end().await;
        while self.tasks.join_next().await.is_some() {}
        self.app.documents.stop().await;
        self.app.presence.stop().await;
        self.app.follow.stop().await;
        self.app.store.close().await;
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Tasks of sockets belong to their connections: they end when they are told.
        self.app.sockets.hang_up();
        self.app.documents.hang_up();
    }
}

fn identity(config: &Config, clock: &Clock) -> Result<Identity> {
    if config.mode == Mode::Development {
        if config.auth.is_meant() {
            bail!(
                "mode = \"development\" and a configuration of Entra exclude each other: remove the one that is not meant"
            );
        }
        if !config.listen.ip().is_loopback() {
            bail!(
                "development mode believes whatever name a client gives, so it listens on loopback only, not on {}",
                config.listen
            );
        }
        tracing::warn!("development mode: everybody on this machine is whom they say they are");
        return Ok(Identity::Development);
    }
    if config.auth.is_meant() {
        let settings = Settings::new(&config.auth)?;
        if config.auth.authority_override.is_some() {
            tracing::warn!("auth.authority_override is set: tokens of an authority on this machine are believed");
        }
        let entra = Entra::start(settings, clock.clone()).context("sign-in cannot begin")?;
        return Ok(Identity::Entra(Box::new(entra)));
    }
    tracing::warn!("sign-in is not configured: nobody is admitted (see docs/entra-setup.md, or start with --dev)");
    Ok(Identity::Nobody)
}

/// The data folder unless another place is named.
fn storage_place(config: &Config) -> Result<String> {
    if let Some(place) = &config.artifact_storage_dir {
        return Ok(place.clone());
    }
    let folder = config.data_dir.join("artifacts");
    Ok(folder
        .to_str()
        .context("the data folder's path is no UTF-8")?
        .to_owned())
}

/// The embedded database unless another is named.
pub fn database_url(config: &Config) -> Result<String> {
    if let Some(url) = &config.database_url {
        return Ok(url.clone());
    }
    std::fs::create_dir_all(&config.data_dir)
        .with_context(|| format!("cannot make the data folder {}", config.data_dir.display()))?;
    let path = config.data_dir.join("server.sqlite");
    let path = path.to_str().context("the data folder's path is no UTF-8")?;
    Ok(format!("sqlite://{path}?mode=rwc"))
}
