//! Tables of patches.

use std::path::Path;

use super::{Hunk, Step, parse, place};

/// Applies the body of an update to `file`.
#[track_caller]
fn check(file: &str, body: &str, expect: Result<&str, &str>) {
    let patch = parse(&format!("*** Begin Patch\n*** Update File: f\n{body}\n*** End Patch")).unwrap();
    let [Step::Update { hunks, .. }] = patch.steps.as_slice() else {
        panic!("not one update: {patch:?}");
    };
    let result = place::apply(file.as_bytes(), hunks, Path::new("/f"));
    let result = result
        .map(|it| String::from_utf8(it).unwrap())
        .map_err(|it| it.to_string());
    assert_eq!(result.as_deref().map_err(String::as_str), expect, "{body}");
}

#[test]
fn hunks_find_their_place() {
    check("a\nb\nc\n", " a\n-b\n+B\n c", Ok("a\nB\nc\n"));
    check("a\nb\nc\n", "@@\n-a\n+A\n@@\n-c\n+C", Ok("A\nb\nC\n"));
    check("a\nb\nc\n", "@@\n-c\n+C\n@@\n-a\n+A", Ok("A\nb\nC\n"));
    check("x\nf1\nx\nf2\nx\n", "@@ f2\n-x\n+y", Ok("x\nf1\nx\nf2\ny\n"));
    check("A\n m\nB\n m\n", "@@ B\n@@ m\n+n", Ok("A\n m\nB\n m\nn\n"));
    check("x\ny\nx\n", "@@\n-x\n+z\n*** End of File", Ok("x\ny\nz\n"));
    check("a\n", "@@\n+b", Ok("a\nb\n"));
    check("a\nb\n", "@@ a\n+between", Ok("a\nbetween\nb\n"));
    check("a\nb\n", "@@ -1,2 +1,2 @@\n-a\n+A\n b", Ok("A\nb\n"));
    check("", "@@\n+new", Ok("new\n"));
}

#[test]
fn whitespace_and_typography_may_drift_and_the_files_own_lines_stay() {
    check("a  \nb\n", " a\n-b\n+B", Ok("a  \nB\n"));
    check("\ta\nb\n", "    a\n-b\n+B", Ok("\ta\nB\n"));
    check(
        "say \u{201c}hi\u{201d} \u{2014} now\nb\n",
        " say \"hi\" - now\n-b\n+B",
        Ok("say \u{201c}hi\u{201d} \u{2014} now\nB\n"),
    );
    check("a\n\nb\n", " a\n\n-b\n+B", Ok("a\n\nB\n"));
    // The exact place wins over an earlier similar one.
    check("  x\nx\n", "-x\n+y", Ok("  x\ny\n"));
}

#[test]
fn line_ends_stay_as_they_are() {
    check("a\r\nb\r\n", " a\n-b\n+B\n+C", Ok("a\r\nB\r\nC\r\n"));
    check("a\nb", "-b\n+B", Ok("a\nB"));
    check("a\nb", " b\n+c", Ok("a\nb\nc"));
    check("\u{feff}a\nb\n", "-a\n+A", Ok("\u{feff}A\nb\n"));
    check("a\n", "-a", Ok(""));
}

#[test]
fn what_is_not_there_is_named() {
    check(
        "a\n",
        "@@\n-a\n+A\n@@\n-x\n y",
        Err("Failed to find expected lines in /f (hunk 2):\nx\ny"),
    );
    check(
        "a\n",
        "@@ fn nowhere\n-a\n+A",
        Err("Failed to find context 'fn nowhere' in /f (hunk 1)"),
    );
    check(
        "a\n",
        "@@\n-a\n+A\n@@\n-a\n+B",
        Err("/f cannot be patched: hunk 2 overlaps another one"),
    );
}

#[test]
fn a_patch_is_read_with_what_models_put_around_it() {
    let expect = parse("*** Begin Patch\n*** Delete File: a b\n*** End Patch").unwrap();
    assert_eq!(expect.steps, [Step::Delete { path: "a b".to_owned() }]);
    for text in [
        "*** Begin Patch\n*** Delete File: a b\n*** End Patch\n\n",
        "<<'EOF'\n*** Begin Patch\n*** Delete File: a b\n*** End Patch\nEOF\n",
        "```\n*** Begin Patch\n\n*** Delete File: a b \n*** End Patch\n```",
        "*** Begin Patch\r\n*** Delete File: a b\r\n*** End Patch\r\n",
    ] {
        assert_eq!(parse(text).as_ref(), Ok(&expect), "{text}");
    }
    let blank = parse("*** Begin Patch\n*** Update File: a\n@@\n-x\n\n*** Delete File: b\n*** End Patch").unwrap();
    assert!(
        matches!(&blank.steps[0], Step::Update { hunks, .. } if *hunks == [Hunk { lines: vec![super::Line::Remove("x".to_owned())], ..Hunk::default() }])
    );
}

#[test]
fn what_is_no_patch_is_refused_with_its_line() {
    let check = |text: &str, expect: &str| {
        assert_eq!(parse(text).map_err(|it| it.to_string()).unwrap_err(), expect, "{text}");
    };
    check(
        "hello",
        "invalid patch at line 1: the first line must be '*** Begin Patch'",
    );
    check(
        "*** Begin Patch\n*** Add File: a\n+x",
        "invalid patch at line 4: the last line must be '*** End Patch'",
    );
    check(
        "*** Begin Patch\n*** End Patch",
        "invalid patch at line 1: the patch is empty",
    );
    check(
        "*** Begin Patch\n*** Rename File: a\n*** End Patch",
        "invalid patch at line 2: '*** Rename File: a' is not a file header; expected '*** Add File: ', '*** Delete File: ' or '*** Update File: '",
    );
    check(
        "*** Begin Patch\n*** Update File: a\n@@\nx\n*** End Patch",
        "invalid patch at line 4: 'x' must begin with ' ', '+', '-' or '@@' inside '*** Update File: a'",
    );
    check(
        "*** Begin Patch\n*** Update File: a\n*** End Patch",
        "invalid patch at line 2: the update of a changes nothing",
    );
}
