use std::io::Cursor;

use super::*;

fn piped(text: &'static str) -> Stdin {
    Stdin::Piped(Box::new(Cursor::new(text)))
}

#[test]
fn a_prompt_comes_from_the_argument_and_stdin() {
    let check = |argument: Option<&str>, stdin: Stdin, expect: Result<&str, &str>| {
        let prompt = compose(argument.map(str::to_owned), stdin, || ());
        let prompt = prompt.as_deref().map_err(|it| it.message.as_str());
        assert_eq!(prompt, expect);
    };
    check(Some("hi"), Stdin::Terminal, Ok("hi"));
    check(Some("hi"), piped(""), Ok("hi"));
    check(Some("hi"), piped(" \n"), Ok("hi"));
    check(Some("hi"), piped("a\nb\n"), Ok("hi\n\n<stdin>\na\nb\n</stdin>"));
    check(Some("hi"), piped("a"), Ok("hi\n\n<stdin>\na\n</stdin>"));
    check(Some("-"), piped("from stdin\n"), Ok("from stdin\n"));
    check(None, piped("from stdin"), Ok("from stdin"));
    check(None, Stdin::Terminal, Err("no prompt was given"));
    check(Some("-"), Stdin::Terminal, Err("no prompt was given"));
    check(None, piped("\n"), Err("no prompt was given and stdin is empty"));
    check(Some(" "), Stdin::Terminal, Err("the prompt is empty"));
}

#[test]
fn invalid_utf8_is_replaced() {
    let stdin = Stdin::Piped(Box::new(Cursor::new(b"a\xffb".to_vec())));
    assert_eq!(compose(None, stdin, || ()), Ok("a\u{fffd}b".to_owned()));
}

#[test]
fn several_files_and_a_prompt_behind_them() {
    let check = |images: &[&str], prompt: Option<&str>, expect: (&[&str], Option<&str>)| {
        let images = images.iter().map(PathBuf::from).collect();
        let exists = |path: &PathBuf| path.extension().is_some_and(|it| it == "png") && path.as_os_str() != "c,d.png";
        let (files, prompt) = files(images, prompt.map(str::to_owned), exists);
        let files: Vec<&str> = files.iter().filter_map(|it| it.to_str()).collect();
        assert_eq!((files.as_slice(), prompt.as_deref()), expect);
    };
    check(&["a.png", "b.png"], Some("hi"), (&["a.png", "b.png"], Some("hi")));
    check(&["a.png", "what is this?"], None, (&["a.png"], Some("what is this?")));
    check(&["a.png", "b.png"], None, (&["a.png", "b.png"], None));
    check(&["gone"], None, (&["gone"], None));
    check(&["c,d.png"], Some("hi"), (&["c", "d.png"], Some("hi")));
    check(&["e,f.png"], Some("hi"), (&["e,f.png"], Some("hi")));
}
