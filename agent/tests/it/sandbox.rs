//! The claims of the sandbox, by really trying to break out of it.
#![cfg(target_os = "linux")]

use agent::sandbox;
use agent::tool::Grant;
use protocol::ItemKind;
use protocol::setting::SandboxMode::{DangerFullAccess, ReadOnly, WorkspaceWrite};

use crate::stage::{Stage, exit_code, launcher, read, text};

#[tokio::test]
async fn this_machine_can_confine_commands() {
    let sandbox = sandbox::system(launcher());
    sandbox.check().unwrap();
    assert_eq!(
        sandbox.describe(),
        "Commands are confined by namespaces, Landlock and seccomp."
    );
}

#[tokio::test]
async fn a_workspace_can_be_written_and_what_is_around_it_only_read() {
    let stage = Stage::new(WorkspaceWrite);
    std::fs::write(stage.outside.join("kept"), "kept").unwrap();
    let (code, text) = stage.run("echo new > new && mkdir -p a/b && mv new a/b/ && ln -s b a/link && cat ../outside/kept && mktemp -d >/dev/null").await;
    assert_eq!(code, 0, "{text}");
    assert!(text.ends_with("kept"), "{text}");
    assert_eq!(read(&stage.cwd.join("a/b/new")), "new\n");
}

#[tokio::test]
async fn temporary_folders_can_be_left_out_of_a_workspace() {
    let none = agent::sandbox::Temporary {
        slash_tmp: false,
        tmpdir: false,
    };
    for (temporary, writable) in [(agent::sandbox::Temporary::default(), true), (none, false)] {
        let mut stage = Stage::new(WorkspaceWrite);
        stage.temporary = temporary;
        let tmpdir = stage.outside.display().to_string();
        stage.env.insert("TMPDIR".to_owned(), tmpdir);
        for attempt in ["it=$(mktemp /tmp/zspark-XXXXXX) && rm \"$it\"", "touch \"$TMPDIR/x\""] {
            let (code, text) = stage.run(attempt).await;
            assert_eq!(code == 0, writable, "{attempt}: {text}");
        }
    }
}

#[tokio::test]
async fn nothing_outside_the_workspace_can_be_changed() {
    for mode in [WorkspaceWrite, ReadOnly] {
        let stage = Stage::new(mode);
        let kept = stage.outside.join("kept");
        std::fs::write(&kept, "kept").unwrap();
        std::os::unix::fs::symlink(&stage.outside, stage.cwd.join("way-out")).unwrap();
        std::os::unix::fs::symlink(&kept, stage.cwd.join("file-out")).unwrap();
        std::fs::write(stage.cwd.join("mine"), "mine").unwrap();
        let before = kept.metadata().unwrap();
        for attempt in [
            "echo x > ../outside/new",
            "echo x >> ../outside/kept",
            "echo x > way-out/new",
            "echo x > file-out",
            "rm -f ../outside/kept",
            "mv ../outside/kept ../outside/moved",
            "mv mine ../outside/kept",
            "truncate -s 0 ../outside/kept",
            "chmod 777 ../outside/kept",
            "touch -d 2001-01-01 ../outside/kept",
            "ln ../outside/kept linked && echo x > linked",
            "mkdir ../outside/folder",
            "ln -s /etc/passwd ../outside/link",
            "mkfifo ../outside/fifo",
            "(setsid bash -c '(echo x > ../outside/new) &' ); sleep 0.1; test -e ../outside/new",
            "bash -c \"bash -c 'echo x > ../outside/new'\"",
            "cd /proc/self/cwd && echo x > ../outside/new",
            "cd /proc/1/cwd && echo x > ../outside/new",
            "cd /proc/1/root && echo x > $OLDPWD/../outside/new",
            "for fd in /proc/self/fd/*; do echo x > $fd/../outside/new && exit 0; done; exit 1",
            "mount -o remount,rw / && echo x > ../outside/new",
            "umount ../work; umount -l /; echo x > ../outside/new",
            "unshare -Urm bash -c 'mount -o remount,rw,bind / ; echo x > ../outside/new'",
            "nsenter -t $PPID -m bash -c 'echo x > ../outside/new'",
            "echo 0 > /proc/self/oom_score_adj",
            "echo x > /etc/zspark-test",
            "mknod sda b 8 0 && echo x > sda",
        ] {
            let (code, text) = stage.run(attempt).await;
            assert_ne!(code, 0, "{mode:?}: {attempt}\n{text}");
            assert_eq!(read(&kept), "kept", "{mode:?}: {attempt}");
            let names: Vec<_> = std::fs::read_dir(&stage.outside)
                .unwrap()
                .map(|it| it.unwrap().file_name())
                .collect();
            assert_eq!(names, ["kept"], "{mode:?}: {attempt}");
        }
        let after = kept.metadata().unwrap();
        assert_eq!(before.permissions(), after.permissions());
        assert_eq!(before.modified().unwrap(), after.modified().unwrap());
    }
}

#[tokio::test]
async fn read_only_means_that_nothing_is_written() {
    let stage = Stage::new(ReadOnly);
    std::fs::write(stage.cwd.join("mine"), "mine").unwrap();
    for attempt in [
        "echo x > new",
        "echo x > mine",
        "rm mine",
        "mktemp",
        "echo x > /tmp/zspark-read-only",
        "chmod 700 mine",
        "echo x > /dev/shm/x",
    ] {
        let (code, text) = stage.run(attempt).await;
        assert_ne!(code, 0, "{attempt}\n{text}");
    }
    assert_eq!(read(&stage.cwd.join("mine")), "mine");
    let (code, text) = stage.run("cat mine >/dev/null && echo seen").await;
    assert_eq!((code, text.ends_with("seen\n")), (0, true), "{text}");
}

#[tokio::test]
async fn protected_names_stay_as_they_are_or_absent() {
    for exists in [true, false] {
        for name in sandbox::PROTECTED {
            let stage = Stage::new(WorkspaceWrite);
            if exists {
                std::fs::create_dir_all(stage.cwd.join(name).join("hooks")).unwrap();
                std::fs::write(stage.cwd.join(name).join("config"), "mine").unwrap();
            }
            for attempt in [
                format!("mkdir -p {name}/hooks && echo x > {name}/hooks/pre-commit"),
                format!("echo x > {name}/config"),
                format!("rm -rf {name} && mkdir {name} && echo x > {name}/config"),
                format!("mv {name} other && mkdir {name} && echo x > {name}/config"),
                format!("mkdir other2 && mv other2 {name}"),
                format!("ln -s /tmp {name} && test -L {name}"),
                format!("chmod 777 {name} && echo x > {name}/config"),
                format!("rmdir {name}; echo x > {name} && test -f {name}"),
                format!("umount {name}; echo x > {name}/config"),
                format!("python3 -c 'import os; os.rename(\"{name}\", \"gone\")'"),
            ] {
                let (code, text) = stage.run(&attempt).await;
                assert_ne!(code, 0, "{exists} {attempt}\n{text}");
                assert_eq!(stage.cwd.join(name).exists(), exists, "{attempt}");
                if exists {
                    assert_eq!(read(&stage.cwd.join(name).join("config")), "mine", "{attempt}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_command_that_runs_keeps_protecting_what_another_one_ends_with() {
    let stage = Stage::new(WorkspaceWrite);
    let long = stage.exec(
        serde_json::json!({"cmd": "read line; mkdir .git/hooks && echo broke out", "tty": true, "yield_time_ms": 250, "login": false}),
        Grant::Sandboxed,
    );
    let long = text(&long.await);
    assert!(long.contains("Process running with session ID 1"), "{long}");
    let (code, said) = stage.run("true").await;
    assert_eq!(code, 0, "{said}");
    assert!(
        stage.cwd.join(".git").exists(),
        "the placeholder was taken away under a running command"
    );
    let rest = text(
        &stage
            .write_stdin(serde_json::json!({"session_id": 1, "chars": "go\n", "yield_time_ms": 5000}))
            .await,
    );
    assert!(rest.contains("Process exited with code 1"), "{rest}");
    assert!(!stage.cwd.join(".git").exists());
}

#[tokio::test]
async fn the_network_is_off_unless_the_policy_says_otherwise() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let unix = tempfile::tempdir().unwrap();
    let _unix_listener = std::os::unix::net::UnixListener::bind(unix.path().join("daemon")).unwrap();
    let connect = format!("exec 3<>/dev/tcp/127.0.0.1/{port}");
    let daemon = format!(
        "python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect(\"{}\")'",
        unix.path().join("daemon").display()
    );
    for mode in [WorkspaceWrite, ReadOnly] {
        let stage = Stage::new(mode);
        for attempt in [
            connect.as_str(),
            daemon.as_str(),
            "python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)'",
            "python3 -c 'import socket; socket.socket(socket.AF_INET6)'",
            "python3 -c 'import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)'",
            "python3 -c 'import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)'",
        ] {
            let end = stage
                .exec(serde_json::json!({"cmd": attempt, "login": false}), Grant::Sandboxed)
                .await;
            assert_ne!(exit_code(&end), 0, "{mode:?}: {attempt}");
            assert!(
                matches!(
                    end.item,
                    Some(ItemKind::Command {
                        sandbox_denied: true,
                        ..
                    })
                ),
                "{mode:?}: {attempt}: {end:?}"
            );
        }
        let (code, said) = stage
            .run("python3 -c 'import socket; a, b = socket.socketpair(); a.send(b\"x\"); b.recv(1)'")
            .await;
        assert_eq!(code, 0, "{said}");
    }
    let mut stage = Stage::new(WorkspaceWrite);
    stage.network = true;
    let (code, said) = stage.run(&connect).await;
    assert_eq!(code, 0, "{said}");
}

#[tokio::test]
async fn processes_outside_cannot_be_touched() {
    let mut victim = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
    let stage = Stage::new(WorkspaceWrite);
    for attempt in [
        format!("kill -9 {}", victim.id()),
        format!(
            "python3 -c 'import ctypes,sys; sys.exit(ctypes.CDLL(None).ptrace(16, {}, 0, 0) and 1)'",
            victim.id()
        ),
        format!("cat /proc/{}/environ", victim.id()),
    ] {
        let (code, said) = stage.run(&attempt).await;
        assert_ne!(code, 0, "{attempt}\n{said}");
    }
    assert_eq!(victim.try_wait().unwrap(), None);
    victim.kill().unwrap();
    victim.wait().unwrap();
}

#[tokio::test]
async fn an_allowed_escalation_has_no_sandbox() {
    let stage = Stage::new(ReadOnly);
    let end = stage
        .exec(
            serde_json::json!({"cmd": "echo x > ../outside/new; echo $ZSPARK_SANDBOX"}),
            Grant::Unsandboxed,
        )
        .await;
    assert_eq!(exit_code(&end), 0);
    assert!(matches!(end.item, Some(ItemKind::Command { escalated: true, .. })));
    assert_eq!(read(&stage.outside.join("new")), "x\n");
    assert!(!text(&end).contains("read-only"));
    let full = Stage::new(DangerFullAccess);
    let (code, said) = full.run("echo x > ../outside/new").await;
    assert_eq!(code, 0, "{said}");
}

#[tokio::test]
async fn a_terminal_is_no_way_out() {
    let stage = Stage::new(WorkspaceWrite);
    for attempt in [
        "echo x > ../outside/new",
        "python3 -c 'import fcntl, termios; fcntl.ioctl(0, termios.TIOCSTI, b\"x\")'",
    ] {
        let end = stage
            .exec(
                serde_json::json!({"cmd": attempt, "tty": true, "login": false}),
                Grant::Sandboxed,
            )
            .await;
        assert_ne!(exit_code(&end), 0, "{attempt}\n{}", text(&end));
    }
    assert!(!stage.outside.join("new").exists());
}

#[test]
fn nothing_outlives_a_killed_zspark() {
    let folder = tempfile::tempdir().unwrap();
    let alive = folder.path().join("alive");
    std::process::Command::new("mkfifo").arg(&alive).status().unwrap();
    // The shell stands for zspark. Whoever survives it keeps the pipe open.
    let script = format!(
        "{} --run-as-sandbox-stage no-network $$ 1 {1} 0 bash -c 'exec 3>{1}/alive; setsid sleep 1000 & sleep 1000' & wait",
        launcher().exe.display(),
        folder.path().display()
    );
    let mut zspark = std::process::Command::new("bash")
        .args(["-c", &script])
        .spawn()
        .unwrap();
    // Opening waits until somebody writes; reading ends when nobody can any more.
    let (opened, pipe) = std::sync::mpsc::channel();
    std::thread::spawn(move || opened.send(std::fs::File::open(&alive).unwrap()));
    let limit = std::time::Duration::from_secs(30);
    let mut pipe = pipe.recv_timeout(limit).expect("the command starts");
    zspark.kill().unwrap();
    zspark.wait().unwrap();
    let (ended, rest) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut rest = Vec::new();
        std::io::Read::read_to_end(&mut pipe, &mut rest).unwrap();
        ended.send(rest)
    });
    let rest = rest.recv_timeout(limit).expect("all that it started ends with it");
    assert_eq!(rest.len(), 0);
}

/// As in a container whose first process did not begin a session of its own: nobody in there leads the session.
#[test]
fn a_process_namespace_without_a_session_leader_is_a_place_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let inner = format!(
        "{} --run-as-sandbox-stage no-network $$ 1 {} 0 bash -c 'echo done'; true",
        launcher().exe.display(),
        folder.path().display()
    );
    let output = std::process::Command::new("unshare")
        .args([
            "--user",
            "--map-root-user",
            "--pid",
            "--fork",
            "--mount-proc",
            "bash",
            "-c",
            &inner,
        ])
        .output()
        .unwrap();
    assert_eq!(
        (
            String::from_utf8_lossy(&output.stdout).as_ref(),
            String::from_utf8_lossy(&output.stderr).as_ref()
        ),
        ("done\n", "")
    );
}

#[test]
fn without_user_namespaces_the_sandbox_is_narrower_and_never_wider() {
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path().canonicalize().unwrap().join("work");
    std::fs::create_dir_all(work.join(".git")).unwrap();
    std::fs::create_dir(work.join("sub")).unwrap();
    for name in [".git/config", "file", "../outside"] {
        std::fs::write(work.join(name), "old").unwrap();
    }
    let root = work.display();
    let inner = format!(
        "for path in file sub/new .git/config .git/hook .codex ../outside ../new; do {} --run-as-sandbox-stage no-network $$ 1 {root} \
         3 {root}/.codex {root}/.git {root}/.zspark bash -c \"echo x > $path\" 2>/dev/null && echo $path; done; true",
        launcher().exe.display()
    );
    // A user namespace in which no further one can be made, and no capability is left.
    let outer = "echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --bounding-set=-all --inh-caps=-all --no-new-privs bash -c \"$0\"";
    let output = std::process::Command::new("unshare")
        .args(["-Ur", "bash", "-c", outer, &inner])
        .current_dir(&work)
        .output()
        .unwrap();
    assert_eq!(
        (
            String::from_utf8_lossy(&output.stdout).as_ref(),
            String::from_utf8_lossy(&output.stderr).as_ref()
        ),
        ("file\nsub/new\n", "")
    );
    assert_eq!(read(&work.join(".git/config")), "old");
    assert_eq!(read(&work.join("../outside")), "old");
}
