//! Requests about providers and settings.

use models::Connection;
use protocol::Failure;
use protocol::request::{ProviderDelete, ProviderModelsList, ProviderSave, ProviderTestRun, SettingWrite};
use protocol::setting::{ProviderDraft, ProviderModels, ProviderTest, Settings};

use super::Engine;
use crate::config;
use crate::secret::{self, Secret};

impl Engine {
    pub(super) fn settings(&self) -> Settings {
        self.shared.settings()
    }

    pub(super) fn setting_write(&self, params: &SettingWrite) -> Result<Settings, Failure> {
        self.shared.config().write(&params.patch)?;
        self.shared.reload();
        Ok(self.settings())
    }

    pub(super) async fn provider_save(&self, params: ProviderSave) -> Result<Settings, Failure> {
        let mut draft = params.draft;
        let key = draft
            .api_key
            .take()
            .map(|it| it.trim().to_owned())
            .filter(|it| !it.is_empty());
        let id = self.shared.config().save_provider(&draft)?;
        if let Some(key) = key {
            self.shared
                .secrets
                .set(&secret::provider_name(&id), Secret::new(key))
                .await?;
        }
        self.shared.reload();
        Ok(self.settings())
    }

    pub(super) async fn provider_delete(&self, params: ProviderDelete) -> Result<Settings, Failure> {
        self.shared.config().delete_provider(&params.id)?;
        self.shared.secrets.delete(&secret::provider_name(&params.id)).await?;
        self.shared.reload();
        Ok(self.settings())
    }

    pub(super) async fn provider_test(&self, params: ProviderTestRun) -> Result<ProviderTest, Failure> {
        let ProviderDraft {
            id,
            name,
            base_url,
            wire_api,
            api_key,
            model,
        } = params.draft;
        let saved = id.as_deref().and_then(|it| self.shared.config().provider(it));
        let stored = match &saved {
            Some(it) => secret::provider_key(self.shared.secrets.as_ref(), it, self.shared.config().env()).await?,
            None => None,
        };
        let typed = api_key
            .map(|it| it.trim().to_owned())
            .filter(|it| !it.is_empty())
            .map(Secret::new);
        let key = typed.or(stored);
        let mut connection = match &saved {
            Some(it) => self.shared.connection(it, key.as_ref()),
            None => Connection {
                key: key.map(|it| it.expose().to_owned()),
                ..Connection::new(id.unwrap_or_default(), &name, &base_url, wire_api)
            },
        };
        connection.base_url = config::base_url(&base_url);
        connection.wire_api = wire_api;
        Ok(models::test(self.shared.http.clone(), connection, model).await)
    }

    pub(super) async fn provider_models(&self, params: ProviderModelsList) -> Result<Vec<ProviderModels>, Failure> {
        let settings = self.settings();
        let wanted = settings
            .providers
            .into_iter()
            .filter(|it| params.id.as_ref().is_none_or(|id| *id == it.id));
        let asked = wanted.map(|provider| async move {
            let listed = match self.shared.provider(&provider.id).await {
                Ok(it) => it.models().await.map_err(Failure::from),
                Err(failure) => Err(failure),
            };
            match listed {
                Ok(models) => ProviderModels {
                    provider,
                    models,
                    failure: None,
                },
                Err(failure) => ProviderModels {
                    provider,
                    models: Vec::new(),
                    failure: Some(failure),
                },
            }
        });
        Ok(futures::future::join_all(asked).await)
    }
}
