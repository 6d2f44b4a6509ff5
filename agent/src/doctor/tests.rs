//! What the doctor says of healthy and of sick machines.

use futures::FutureExt;
use protocol::Code;

use super::*;
use crate::clock::Clock;
use crate::config::Inputs;
use crate::secret::{Memory, Secret, provider_name};

struct Scene {
    _folder: tempfile::TempDir,
    home: Home,
    inputs: Inputs,
    secrets: Memory,
}

impl Scene {
    fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path().join("home"));
        home.prepare().unwrap();
        std::fs::write(home.config(), config).unwrap();
        Self {
            _folder: folder,
            home,
            inputs: Inputs::default(),
            secrets: Memory::default(),
        }
    }

    async fn run(&self, sandbox: Result<(), Failure>, answer: ProviderTest) -> Vec<Finding> {
        let config = Config::load(&self.home, &self.inputs)
            .unwrap_or_else(|failure| Config::broken(&self.home, &self.inputs, failure));
        let rules = Rules::open(&self.home, Clock::new(|| 1));
        let ask = move |_: ProviderConfig| futures::future::ready(answer.clone()).boxed();
        let patient = Patient {
            home: &self.home,
            config: &config,
            rules: &rules,
            secrets: &self.secrets,
            index: Ok(()),
            damage: Vec::new(),
            sandbox,
            ask: &ask,
        };
        run(patient).await
    }
}

fn of<'a>(findings: &'a [Finding], name: &str) -> &'a Finding {
    findings.iter().find(|it| it.name == name).unwrap()
}

fn answers() -> ProviderTest {
    ProviderTest {
        ok: true,
        first_word_ms: Some(12),
        failure: None,
        models: vec![],
        suggested_wire_api: None,
    }
}

const CONFIG: &str = "model = 'm'\nmodel_provider = 'x'\n[model_providers.x]\nbase_url = 'https://x.y'\n";

#[tokio::test]
async fn a_healthy_machine_has_nothing_broken() {
    let scene = Scene::new(CONFIG);
    scene
        .secrets
        .set(&provider_name("x"), Secret::new("sk-secret"))
        .await
        .unwrap();
    let findings = scene.run(Ok(()), answers()).await;
    assert!(
        findings.iter().all(|it| it.state != FindingState::Broken),
        "{findings:?}"
    );
    assert_eq!(of(&findings, "config").message, "m of x");
    assert_eq!(of(&findings, "provider x").message, "answers after 12 ms");
    assert!(!format!("{findings:?}").contains("sk-secret"));
    assert_eq!(
        of(&findings, "git").state,
        FindingState::Warning,
        "no PATH was handed in"
    );
}

#[tokio::test]
async fn whatever_is_wrong_comes_with_what_to_do() {
    let scene = Scene::new(CONFIG);
    let sandbox = Failure::new(Code::SandboxUnavailable, "no Landlock").hint("update the kernel");
    let findings = scene.run(Err(sandbox), answers()).await;
    assert_eq!(of(&findings, "sandbox").state, FindingState::Broken);
    assert_eq!(of(&findings, "sandbox").hint.as_deref(), Some("update the kernel"));
    assert_eq!(of(&findings, "provider x").message, "it has no key");
    let broken = Scene::new("model = ").run(Ok(()), answers()).await;
    assert_eq!(of(&broken, "config").state, FindingState::Broken);
    assert!(of(&broken, "config").message.contains("line 1"));
    scene.secrets.set(&provider_name("x"), Secret::new("k")).await.unwrap();
    let refused = ProviderTest {
        ok: false,
        failure: Some(
            Failure::new(Code::Unauthorized, "refused")
                .hint("check the key")
                .details("401"),
        ),
        ..answers()
    };
    let findings = scene.run(Ok(()), refused).await;
    let found = of(&findings, "provider x");
    assert_eq!(
        (found.message.as_str(), found.hint.as_deref()),
        ("refused (401)", Some("check the key"))
    );
    for finding in findings
        .iter()
        .chain(&broken)
        .filter(|it| it.state == FindingState::Broken)
    {
        assert!(finding.hint.is_some(), "{finding:?}");
    }
    std::fs::create_dir(scene.home.root().join("rules")).unwrap();
    std::fs::write(scene.home.root().join("rules/x.rules"), "?").unwrap();
    let findings = scene.run(Ok(()), answers()).await;
    assert!(of(&findings, "rules").message.contains("x.rules, line 1"));
}
