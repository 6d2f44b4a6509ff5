//! What command lines are taken for. This is where a mistake becomes a hole, so most of it is tables.

use std::path::Path;

use protocol::approval::{Risk, RuleSubject};

use super::*;

/// The parts of a line as text, words that are not literal in `<>`.
fn parts(text: &str) -> Option<Vec<Vec<String>>> {
    let show = |it: &Word| {
        if it.literal {
            it.text.clone()
        } else {
            format!("<{}>", it.text)
        }
    };
    parse(text)
        .segments
        .map(|all| all.iter().map(|it| it.words.iter().map(show).collect()).collect())
}

#[track_caller]
fn reads(text: &str, want: &[&[&str]]) {
    let want: Vec<Vec<String>> = want
        .iter()
        .map(|it| it.iter().map(|it| (*it).to_owned()).collect())
        .collect();
    assert_eq!(parts(text), Some(want), "{text}");
}

#[test]
fn plain_lines_are_understood() {
    reads("ls", &[&["ls"]]);
    reads("  git   status\t-s ", &[&["git", "status", "-s"]]);
    reads(
        "a && b || c; d | e\nf",
        &[&["a"], &["b"], &["c"], &["d"], &["e"], &["f"]],
    );
    reads("a &&\n b |\n\n c ;\n", &[&["a"], &["b"], &["c"]]);
    reads("a&&b;c|d", &[&["a"], &["b"], &["c"], &["d"]]);
    reads(
        "echo 'a b' \"c d\" e\\ f g'h'\"i\"",
        &[&["echo", "a b", "c d", "e f", "ghi"]],
    );
    reads(
        "echo '&& rm -rf / ;' \"| sh > x\"",
        &[&["echo", "&& rm -rf / ;", "| sh > x"]],
    );
    reads("echo \\&\\& \\; \\> '' \"\"", &[&["echo", "&&", ";", ">", "", ""]]);
    reads("echo \"a\\\"b\\\\c\\d\\$e\"", &[&["echo", "a\"b\\c\\d$e"]]);
    reads("echo one \\\n two", &[&["echo", "one", "two"]]);
    reads("gi\\\nt status", &[&["git", "status"]]);
    reads("grep -E \"^a$|b$\" x", &[&["grep", "-E", "^a$|b$", "x"]]);
    reads("echo 费用 “引号”", &[&["echo", "费用", "“引号”"]]);
    reads(
        "find . -name x -exec ls {} \\;",
        &[&["find", ".", "-name", "x", "-exec", "ls", "{}", ";"]],
    );
    reads("echo a#b", &[&["echo", "a#b"]]);
    reads("cat a=b", &[&["cat", "a=b"]]);
}

#[test]
fn what_the_shell_changes_is_marked() {
    reads("ls *.rs a? [ab]", &[&["ls", "<*.rs>", "<a?>", "<[ab]>"]]);
    reads("ls '*.rs' \\*.rs \"a?\"", &[&["ls", "*.rs", "*.rs", "a?"]]);
    reads("ls ~ ~/x a~ '~'", &[&["ls", "<~>", "<~/x>", "a~", "~"]]);
    reads(
        "ls $HOME \"${HOME}/x\" $? '$HOME'",
        &[&["ls", "<$HOME>", "<$HOME/x>", "<$?>", "$HOME"]],
    );
    reads("ls =python", &[&["ls", "<=python>"]]);
}

#[test]
fn redirections_that_touch_no_file_are_understood() {
    for line in [
        "make 2>&1",
        "make >/dev/null 2>&1",
        "make > /dev/null",
        "make &>/dev/null",
        "make </dev/null",
        "make 2>/dev/null",
        "make 2>&-",
        "2>&1 make",
        "make >> /dev/null",
    ] {
        reads(line, &[&["make"]]);
    }
    reads("make 2>&1 | tail -5", &[&["make"], &["tail", "-5"]]);
    reads("echo 2 >&2", &[&["echo", "2"]]);
    reads("echo a2>&1", &[&["echo", "a2"]]);
}

#[test]
fn everything_else_is_opaque() {
    for line in [
        "",
        "   \n ",
        // Substitution, in every disguise.
        "echo $(id)",
        "echo `id`",
        "echo \"$(id)\"",
        "echo \"`id`\"",
        "echo ${x:-$(id)}",
        "echo ${x@P}",
        "echo $((a[$(id)]))",
        "echo $[1+1]",
        "echo $'a'",
        "echo $\"a\"",
        "echo \"${x[0]}\"",
        "echo $x[$(id)]",
        "echo ${!x}",
        "echo $@",
        "echo $1",
        "cat <(id)",
        "cat >(id)",
        "echo \"$x[1]\"",
        "echo $x:h",
        // Files.
        "echo a > x",
        "echo a >x",
        "echo a >> x",
        "echo a >| x",
        "cat < x",
        "echo a &> x",
        "echo a >& x",
        "echo a > /dev/nullx",
        "echo a > /dev/null/../x",
        "echo a > \"/dev/null\"x",
        "echo a >/dev/null$x",
        "cat << EOF\nx\nEOF",
        "cat <<< x",
        "cat <> x",
        "echo a 3>x",
        "echo a >/dev/sda",
        "echo a 2>&1x",
        "echo a 2>&1*",
        "echo a >&1é",
        "echo a >&1'x'",
        "echo a >&1$x",
        "echo a >&-'x'",
        "echo a >&\\1x",
        // Grammar.
        "(id)",
        "{ id; }",
        "! id",
        "if id; then id; fi",
        "for a in b; do id; done",
        "while id; do id; done",
        "f() { id; }",
        "function f { id; }",
        "case a in b) id;; esac",
        "time id",
        "coproc id",
        "[[ -f x ]]",
        "select a in b; do id; done",
        "until id; do id; done",
        "id &",
        "id & id",
        "id |& id",
        "id ;; id",
        "id ; ; id",
        "; id",
        "&& id",
        "| id",
        "id &&",
        "id ||",
        "id |",
        "id && && id",
        "id ;& id",
        "echo {a,b}",
        "echo a{1..3}",
        "git stash drop stash@{0}",
        // Assignments and commands that are not what they seem.
        "A=b id",
        "A=b",
        "PATH=/evil git status",
        "id; A=b id",
        "$x",
        "\"$x\" y",
        "* y",
        "~/x y",
        "'' x",
        "a=b'c' id",
        "+=x",
        "a[0]=b id",
        // Comments depend on the shell.
        "ls # comment",
        "# comment",
        "#x\nls",
        // Not closed, not text.
        "echo 'a",
        "echo \"a",
        "echo a\\",
        "echo \u{1b}[31m",
        "echo a\r\nid",
        "echo a\0b",
    ] {
        assert_eq!(parts(line), None, "{line:?}");
    }
}

#[test]
fn a_script_for_a_shell_is_as_good_as_the_script() {
    reads("bash -lc 'cargo test && ls'", &[&["cargo", "test"], &["ls"]]);
    reads("sh -c \"git status\"; ls", &[&["git", "status"], &["ls"]]);
    reads("/bin/bash -c 'bash -c ls'", &[&["ls"]]);
    assert_eq!(parts("bash -c 'ls > x'"), None);
    assert_eq!(parts("bash -c 'ls $(id)'"), None);
    // More or other arguments make it something else, which stays a call of bash.
    reads("bash -c ls x", &[&["bash", "-c", "ls", "x"]]);
    reads("bash -c \"$x\"", &[&["bash", "-c", "<$x>"]]);
    reads("bash x.sh", &[&["bash", "x.sh"]]);
    // Anybody can call a file so.
    reads("./bash -c ls", &[&["./bash", "-c", "ls"]]);
    reads("/tmp/sh -c ls", &[&["/tmp/sh", "-c", "ls"]]);
}

#[test]
fn words_are_quoted_so_that_they_are_read_again() {
    for words in [
        &["./x", "-lc", "ls; rm 'a b'"][..],
        &["a", ""],
        &["it's"],
        &["$HOME", "*"],
    ] {
        let line = quoted(words.iter().copied());
        reads(&line, &[words]);
    }
}

#[test]
fn lines_for_other_shells_are_opaque() {
    assert!(parse_for("/bin/zsh", "ls").segments.is_some());
    for shell in [
        "powershell",
        "pwsh",
        "cmd.exe",
        "fish",
        "python3",
        "/usr/bin/env",
        "./bash",
        "/home/me/work/bash",
    ] {
        assert_eq!(parse_for(shell, "ls").segments, None, "{shell}");
    }
}

#[test]
fn harmless_commands_are_known() {
    for line in [
        "ls",
        "ls -la src",
        "cat *.md",
        "cat $HOME/x",
        "cd src && ls | head -5",
        "pwd; whoami",
        "rg -n TODO src",
        "grep -rn x . 2>/dev/null | wc -l",
        "find . -name '*.rs' -type f",
        "sed -n 1,20p x",
        "sed -n '5p' a b",
        "sed -n '10,$p' a",
        "git status",
        "git log --oneline -5",
        "git diff HEAD~1 -- src",
        "git show abc",
        "git branch",
        "git branch -vv",
        "git branch --show-current",
        "git remote -v",
        "git tag",
        "git stash list",
        "git grep x",
        "git blame a",
        "sort x",
        "sort -u -k 2 x",
        "uniq x",
        "uniq -c",
        "date",
        "date +%s",
        "diff -u a b",
        "file x",
        "tree -L 2",
        "base64 x",
        "test -f x",
        "echo hi",
        "printf '%s\\n' x",
        "bash -lc 'ls -l'",
        "cargo --version",
    ] {
        assert!(known_safe(&parse(line)), "{line}");
    }
}

#[test]
fn commands_that_may_do_harm_are_not_known_as_harmless() {
    for line in [
        "rm x",
        "touch x",
        "cargo test",
        "python x.py",
        "make",
        "curl http://x",
        "ls && rm x",
        "ls | sh",
        "ls | xargs rm",
        "echo x | tee y",
        "find . -delete",
        "find . -exec rm {} \\;",
        "find . -execdir rm {} \\;",
        "find . -ok rm {} \\;",
        "find . -fprint x",
        "find . -fls x",
        "find . -fprintf x y",
        "find *",
        "find $x",
        "rg --pre sh x",
        "rg --pre=sh x",
        "rg -z x",
        "rg --search-zip x",
        "rg -uz x",
        "rg --hostname-bin=x y",
        "rg --hostname-bin x y",
        "rg *",
        "rg --pr sh x",
        "sed -i s/a/b/ x",
        "sed -n 1,5w x",
        "sed -n '1e id'",
        "sed 1d x",
        "sed -n 1,2p -i x",
        "sed -n p x",
        "sed -n -f x",
        "sed -n 1,2p --in-place x",
        "sort -o x y",
        "sort -ox y",
        "sort --output=x y",
        "sort --out=x y",
        "sort -uo x y",
        "sort --compress-program=sh x",
        "sort -T x y",
        "sort --comp sh x",
        "uniq a b",
        "tree -o x",
        "base64 -o x",
        "base64 --output=x y",
        "date -s x",
        "date --set=x",
        "date 01010101",
        "file -C x",
        "diff --output=x a b",
        "git -c core.pager=sh status",
        "git -C x status",
        "git --git-dir=x status",
        "git -p log",
        "git --exec-path=x status",
        "git push",
        "git commit",
        "git branch x",
        "git branch -D x",
        "git branch -m x",
        "git tag x",
        "git tag -d x",
        "git stash",
        "git stash pop",
        "git diff --output=x",
        "git diff --outp=x",
        "git diff --ext-diff",
        "git diff --ext",
        "git log --textconv",
        "git grep -Ovi x",
        "git grep --open-files-in-pager=vi x",
        "git remote add x y",
        "git remote update",
        "git checkout x",
        "git config x y",
        "git show --output x",
        "git cat-file --filters x",
        "git log $x",
        "git log *",
        "git worktree add x",
        "env",
        "env ls",
        "xargs",
        "sudo ls",
        "time ls",
        "command ls",
        "./ls",
        "/bin/ls",
        "../ls",
        "src/cat x",
        "eval ls",
        "exec ls",
        "source x",
        ". x",
        "export A=b",
        "alias ls=rm",
        "test -v 'a[$(id)]'",
        "printf -v 'a[$(id)]' x",
        "printf %d 'a[$(id)]'",
        "test 'a[1]' -eq 0",
        "trap ls EXIT",
        "set -x",
        "unset x",
        "hash -p /evil ls",
        "enable -f x y",
        "awk 'BEGIN{system(1)}'",
        "less x",
        "more x",
        "man x",
        "vim x",
        "tee x",
        "dd if=a of=b",
        "kill 1",
        "nohup ls",
        "node --version x",
        "ls > x",
        "cat $(id)",
        "ls &",
        "",
    ] {
        assert!(!known_safe(&parse(line)), "{line}");
    }
}

#[test]
fn without_the_sandbox_less_is_harmless() {
    let first = |line: &str| parse(line).segments.unwrap().remove(0);
    assert!(known_safe_unsandboxed(&first("tail -5 x")));
    // A repository's own configuration can make git run programs.
    for line in ["git status", "find . -name x", "rg x", "sort x", "touch x", "./tail"] {
        assert!(!known_safe_unsandboxed(&first(line)), "{line}");
    }
}

#[track_caller]
fn proposes(line: &str, escalated: bool, theirs: Option<&[&str]>, want: Option<&[&str]>) {
    let theirs: Option<Vec<String>> = theirs.map(|it| it.iter().map(|it| (*it).to_owned()).collect());
    let draft = propose_rule(&parse(line), Path::new("/work"), escalated, theirs.as_deref());
    let prefix = draft.map(|it| {
        assert_eq!(it.folder.as_deref(), Some("/work"));
        match it.subject {
            RuleSubject::CommandPrefix {
                prefix,
                escalated: covers,
            } => {
                assert_eq!(covers, escalated);
                prefix
            }
            RuleSubject::Write { .. } => panic!("a rule about files for a command"),
        }
    });
    assert_eq!(
        prefix,
        want.map(|it| it.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>()),
        "{line}"
    );
}

#[test]
fn a_rule_is_as_narrow_as_it_can_be() {
    proposes("cargo test -p x", false, None, Some(&["cargo", "test"]));
    proposes(
        "cd x && cargo test 2>&1 | tail -3",
        false,
        None,
        Some(&["cargo", "test"]),
    );
    proposes("npm run build", true, None, Some(&["npm", "run", "build"]));
    proposes("git push origin main", true, None, Some(&["git", "push"]));
    proposes("gh pr create --fill", true, None, Some(&["gh", "pr", "create"]));
    proposes("pytest tests/*.py", false, None, Some(&["pytest"]));
    proposes("python -m pytest x", true, None, Some(&["python", "-m", "pytest"]));
    proposes("python build.py --all", false, None, Some(&["python", "build.py"]));
    proposes(
        "pandoc a.md -o a.docx",
        false,
        None,
        Some(&["pandoc", "a.md", "-o", "a.docx"]),
    );
    proposes("cargo test && cargo test --doc", false, None, Some(&["cargo", "test"]));
}

#[test]
fn what_the_model_proposes_counts_only_where_it_is_narrower() {
    proposes(
        "cargo test -p x",
        false,
        Some(&["cargo", "test", "-p", "x"]),
        Some(&["cargo", "test", "-p", "x"]),
    );
    proposes("cargo test -p x", false, Some(&["cargo"]), Some(&["cargo", "test"]));
    proposes(
        "cargo test -p x",
        false,
        Some(&["cargo", "build"]),
        Some(&["cargo", "test"]),
    );
    proposes("cargo test -p x", false, Some(&[]), Some(&["cargo", "test"]));
    proposes("rm -rf target", false, Some(&["rm", "-rf", "target"]), None);
}

#[test]
fn no_rule_for_programs_that_can_do_anything() {
    for line in [
        "bash x.sh",
        "bash -c \"$x\"",
        "sh -s",
        "python -c 'x'",
        "python3 - ",
        "python3.12 -c x",
        "python",
        "node -e x",
        "perl -e x",
        "ruby x",
        "sudo ls",
        "rm x",
        "rm -rf /",
        "env x",
        "xargs x",
        "eval x",
        "find . -delete",
        "curl x",
        "ssh x",
        "chmod +x y",
        "mv a b",
        "dd if=a of=b",
        "awk x",
        "timeout 5 x",
        "nohup x",
        "git -c a=b push",
        "git config a b",
        "git",
        "cargo",
        "cargo run x",
        "cargo +nightly",
        "npm exec x",
        "go run x",
        "make -f x",
        "sed -i x y",
        "tee x",
        "/bin/bash x",
        "/usr/bin/sudo x",
        // Two different commands, and lines that nobody understood.
        "cargo test && npm test",
        "cargo test > x",
        "cargo test $(id)",
        "$x test",
        "cargo $x",
        "pandoc *.md",
    ] {
        proposes(line, false, None, None);
    }
    proposes("python build.py", true, None, None);
    // Nothing to ask about.
    proposes("ls -l", false, None, None);
}

#[test]
fn risks_are_seen_through_wrappers_and_substitutions() {
    let cwd = Path::new("/work");
    let roots = [Path::new("/data").to_path_buf()];
    let check = |line: &str, escalated: bool, want: &[Risk]| {
        let found = risks(
            &parse(line),
            Reach {
                cwd,
                writable_roots: &roots,
                escalated,
            },
        );
        assert_eq!(found, want, "{line}");
    };
    check("ls", false, &[]);
    check("ls", true, &[Risk::Unsandboxed]);
    check("rm -rf target", false, &[Risk::Deletes]);
    check(
        "sudo rm -rf /etc",
        true,
        &[Risk::Unsandboxed, Risk::Deletes, Risk::WritesOutside],
    );
    check("echo $(rm x)", false, &[Risk::Deletes]);
    check("bash -c 'rm x'", false, &[Risk::Deletes]);
    check("if true; then rm x; fi", false, &[Risk::Deletes]);
    check("find . -name x -delete", false, &[Risk::Deletes]);
    check("ls | xargs rm", false, &[Risk::Deletes]);
    check("git push", false, &[Risk::Network]);
    check("git push --force", false, &[Risk::Network, Risk::Deletes]);
    check("npm install x", false, &[Risk::Network]);
    check("npm test", false, &[]);
    check("curl https://x.y", false, &[Risk::Network]);
    check("echo https://x.y", false, &[]);
    check("deno run https://x.y", false, &[Risk::Network]);
    check("cp a /data/b", false, &[]);
    check("cp a ../b", false, &[Risk::WritesOutside]);
    check("echo x > ~/.bashrc", false, &[Risk::WritesOutside]);
    check("echo x > /etc/passwd 2>&1", false, &[Risk::WritesOutside]);
    check("echo 'x > /etc/passwd'", false, &[]);
    check("make 2>&1 > /dev/null", false, &[]);
    check("rm -rf .git", false, &[Risk::Deletes, Risk::ProtectedPath]);
    check("echo x > .git/hooks/pre-commit", false, &[Risk::ProtectedPath]);
}

#[test]
fn the_loose_reader_finds_commands_wherever_they_hide() {
    let finds = |line: &str, want: &[&str]| {
        let found = parse(line).loose();
        assert!(found.iter().any(|it| it == want), "{line}: {found:?}");
    };
    for line in [
        "git push",
        "a; git push",
        "a & git push",
        "(git push)",
        "{ git push; }",
        "echo $(git push)",
        "echo \"x $(git push) y\"",
        "echo `git push`",
        "git push > x",
        "A=b git push",
        "env A=b git push",
        "sudo -n git push",
        "timeout 5 git push",
        "bash -c 'git push'",
        "bash -lc \"a && git push\"",
        "eval 'git push'",
        "if a; then git push; fi",
        "xargs git push",
        "! git push",
        "g'i't p\"us\"h",
        "gi\\t push",
        "nice -n 5 git push",
        "sh -ec 'git push'",
        "git\\\n push",
        "a |& git push",
        "cat <(git push)",
    ] {
        finds(line, &["git", "push"]);
    }
}

#[test]
fn a_patch_in_a_heredoc_is_found() {
    let patch = "*** Begin Patch\n*** Add File: a\n+x\n*** End Patch\n";
    let check = |text: String, dir: Option<&str>| {
        let want = Heredoc {
            dir: dir.map(str::to_owned),
            patch: patch.to_owned(),
        };
        assert_eq!(heredoc_patch(&text), Some(want), "{text}");
    };
    for head in [
        "apply_patch <<'EOF'",
        "apply_patch <<EOF",
        "apply_patch << \"EOF\"",
        "applypatch <<-'EOF'",
    ] {
        check(format!("{head}\n{patch}EOF"), None);
        check(format!("{head}\n{patch}EOF\n\n"), None);
    }
    check(format!("cd src/x && apply_patch <<'EOF'\n{patch}EOF\n"), Some("src/x"));
    check(format!("apply_patch '{patch}'"), None);
    check(format!("cd 'a b' && apply_patch '{patch}'"), Some("a b"));
    for other in [
        format!("apply_patch <<'EOF'\n{patch}EOF\nrm x"),
        format!("apply_patch <<'EOF'\n{patch}"),
        format!("cat <<'EOF'\n{patch}EOF"),
        format!("cd $x && apply_patch <<'EOF'\n{patch}EOF"),
        format!("rm x && apply_patch <<'EOF'\n{patch}EOF"),
        format!("apply_patch x <<'EOF'\n{patch}EOF"),
        format!("apply_patch <<'EOF' > y\n{patch}EOF"),
        format!("rm x; apply_patch '{patch}'"),
        "apply_patch <<'EOF'\nhello\nEOF".to_owned(),
        "apply_patch x".to_owned(),
        String::new(),
    ] {
        assert_eq!(heredoc_patch(&other), None, "{other}");
    }
}
