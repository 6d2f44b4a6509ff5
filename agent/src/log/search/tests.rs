//! Expressions and snippets.

use super::*;

#[test]
fn a_query_becomes_an_expression() {
    let check = |query: &str, expect: Option<&str>| assert_eq!(expression(query).as_deref(), expect, "{query}");
    check("", None);
    check(" -- \" ", None);
    check("hello", Some("\"hello\"*"));
    check("hello wor", Some("\"hello\" AND \"wor\"*"));
    check("数据", Some("\" 数  据 \""));
    check("log数", Some("\"log 数 \""));
    check("say \"hi", Some("\"say\" AND \" hi\"*"));
}

#[test]
fn a_snippet_shows_what_matched() {
    let check = |text: &str, query: &str, expect: &str| assert_eq!(snippet(text, query), expect);
    check("Fix the\n  Parser now", "parser", "Fix the \u{2}Parser\u{3} now");
    check("在数据库里查找", "数据", "在\u{2}数据\u{3}库里查找");
    check("src/log.rs", "log rs", "src/\u{2}log\u{3}.\u{2}rs\u{3}");
    check("log rs", "log.rs", "\u{2}log\u{3} rs");
    check("nothing of it", "else", "nothing of it");
    let long = format!("{} needle {}", "a".repeat(100), "b".repeat(300));
    let expect = format!("…{} \u{2}needle\u{3} {}…", "a".repeat(39), "b".repeat(113));
    check(&long, "needle", &expect);
}
