//! Layers, origins, mistakes and writes.

use std::collections::BTreeMap;
use std::path::Path;

use protocol::Code;
use protocol::setting::{
    ApprovalPolicy, Density, Effort, KeyState, Language, Origin, ProviderDraft, SandboxMode, SettingsPatch, Theme,
    WireApi,
};
use protocol::thread::ThreadSettingsPatch;

use super::*;

struct Scene {
    folder: tempfile::TempDir,
    home: Home,
    inputs: Inputs,
}

impl Scene {
    fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let home = Home::new(root.join("home"));
        home.prepare().unwrap();
        std::fs::write(home.config(), config).unwrap();
        Self {
            folder,
            home,
            inputs: Inputs::default(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn load(&self) -> Config {
        Config::load(&self.home, &self.inputs).unwrap()
    }

    fn fails(&self) -> Failure {
        Config::load(&self.home, &self.inputs).unwrap_err()
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.home.config()).unwrap()
    }

    fn user(&self) -> Origin {
        Origin::User {
            path: self.home.config().display().to_string(),
        }
    }
}

fn sourced<T>(value: T, origin: &Origin) -> Sourced<T> {
    Sourced {
        value,
        origin: origin.clone(),
    }
}

#[test]
fn without_a_file_the_defaults_hold_and_no_model_is_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::new(folder.path().join("none"));
    let config = Config::load(&home, &Inputs::default()).unwrap();
    let settings = config.settings();
    assert_eq!(settings.provider, sourced(None, &Origin::Default));
    assert_eq!(settings.sandbox, sourced(SandboxMode::WorkspaceWrite, &Origin::Default));
    assert_eq!(settings.approval, sourced(ApprovalPolicy::OnRequest, &Origin::Default));
    assert_eq!(
        settings.providers.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(),
        ["demo"]
    );
    assert!(!home.root().exists(), "reading makes nothing");
    let effective = config.for_folder(folder.path()).unwrap();
    assert_eq!(
        effective.thread(&ThreadSettingsPatch::default()).unwrap_err().code,
        Code::NoProvider
    );
    let demo = ThreadSettingsPatch {
        provider: Some("demo".into()),
        ..ThreadSettingsPatch::default()
    };
    assert_eq!(effective.thread(&demo).unwrap().model, "demo");
}

#[test]
fn a_codex_file_is_understood() {
    let scene = Scene::new(
        r#"
model = "m"
model_provider = "local"
model_reasoning_effort = "xhigh"
approval_policy = "on-failure"
sandbox_mode = "read-only"
project_doc_max_bytes = 99
project_doc_fallback_filenames = ["NOTES.md"]
some_future_key = { a = 1 }
[sandbox_workspace_write]
network_access = true
writable_roots = ["/data", "rel", "~/x"]
[model_providers.local]
name = "Local"
base_url = "http://localhost:1234/v1/"
wire_api = "chat"
env_key = "LOCAL_KEY"
query_params = { api-version = "1" }
http_headers = { X-A = "a" }
env_http_headers = { X-B = "B_VAR", X-C = "C_VAR" }
request_max_retries = 1
stream_max_retries = 2
stream_idle_timeout_ms = 3
[desktop]
language = "zh-CN"
theme = "dark"
density = "verbose"
[mcp_servers.x]
command = "y"
"#,
    );
    let mut scene = scene;
    scene.inputs.env = BTreeMap::from([
        ("HOME".into(), "/home/me".into()),
        ("B_VAR".into(), "b".into()),
        ("C_VAR".into(), " ".into()),
    ]);
    let config = scene.load();
    let settings = config.settings();
    let user = scene.user();
    assert_eq!(settings.model, sourced(Some("m".into()), &user));
    assert_eq!(settings.provider, sourced(Some("local".into()), &user));
    assert_eq!(settings.effort, sourced(Some(Effort::Xhigh), &user));
    assert_eq!(settings.approval, sourced(ApprovalPolicy::OnRequest, &user));
    assert_eq!(settings.sandbox, sourced(SandboxMode::ReadOnly, &user));
    assert_eq!(settings.network_access, sourced(true, &user));
    let relative = scene.home.root().join("rel").display().to_string();
    assert_eq!(
        settings.writable_roots,
        sourced(vec!["/data".into(), relative, "/home/me/x".into()], &user)
    );
    assert_eq!(
        (settings.language.value, settings.theme.value, settings.density.value),
        (Language::ZhCn, Theme::Dark, Density::Verbose)
    );
    let provider = config.provider("local").unwrap();
    assert_eq!(provider.base_url, "http://localhost:1234/v1");
    assert_eq!(
        (
            provider.request_max_retries,
            provider.stream_max_retries,
            provider.stream_idle_timeout_ms
        ),
        (Some(1), Some(2), Some(3))
    );
    let headers: BTreeMap<String, String> = [("X-A", "a"), ("X-B", "b")].map(|(a, b)| (a.into(), b.into())).into();
    assert_eq!(provider.headers(config.env()), headers);
    let effective = config.for_folder(scene.home.root()).unwrap();
    assert_eq!(effective.project_doc_max_bytes, 99);
    assert_eq!(effective.project_doc_fallback_filenames, ["NOTES.md"]);
}

#[test]
fn a_model_without_a_provider_means_openai() {
    let mut scene = Scene::new("model = 'gpt-x'");
    assert_eq!(
        scene.load().settings().provider,
        sourced(Some("openai".into()), &scene.user())
    );
    scene.inputs.overrides = vec![("openai_base_url".into(), "http://127.0.0.1:9/v1".into())];
    scene.inputs.env = BTreeMap::from([("CODEX_API_KEY".into(), "k".into())]);
    let provider = scene.load().provider("openai").unwrap();
    assert_eq!(
        (provider.base_url.as_str(), provider.env_key.as_deref()),
        ("http://127.0.0.1:9/v1", Some("CODEX_API_KEY"))
    );
    assert!(scene.load().providers().iter().any(|it| it.id == "openai"));
}

#[test]
fn higher_layers_win_and_say_so() {
    let mut scene = Scene::new(
        "model = 'user'\nmodel_provider = 'u'\nmodel_reasoning_effort = 'low'\n[model_providers.u]\nbase_url = 'http://u'\nname = 'U'\n",
    );
    let managed = scene.file("managed.toml", "model = 'managed'\nsandbox_mode = 'read-only'\n");
    let profile = scene.file("home/work.config.toml", "model_reasoning_effort = 'high'\n");
    scene.inputs.managed = Some(managed.clone());
    scene.inputs.profile = Some("work".into());
    scene.inputs.overrides = vec![
        ("model_providers.u.base_url".into(), "http://line/v1".into()),
        ("model".into(), "line".into()),
    ];
    let config = scene.load();
    let settings = config.settings();
    assert_eq!(settings.model, sourced(Some("line".into()), &Origin::CommandLine));
    assert_eq!(
        settings.effort,
        sourced(
            Some(Effort::High),
            &Origin::Profile {
                path: profile.display().to_string()
            }
        )
    );
    assert_eq!(
        settings.sandbox,
        sourced(
            SandboxMode::ReadOnly,
            &Origin::Managed {
                path: managed.display().to_string()
            }
        )
    );
    let provider = config.provider("u").unwrap();
    assert_eq!(
        (provider.name.as_str(), provider.base_url.as_str()),
        ("U", "http://line/v1"),
        "tables are merged key by key"
    );
    scene.inputs.profile = Some("none".into());
    assert_eq!(scene.fails().code, Code::ConfigBroken);
    scene.inputs.profile = Some("../x".into());
    assert_eq!(scene.fails().code, Code::InvalidRequest);
}

#[test]
fn a_mistake_is_named_by_file_line_column_and_key() {
    for (text, place) in [
        (
            "model = 'a'\nsandbox_mode = 'none'\n",
            "line 2, column 16, key `sandbox_mode`",
        ),
        ("model = 5", "line 1, column 9, key `model`"),
        (
            "[sandbox_workspace_write]\n\nnetwork_access = 'yes'",
            "line 3, column 18, key `sandbox_workspace_write.network_access`",
        ),
        ("model = 'a\n", "line 1, column 11, key `model`"),
        ("a = 1\na = 2\n", "line 2, column 1, key `a`"),
        (
            "[model_providers.x]\nbase_url = 'u'\nwire_api = 'soap'\n",
            "line 3, column 12, key `model_providers.x.wire_api`",
        ),
        ("x = 1\n\n = 2", "line 3"),
        (
            "approval_policy = 'maybe' # ö",
            "line 1, column 19, key `approval_policy`",
        ),
    ] {
        let scene = Scene::new(text);
        let failure = scene.fails();
        assert_eq!(failure.code, Code::ConfigBroken, "{text}");
        let start = format!("{}, {place}", scene.home.config().display());
        assert!(failure.message.starts_with(&start), "{text}: {}", failure.message);
        assert!(failure.hint.is_some());
    }
    let scene = Scene::new("");
    std::fs::write(scene.home.config(), b"a = 1\nb = \"\xff\"").unwrap();
    assert!(scene.fails().message.contains("line 2"), "{}", scene.fails().message);
    let mut scene = Scene::new("");
    scene.inputs.overrides = vec![("sandbox_mode".into(), "none".into())];
    assert!(
        scene.fails().message.starts_with("-c sandbox_mode: "),
        "{}",
        scene.fails().message
    );
}

#[test]
fn a_broken_file_is_shown_refuses_folders_and_is_not_written_over() {
    let text = "model = \n# mine";
    let scene = Scene::new(text);
    let failure = scene.fails();
    let config = Config::broken(&scene.home, &scene.inputs, failure.clone());
    assert_eq!(config.settings().broken, Some(failure.clone()));
    assert_eq!(config.for_folder(Path::new("/")).unwrap_err(), failure);
    let patch = SettingsPatch {
        model: Some("x".into()),
        ..SettingsPatch::default()
    };
    assert_eq!(config.write(&patch).unwrap_err(), failure);
    // Broken since it was read.
    std::fs::write(scene.home.config(), "").unwrap();
    let config = scene.load();
    std::fs::write(scene.home.config(), text).unwrap();
    assert_eq!(config.write(&patch).unwrap_err().code, Code::ConfigBroken);
    assert_eq!(scene.text(), text);
}

#[test]
fn writing_keeps_comments_unknown_keys_and_order() {
    let scene = Scene::new("# mine\nmodel = \"a\" # the good one\nfuture = 1\n\n[desktop]\ntheme = \"light\"\n");
    let patch = SettingsPatch {
        model: Some("b".into()),
        sandbox: Some(SandboxMode::ReadOnly),
        approval: Some(ApprovalPolicy::Never),
        effort: Some(Effort::Low),
        network_access: Some(true),
        writable_roots: Some(vec!["/x".into()]),
        theme: Some(Theme::Dark),
        language: Some(Language::ZhCn),
        ..SettingsPatch::default()
    };
    scene.load().write(&patch).unwrap();
    assert_eq!(
        scene.text(),
        "# mine\nmodel = \"b\" # the good one\nfuture = 1\nmodel_reasoning_effort = \"low\"\nsandbox_mode = \"read-only\"\napproval_policy = \"never\"\n\n[desktop]\ntheme = \"dark\"\nlanguage = \"zh-CN\"\n\n[sandbox_workspace_write]\nnetwork_access = true\nwritable_roots = [\"/x\"]\n"
    );
    assert_eq!(scene.load().settings().sandbox.value, SandboxMode::ReadOnly);
}

#[test]
fn a_provider_is_saved_changed_and_deleted() {
    let scene = Scene::new("# top\n");
    let mut draft = ProviderDraft {
        id: None,
        name: "My Lab!".into(),
        base_url: " lab.example.com/v1/chat/completions/ ".into(),
        wire_api: WireApi::Chat,
        api_key: Some("secret".into()),
        model: Some("m1".into()),
    };
    let id = scene.load().save_provider(&draft).unwrap();
    assert_eq!(id, "my-lab");
    assert_eq!(
        scene.text(),
        "# top\nmodel_provider = \"my-lab\"\nmodel = \"m1\"\n\n[model_providers.my-lab]\nname = \"My Lab!\"\nbase_url = \"https://lab.example.com/v1\"\nwire_api = \"chat\"\n"
    );
    let again = scene.load().save_provider(&draft).unwrap();
    assert_eq!(again, "my-lab-2");
    draft.id = Some(id.clone());
    draft.wire_api = WireApi::Responses;
    scene.load().save_provider(&draft).unwrap();
    assert_eq!(scene.load().provider(&id).unwrap().wire_api, WireApi::Responses);
    scene.load().delete_provider(&id).unwrap();
    assert_eq!(scene.load().provider(&id), None);
    assert_eq!(scene.load().settings().provider.value, None);
    assert_eq!(scene.load().delete_provider(&id).unwrap_err().code, Code::NotFound);
    for wrong in ["", "https://", "ftp://x", "a b"] {
        let draft = ProviderDraft {
            base_url: wrong.into(),
            ..draft.clone()
        };
        assert_eq!(
            scene.load().save_provider(&draft).unwrap_err().code,
            Code::InvalidRequest,
            "{wrong}"
        );
    }
    assert!(!scene.text().contains("secret"));
}

#[cfg(unix)]
#[test]
fn a_linked_file_stays_a_link_and_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new("");
    let real = scene.file("dotfiles/zspark.toml", "# here\n");
    std::fs::remove_file(scene.home.config()).unwrap();
    std::os::unix::fs::symlink(&real, scene.home.config()).unwrap();
    scene
        .load()
        .write(&SettingsPatch {
            model: Some("x".into()),
            ..SettingsPatch::default()
        })
        .unwrap();
    assert_eq!(std::fs::read_to_string(&real).unwrap(), "# here\nmodel = \"x\"\n");
    assert!(std::fs::symlink_metadata(scene.home.config()).unwrap().is_symlink());
    assert_eq!(std::fs::metadata(real).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn nothing_passes_the_ceilings() {
    let mut scene = Scene::new("sandbox_mode = 'danger-full-access'\napproval_policy = 'never'\nmodel = 'm'\n");
    let managed = scene.file(
        "managed.toml",
        "[requirements]\nallowed_sandbox_modes = ['read-only', 'workspace-write']\nallowed_approval_policies = ['untrusted']\n",
    );
    let origin = Origin::Managed {
        path: managed.display().to_string(),
    };
    scene.inputs.managed = Some(managed.clone());
    let config = scene.load();
    assert_eq!(config.settings().sandbox, sourced(SandboxMode::WorkspaceWrite, &origin));
    assert_eq!(config.settings().approval, sourced(ApprovalPolicy::Untrusted, &origin));
    let effective = config.for_folder(scene.home.root()).unwrap();
    assert_eq!(effective.sandbox.value, SandboxMode::WorkspaceWrite);
    let wish = ThreadSettingsPatch {
        sandbox: Some(SandboxMode::DangerFullAccess),
        ..ThreadSettingsPatch::default()
    };
    assert_eq!(effective.thread(&wish).unwrap_err().code, Code::InvalidRequest);
    let wish = ThreadSettingsPatch {
        sandbox: Some(SandboxMode::ReadOnly),
        ..ThreadSettingsPatch::default()
    };
    assert_eq!(effective.thread(&wish).unwrap().sandbox, SandboxMode::ReadOnly);
    let patch = SettingsPatch {
        approval: Some(ApprovalPolicy::Never),
        ..SettingsPatch::default()
    };
    assert_eq!(config.write(&patch).unwrap_err().code, Code::InvalidRequest);
    // A file of the person's cannot set ceilings, and an empty list is a mistake.
    std::fs::write(
        scene.home.config(),
        "[requirements]\nallowed_sandbox_modes = ['danger-full-access']\n",
    )
    .unwrap();
    assert_eq!(scene.load().settings().sandbox.value, SandboxMode::WorkspaceWrite);
    std::fs::write(managed, "[requirements]\nallowed_sandbox_modes = []\n").unwrap();
    assert_eq!(scene.fails().code, Code::ConfigBroken);
}

#[test]
fn a_project_is_heard_where_it_is_trusted_and_only_on_its_own_matters() {
    let scene = Scene::new("");
    let sub = scene.path("repo/sub");
    std::fs::create_dir_all(&sub).unwrap();
    std::fs::create_dir_all(scene.path("repo/.git")).unwrap();
    let text = "model = 'evil'\nmodel_provider = 'evil'\nopenai_base_url = 'http://evil'\napproval_policy = 'never'\n[model_providers.mine]\nbase_url = 'http://evil'\n[projects.'/']\ntrust_level = 'trusted'\n";
    scene.file("repo/.codex/config.toml", text);
    let nearer = scene.file("repo/sub/.zspark/config.toml", "model = 'near'\n");
    let mine = "model = 'mine'\nmodel_provider = 'mine'\n[model_providers.mine]\nbase_url = 'http://mine'\n";
    let trust = |level: &str| {
        std::fs::write(
            scene.home.config(),
            format!(
                "{mine}[projects.'{}']\ntrust_level = '{level}'\n",
                scene.path("repo").display()
            ),
        )
        .unwrap();
        scene.load().for_folder(&sub).unwrap()
    };
    std::fs::write(scene.home.config(), mine).unwrap();
    let unknown = scene.load().for_folder(&sub).unwrap();
    assert_eq!(
        (unknown.model.value.as_deref(), unknown.approval.value),
        (Some("mine"), ApprovalPolicy::OnRequest)
    );
    let untrusted = trust("untrusted");
    assert_eq!(
        (untrusted.model.value.as_deref(), untrusted.approval.value),
        (Some("mine"), ApprovalPolicy::Untrusted)
    );
    let trusted = trust("trusted");
    assert!(trusted.trusted);
    assert_eq!(
        trusted.model,
        sourced(
            Some("near".into()),
            &Origin::Project {
                path: nearer.display().to_string()
            }
        )
    );
    assert_eq!(trusted.approval.value, ApprovalPolicy::Never);
    assert_eq!(
        trusted.provider.value.as_deref(),
        Some("mine"),
        "a project cannot say where keys are sent"
    );
    assert_eq!(scene.load().provider("mine").unwrap().base_url, "http://mine");
    std::fs::write(&nearer, "model = ").unwrap();
    assert_eq!(scene.load().for_folder(&sub).unwrap_err().code, Code::ConfigBroken);
    // Trust can be given by the program too.
    let config = scene.load();
    config.trust_folder(&scene.path("repo"), false).unwrap();
    assert!(!scene.load().for_folder(&sub).unwrap().trusted);
}

#[test]
fn a_model_belongs_to_its_provider() {
    let scene = Scene::new("model = 'm'\nmodel_provider = 'a'\n");
    let effective = scene.load().for_folder(scene.home.root()).unwrap();
    let of = |provider: Option<&str>, model: Option<&str>| {
        let patch = ThreadSettingsPatch {
            provider: provider.map(Into::into),
            model: model.map(Into::into),
            ..ThreadSettingsPatch::default()
        };
        effective
            .thread(&patch)
            .map(|it| (it.provider, it.model))
            .map_err(|it| it.code)
    };
    assert_eq!(of(None, None), Ok(("a".into(), "m".into())));
    assert_eq!(of(None, Some("n")), Ok(("a".into(), "n".into())));
    assert_eq!(of(Some("a"), None), Ok(("a".into(), "m".into())));
    assert_eq!(of(Some("b"), Some("n")), Ok(("b".into(), "n".into())));
    assert_eq!(of(Some("b"), None), Err(Code::NoProvider));
    assert_eq!(of(Some("demo"), None), Ok(("demo".into(), "demo".into())));
}

#[test]
fn a_commands_environment_never_has_a_key() {
    let env: BTreeMap<String, String> = [
        "PATH",
        "HOME",
        "MY_KEY",
        "B_VAR",
        "OPENAI_API_KEY",
        "CODEX_API_KEY",
        "GITHUB_TOKEN",
        "AWS_X",
        "FOO",
    ]
    .map(|it| (it.to_owned(), "v".to_owned()))
    .into();
    let names = |policy: &str| {
        let scene = Scene::new(&format!(
            "[model_providers.x]\nbase_url = 'http://x'\nenv_key = 'MY_KEY'\nenv_http_headers = {{ A = 'B_VAR' }}\n[shell_environment_policy]\n{policy}"
        ));
        let effective = scene.load().for_folder(scene.home.root()).unwrap();
        effective
            .shell_environment
            .apply(&env)
            .into_keys()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(names(""), "AWS_X FOO GITHUB_TOKEN HOME PATH");
    assert_eq!(names("inherit = 'core'"), "HOME PATH");
    assert_eq!(names("inherit = 'none'\nset = { A = '1', MY_KEY = 'back' }"), "A");
    assert_eq!(names("ignore_default_excludes = false"), "AWS_X FOO HOME PATH");
    assert_eq!(names("exclude = ['aws_*', 'F?O']"), "GITHUB_TOKEN HOME PATH");
    assert_eq!(names("include_only = ['PATH', '*OO', 'MY_*', 'O*']"), "FOO PATH");
}

#[test]
fn what_people_type_becomes_a_base_url() {
    for (typed, want) in [
        ("https://api.x.y/v1", "https://api.x.y/v1"),
        ("https://api.x.y/v1/", "https://api.x.y/v1"),
        (" https://api.x.y/v1/responses ", "https://api.x.y/v1"),
        ("https://api.x.y/v1/chat/completions/", "https://api.x.y/v1"),
        ("api.x.y/v1", "https://api.x.y/v1"),
        ("localhost:11434/v1", "http://localhost:11434/v1"),
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("", ""),
        ("https://", "https://"),
    ] {
        assert_eq!(base_url(typed), want, "{typed}");
    }
}

#[test]
fn only_servers_on_this_machine_need_no_key() {
    let key = |url: &str, env_key: &str| {
        let scene = Scene::new(&format!(
            "[model_providers.x]\nbase_url = '{url}'\nenv_key = '{env_key}'\n"
        ));
        scene.load().settings().providers[0].key.clone()
    };
    for url in [
        "http://localhost:1/v1",
        "http://127.0.0.9/v1",
        "http://[::1]:8/v1",
        "http://LOCALHOST",
        "http://0.0.0.0:1",
    ] {
        assert_eq!(key(url, ""), KeyState::NotNeeded, "{url}");
        assert_eq!(key(url, "K"), KeyState::Missing, "{url}");
    }
    for url in [
        "https://api.x.y",
        "http://localhost.evil.com",
        "http://10.0.0.1",
        "http://localhost@evil.com/",
        "http://127.0.0.1.evil.com",
    ] {
        assert_eq!(key(url, ""), KeyState::Missing, "{url}");
    }
}

#[test]
fn recent_folders_are_kept_newest_first() {
    let scene = Scene::new("");
    let config = scene.load();
    for folder in ["/a", "/b", "/a", "/c"] {
        config.remember_folder(folder).unwrap();
    }
    assert_eq!(config.settings().recent_folders, ["/c", "/a", "/b"]);
    for number in 0..30 {
        config.remember_folder(&format!("/{number}")).unwrap();
    }
    assert_eq!(config.settings().recent_folders.len(), 20);
    std::fs::write(scene.home.root().join("recent.json"), "damaged").unwrap();
    assert_eq!(config.settings().recent_folders, Vec::<String>::new());
}

#[tokio::test]
async fn a_change_is_heard_once_it_is_written() {
    let scene = Scene::new("model = 'a'");
    let mut watch = Watch::new(&scene.home, &scene.inputs).unwrap();
    // What is no configuration wakes nobody: the change after it is the first that is heard.
    std::fs::write(scene.home.root().join("other.txt"), "x").unwrap();
    scene
        .load()
        .write(&SettingsPatch {
            model: Some("b".into()),
            ..SettingsPatch::default()
        })
        .unwrap();
    watch.next().await.unwrap();
    assert_eq!(scene.load().settings().model.value.as_deref(), Some("b"));
    std::fs::remove_file(scene.home.config()).unwrap();
    watch.next().await.unwrap();
    assert_eq!(scene.load().settings().model.value, None);
}
