//! The reader of command lines against the shell itself: whatever bash runs of a line that was understood, the reader named.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use agent::command::parse;

/// Lines that are run. Most random lines are opaque, so many more are made.
const RUN: usize = 800;

/// Pieces that lines are made of. No piece is the name of a real command: bash tells the handler below instead.
const PIECES: &[&str] = &[
    "qa",
    "qb",
    "qc x",
    " ",
    " ",
    " ",
    "  ",
    "\t",
    "\n",
    "'",
    "'",
    "\"",
    "\"",
    "\\",
    "\\\n",
    "&&",
    "||",
    ";",
    "|",
    "&",
    ">",
    "<",
    ">>",
    "2>&1",
    ">/dev/null",
    "2>",
    "/dev/null",
    "&>",
    "$(qd)",
    "`qe`",
    "$",
    "$x",
    "${x}",
    "${x:-$(qf)}",
    "#",
    "{",
    "}",
    "{}",
    "(",
    ")",
    "!",
    "~",
    "*",
    "?",
    "[",
    "]",
    "=",
    "x=",
    "-",
    "--a=b",
    "é",
    "费",
    "1",
    "2",
    "<<",
    "<<<",
    "if",
    "then",
    "fi",
    "time",
    "bash -c 'qg; qh'",
    "\r",
    "^",
    "%",
    ",",
    "\"q'r\"",
    "'s\"t'",
    "\\'",
    "\\\"",
    "\\$(qi)",
    "'$(qj)'",
    "\"\\$(qk)\"",
    "\"$(ql)\"",
    "\"`qm`\"",
    "$'\\n'",
    "|&",
    ";;",
    "1>",
    "x2>&1",
    "2>&-",
];

/// Tells the index of the line and the words of every command that bash looks for and does not find.
const HANDLER: &str = r#"
command_not_found_handle() {
    if [ $# = 3 ] && [ "$1 $2" = 'bash -c' ]; then /bin/bash --noprofile --norc -c "$3"; return; fi
    # One write an entry, because the commands of a pipe write at the same time.
    local entry=$index word
    for word; do entry+=$'\037'$word; done
    printf '%s\036' "$entry" >>"$log"
    return $((RANDOM % 2))
}
export -f command_not_found_handle
export log index
index=0
while IFS= read -r -d '' line; do
    ( eval "$line" ) </dev/null >/dev/null 2>/dev/null
    index=$((index + 1))
done
"#;

#[test]
fn bash_runs_nothing_that_the_reader_did_not_name() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut understood = Vec::new();
    while understood.len() < RUN {
        let mut text = String::from("qa");
        for _ in 0..=random(9) {
            text.push_str(PIECES[random(PIECES.len())]);
        }
        let line = parse(&text);
        if line.segments.is_some() {
            understood.push(line);
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let (empty, log) = (folder.path().join("empty"), folder.path().join("log"));
    std::fs::create_dir(&empty).unwrap();
    let mut bash = Command::new("/bin/bash")
        .args(["--noprofile", "--norc", "-c", HANDLER])
        .current_dir(&empty)
        .env_clear()
        .env("PATH", "/nowhere")
        .env("HOME", "/nowhere")
        .env("log", &log)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = bash.stdin.take().unwrap();
    for line in &understood {
        lines.write_all(line.text.as_bytes()).unwrap();
        lines.write_all(b"\0").unwrap();
    }
    drop(lines);
    assert!(bash.wait().unwrap().success());
    let written: Vec<_> = std::fs::read_dir(&empty)
        .unwrap()
        .map(|it| it.unwrap().file_name())
        .collect();
    assert!(written.is_empty(), "lines that were understood wrote {written:?}");
    let told = std::fs::read_to_string(&log).unwrap();
    let mut ran: BTreeMap<usize, Vec<Vec<&str>>> = BTreeMap::new();
    for entry in told.split_terminator('\u{1e}') {
        let mut parts = entry.split('\u{1f}');
        let index = parts.next().unwrap().parse().unwrap();
        ran.entry(index).or_default().push(parts.collect());
    }
    assert!(ran.len() > RUN / 2, "bash ran {} lines", ran.len());
    for (index, commands) in ran {
        let line = &understood[index];
        let named = line.segments.as_ref().unwrap();
        // A script that the shell makes at run time was read as a call of bash, which nothing allows by itself.
        if named.iter().any(|it| it.words[0].text == "bash") {
            continue;
        }
        for words in commands {
            let found = named.iter().any(|segment| {
                // From the first word on that the shell changes, anything may come.
                let literal = segment.literal_words();
                let whole = literal.len() == segment.words.len();
                words.starts_with(&literal) && (!whole || words.len() == literal.len())
            });
            assert!(found, "{:?} runs {words:?}, but was read as {named:?}", line.text);
        }
    }
}
