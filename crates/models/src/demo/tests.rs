//! The demo's whole task, played with a folder made up here.

use protocol::context::{Content, Entry, Role};

use super::{Step, answer, words};
use crate::prompt::{Format, Piece, Prompt, Tool};

const LISTING: &str = "Exit code: 0\nOutput:\ntotal 12\n\
    -rw-r--r-- 1 me us   12 Nov 21 00:28 notes.txt\n\
    -rw-r--r-- 1 me us  300 2026-11-21 00:28 =odd, name.csv\n\
    drwxr-xr-x 2 me us 4096 Nov 21  2025 pictures\n";

fn prompt(text: &str) -> Prompt {
    let mut prompt = Prompt::new("demo", "");
    let tool = |name: &str, format: Format| Tool {
        name: name.to_owned(),
        description: String::new(),
        format,
    };
    prompt.tools = vec![
        tool("exec_command", Format::Function(serde_json::json!({}))),
        tool("update_plan", Format::Function(serde_json::json!({}))),
        tool("apply_patch", Format::Freeform(String::new())),
    ];
    prompt.input.push(Entry::text(Role::User, text));
    prompt
}

/// Answers, takes the answer into the context, and gives its call and its message.
fn go(prompt: &mut Prompt) -> (Option<(String, String)>, String) {
    let pieces = answer(prompt);
    let mut call = None;
    let mut said = String::new();
    let mut streamed = String::new();
    for piece in &pieces {
        match piece {
            Piece::Text(text) => streamed.push_str(text),
            Piece::Entry(entry) => {
                match entry {
                    Entry::Call { name, arguments, .. } => call = Some((name.clone(), arguments.clone())),
                    Entry::Message { content, .. } => said = super::text_of(content),
                    Entry::Reasoning { .. } | Entry::Output { .. } => {}
                }
                prompt.input.push(entry.clone());
            }
            Piece::Reasoning(_)
            | Piece::ReasoningBreak
            | Piece::Usage(_)
            | Piece::Retrying { .. }
            | Piece::Done { .. } => {}
        }
    }
    assert_eq!(streamed, said, "what is streamed is what is kept");
    assert_eq!(pieces.last(), Some(&Piece::Done { incomplete: None }));
    (call, said)
}

fn give(prompt: &mut Prompt, step: Step, text: &str, ok: bool) {
    prompt.input.push(Entry::Output {
        call_id: step.call_id().to_owned(),
        content: vec![Content::Text { text: text.to_owned() }],
        freeform: step == Step::Write,
        ok,
    });
}

#[test]
fn one_entry_is_not_counted_as_many() {
    for (entries, expect) in [(0, "0 entries"), (1, "1 entry"), (2, "2 entries")] {
        let words = words::in_language_of("Hello");
        for said in [
            (words.plan)(entries),
            (words.summary)(entries, "report.md", "sheet.csv"),
        ] {
            assert!(said.contains(&format!(" {expect}")), "{said}");
        }
    }
}

#[test]
fn the_task_goes_from_looking_to_two_files() {
    let mut prompt = prompt("Hello");
    let (call, said) = go(&mut prompt);
    assert_eq!(call.map(|it| it.0).as_deref(), Some("exec_command"));
    assert!(said.contains("demo model"), "{said}");
    give(&mut prompt, Step::Look, LISTING, true);
    let (call, said) = go(&mut prompt);
    assert_eq!(call.map(|it| it.0).as_deref(), Some("update_plan"));
    assert!(said.contains("3 entries"), "{said}");
    give(&mut prompt, Step::Plan, "Plan updated", true);
    let (call, _) = go(&mut prompt);
    let (name, arguments) = call.unwrap();
    assert_eq!(name, "exec_command");
    assert!(
        arguments.contains("require_escalated") && arguments.contains("justification"),
        "{arguments}"
    );
    give(&mut prompt, Step::Ask, "declined", false);
    let (call, said) = go(&mut prompt);
    assert!(said.contains("declined"), "{said}");
    let (name, patch) = call.unwrap();
    assert_eq!(name, "apply_patch");
    assert!(
        patch.starts_with("*** Begin Patch\n*** Add File: zspark-demo-report.md\n+# Folder report\n"),
        "{patch}"
    );
    assert!(
        patch.contains("+- Files: 2\n+- Folders: 1\n+- Size of the files: 312 bytes\n"),
        "{patch}"
    );
    let sheet = "*** Add File: zspark-demo-files.csv\n+name,kind,type,bytes\n+notes.txt,file,txt,12\n\
        +\"'=odd, name.csv\",file,csv,300\n+pictures,folder,,4096\n*** End Patch";
    assert!(patch.ends_with(sheet), "{patch}");
    give(&mut prompt, Step::Write, "Success", true);
    let (call, _) = go(&mut prompt);
    assert_eq!(call.map(|it| it.0).as_deref(), Some("update_plan"));
    give(&mut prompt, Step::Tick, "Plan updated", true);
    let (call, said) = go(&mut prompt);
    assert_eq!(call, None);
    assert!(
        said.contains("zspark-demo-report.md") && said.contains("demo model"),
        "{said}"
    );
    prompt.input.push(Entry::text(Role::User, "And now?"));
    let (call, said) = go(&mut prompt);
    assert_eq!(call, None);
    assert!(said.contains("only a demo"), "{said}");
}

#[test]
fn a_chinese_prompt_is_answered_in_chinese() {
    let mut prompt = prompt("整理这个文件夹");
    let (_, said) = go(&mut prompt);
    assert!(said.contains("演示模型"), "{said}");
}

#[test]
fn without_tools_it_says_what_it_is() {
    let mut prompt = prompt("Summarize");
    prompt.tools.clear();
    let (call, said) = go(&mut prompt);
    assert_eq!(call, None);
    assert!(said.contains("only a demo"), "{said}");
}

#[test]
fn files_of_a_former_run_are_not_overwritten() {
    let listing = "-rw-r--r-- 1 me us 12 Nov 21 00:28 zspark-demo-report.md\n";
    assert_eq!(super::Files::parse(listing).report_name(), "zspark-demo-report-2.md");
}
