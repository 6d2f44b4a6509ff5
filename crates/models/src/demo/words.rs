//! What the demo model says, in both languages.

/// One language.
pub(super) struct Words {
    pub(super) thought: &'static str,
    pub(super) look: &'static str,
    pub(super) plan: fn(usize) -> String,
    pub(super) why_plan: &'static str,
    pub(super) steps: [&'static str; 3],
    pub(super) ask: &'static str,
    pub(super) justification: &'static str,
    pub(super) declined: &'static str,
    pub(super) write: &'static str,
    pub(super) summary: fn(usize, &str, &str) -> String,
    pub(super) not_written: fn(&str) -> String,
    pub(super) only_a_demo: &'static str,
    pub(super) report: fn(usize, usize, u64) -> String,
    pub(super) kinds: &'static str,
    pub(super) table: &'static str,
    pub(super) nothing: &'static str,
}

/// Chinese for a prompt with Chinese in it, English otherwise.
pub(super) fn in_language_of(prompt: &str) -> &'static Words {
    let chinese = prompt.chars().any(|it| matches!(it, '\u{4e00}'..='\u{9fff}'));
    if chinese { &CHINESE } else { &ENGLISH }
}

/// English tells one from many.
fn counted(entries: usize) -> String {
    match entries {
        1 => "1 entry".to_owned(),
        _ => format!("{entries} entries"),
    }
}

static ENGLISH: Words = Words {
    thought: "The demo always does the same: look at the folder, plan, ask for one approval, write two files.",
    look: "I am the **demo model**: built in, offline, and always doing the same small task, so that you can see how zspark works. First I look at your folder.",
    plan: |entries| format!("I found {}. Now I make a plan.", counted(entries)),
    why_plan: "A small inventory of this folder.",
    steps: [
        "Look at the folder",
        "Ask for an approval",
        "Write a report and a spreadsheet",
    ],
    ask: "Next is a command outside the sandbox, which needs your approval. It only prints the date; you can allow or decline it.",
    justification: "Demo: this shows how an approval looks. May I print this machine's date outside the sandbox?",
    declined: "You declined the command, so it was not run. That is fine: I go on without it.",
    write: "Now I write a report and a spreadsheet into your folder.",
    summary: |entries, report, sheet| {
        format!(
            "Done. As the **demo model** I looked at {} of your folder and wrote two files:\n\n- `{report}`: a short report\n- `{sheet}`: the entries as a spreadsheet\n\nYou can open both from their cards, see the changes, or undo this turn. To do real work, connect a model in **Settings, Providers**.",
            counted(entries)
        )
    },
    not_written: |why| {
        format!(
            "As the **demo model** I could not write the files: {why}\n\nNothing in your folder was changed. To do real work, connect a model in **Settings, Providers**."
        )
    },
    only_a_demo: "I am only a demo and cannot answer that: I always do the same small task. Connect a model in **Settings, Providers** (a local one such as Ollama works too), and ask again.",
    report: |files, folders, bytes| {
        format!(
            "# Folder report\n\nWritten by zspark's demo model.\n\n- Files: {files}\n- Folders: {folders}\n- Size of the files: {bytes} bytes"
        )
    },
    kinds: "## Files by type",
    table: "| Type | Files | Bytes |",
    nothing: "The folder has no files yet.",
};

static CHINESE: Words = Words {
    thought: "演示总是做同样的事：查看文件夹，制定计划，请求一次批准，写两个文件。",
    look: "我是**演示模型**：内置、离线，每次都做同一个小任务，让您看看 zspark 怎样工作。首先查看您的文件夹。",
    plan: |entries| format!("找到 {entries} 个条目。现在制定计划。"),
    why_plan: "为这个文件夹做一份小清单。",
    steps: ["查看文件夹", "请求批准", "写一份报告和一张表格"],
    ask: "下一步是在沙箱之外运行一条命令，需要您的批准。它只显示日期，您可以允许，也可以拒绝。",
    justification: "演示：批准请求就是这个样子。可以在沙箱之外显示本机的日期吗？",
    declined: "您拒绝了这条命令，所以没有运行。没有关系，我继续后面的步骤。",
    write: "现在把报告和表格写到您的文件夹里。",
    summary: |entries, report, sheet| {
        format!(
            "完成。作为**演示模型**，我查看了文件夹中的 {entries} 个条目，写了两个文件：\n\n- `{report}`：一份简短的报告\n- `{sheet}`：条目表格\n\n您可以从卡片打开它们，查看改动，或撤销这一轮。要做真正的工作，请在**设置 → 模型服务**中连接一个模型。"
        )
    },
    not_written: |why| {
        format!(
            "作为**演示模型**，我没能写入文件：{why}\n\n您的文件夹没有任何改动。要做真正的工作，请在**设置 → 模型服务**中连接一个模型。"
        )
    },
    only_a_demo: "我只是演示模型，回答不了这个问题：我每次只做同一个小任务。请在**设置 → 模型服务**中连接一个模型（本地的也可以，例如 Ollama），然后再问一次。",
    report: |files, folders, bytes| {
        format!(
            "# 文件夹报告\n\n由 zspark 的演示模型生成。\n\n- 文件：{files}\n- 文件夹：{folders}\n- 文件总大小：{bytes} 字节"
        )
    },
    kinds: "## 按类型统计",
    table: "| 类型 | 文件数 | 字节 |",
    nothing: "文件夹里还没有文件。",
};
