//! Requests about what lies around threads: rules, files, attachments, artifacts, outputs, the doctor.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use futures::future::BoxFuture;
use protocol::approval::{Rule, RuleEffect, Verdict};
use protocol::artifact::{Artifact, ArtifactRef};
use protocol::attachment::Attachment;
use protocol::request::{
    ArtifactRead, ArtifactSave, ArtifactText, AttachmentCheck, AttachmentPaste, Done, FileHit, FileSearch, Finding,
    FolderCheck, FolderState, OutputRead, OutputWindow, RuleDelete, RuleSave, RuleTest,
};
use protocol::setting::ProviderTest;
use protocol::{Code, Failure};

use super::Engine;
use crate::approval::{self, Judgement};
use crate::config::ProviderConfig;
use crate::rule::RuleQuery;
use crate::sandbox::{Policy, Temporary};
use crate::tool::{Access, CommandAccess};
use crate::{artifact, attachment, blob, command, context, doctor, files};

/// Bytes of a preview where the surface names no limit.
const PREVIEW: u64 = 1024 * 1024;

impl Engine {
    pub(super) async fn rule_save(&self, params: RuleSave) -> Result<Rule, Failure> {
        let rule = self
            .shared
            .rules
            .save(params.id.as_ref(), params.draft, "person")
            .await?;
        self.shared.threads.widened();
        Ok(rule)
    }

    pub(super) async fn rule_delete(&self, params: RuleDelete) -> Result<Done, Failure> {
        self.shared.rules.delete(&params.id).await?;
        Ok(Done {})
    }

    pub(super) async fn rule_test(&self, params: RuleTest) -> Result<Verdict, Failure> {
        let cwd = PathBuf::from(&params.cwd);
        let shell = context::shell_name(&self.shared.shell).to_owned();
        let query = RuleQuery {
            line: Some(command::parse_for(&shell, &params.command)),
            cwd: cwd.clone(),
            escalated: params.escalated,
            write_paths: Vec::new(),
            now_ms: self.shared.clock.now_ms(),
        };
        if let Some(rule) = self.shared.rules.test(&query).await? {
            let rule_id = Some(rule.id);
            return Ok(match rule.draft.effect {
                RuleEffect::Allow => Verdict::Allowed { rule_id },
                RuleEffect::Deny => Verdict::Denied { rule_id },
                RuleEffect::Ask => Verdict::Asks,
            });
        }
        let effective = self.shared.config().for_folder(&cwd)?;
        let policy = Policy {
            mode: effective.sandbox.value,
            cwd: cwd.clone(),
            writable_roots: effective.writable_roots.value.clone(),
            network: effective.network.value,
            temporary: Temporary {
                slash_tmp: effective.slash_tmp,
                tmpdir: effective.tmpdir,
            },
        };
        let access = Access::Command(CommandAccess {
            command: params.command,
            shell,
            cwd,
            escalated: params.escalated,
            justification: None,
            prefix_rule: None,
        });
        Ok(match approval::judge(&policy, effective.approval.value, &access) {
            Judgement::Allowed(_) => Verdict::Allowed { rule_id: None },
            Judgement::Asks(..) => Verdict::Asks,
            Judgement::Refused(_) => Verdict::Denied { rule_id: None },
        })
    }

    pub(super) async fn file_search(&self, params: FileSearch) -> Result<Vec<FileHit>, Failure> {
        self.shared.files.search(Path::new(&params.cwd), &params.query).await
    }

    pub(super) fn folder_check(&self, params: &FolderCheck) -> FolderState {
        files::check_folder(Path::new(&params.cwd))
    }

    pub(super) async fn attachment_check(&self, params: AttachmentCheck) -> Result<Vec<Attachment>, Failure> {
        attachment::check(params.paths).await
    }

    pub(super) async fn attachment_paste(&self, params: AttachmentPaste) -> Result<Attachment, Failure> {
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(params.base64)
            .map_err(|error| {
                Failure::new(Code::InvalidRequest, "The pasted content is not valid base64.").details(error.to_string())
            })?;
        attachment::paste(&self.shared.home, &params.name, bytes).await
    }

    /// One version of an artifact; the newest when no version is named.
    ///
    /// # Errors
    /// When there is no such artifact or version.
    pub async fn artifact(&self, wanted: &ArtifactRef) -> Result<Artifact, Failure> {
        let entries = self.shared.logs.artifacts(&wanted.thread_id).await?;
        let entry = entries.into_iter().find(|it| it.artifact.id == wanted.artifact_id);
        let missing = || {
            Failure::new(
                Code::NotFound,
                "This file is not among the thread's artifacts any more.",
            )
        };
        let entry = entry.ok_or_else(missing)?;
        let Some(version) = wanted.version else {
            return Ok(entry.artifact);
        };
        let version = entry
            .versions
            .into_iter()
            .find(|it| it.version == version)
            .ok_or_else(missing)?;
        Ok(Artifact {
            version: version.version,
            size: version.size,
            hash: version.hash,
            ..entry.artifact
        })
    }

    /// Where the content of one version lies. Read-only: it is the kept copy.
    ///
    /// # Errors
    /// When there is no such artifact or version, or its copy is gone.
    pub async fn artifact_file(&self, wanted: &ArtifactRef) -> Result<(Artifact, PathBuf), Failure> {
        let artifact = self.artifact(wanted).await?;
        let kept = self.shared.blobs.path(&artifact.hash).filter(|it| it.is_file());
        let path = kept.ok_or_else(|| {
            Failure::new(Code::NotFound, format!("The kept copy of {} is gone.", artifact.name))
                .hint("The file itself may still be in the folder.")
        })?;
        Ok((artifact, path))
    }

    pub(super) async fn artifact_read(&self, params: ArtifactRead) -> Result<ArtifactText, Failure> {
        let (artifact, _) = self.artifact_file(&params.artifact).await?;
        artifact::read(&self.shared.blobs, &artifact, params.limit.unwrap_or(PREVIEW)).await
    }

    pub(super) async fn artifact_save(&self, params: ArtifactSave) -> Result<Done, Failure> {
        let (artifact, _) = self.artifact_file(&params.artifact).await?;
        artifact::save(&self.shared.blobs, &artifact, Path::new(&params.path)).await?;
        Ok(Done {})
    }

    pub(super) async fn output_read(&self, params: OutputRead) -> Result<OutputWindow, Failure> {
        let path = self.shared.logs.output(&params.thread_id, &params.blob)?;
        let OutputRead { line, limit, query, .. } = params;
        let read = tokio::task::spawn_blocking(move || blob::read(&path, line, limit, query.as_deref())).await;
        read.map_err(std::io::Error::other).flatten().map_err(|error| {
            Failure::new(Code::NotFound, "The output of this command cannot be read any more.")
                .details(error.to_string())
        })
    }

    pub(super) async fn doctor(&self) -> Vec<Finding> {
        let shared = &self.shared;
        let config = shared.config();
        let ask = |provider: ProviderConfig| -> BoxFuture<'_, ProviderTest> {
            Box::pin(async move { self.shared.look_at(&provider).await })
        };
        let index = shared.logs.list(false).await.map(|_| ()).map_err(Failure::from);
        // Asked before what was found damaged on the way is told.
        let _ = shared.rules.list().await;
        doctor::run(doctor::Patient {
            damage: shared.damage(),
            home: &shared.home,
            config: &config,
            rules: &shared.rules,
            secrets: shared.secrets.as_ref(),
            index,
            sandbox: shared.sandbox.check().map_err(Failure::from),
            ask: &ask,
        })
        .await
    }
}
