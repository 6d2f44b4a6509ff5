use super::*;

#[test]
fn a_value_is_toml_or_text() {
    let check = |given: &str, expect: (&str, Value)| {
        let (key, value) = parse(given).unwrap();
        assert_eq!((key.as_str(), value), expect, "{given}");
    };
    check("model=o3", ("model", text("o3")));
    check("model=\"o3\"", ("model", text("o3")));
    check(" a.b = 3 ", ("a.b", Value::Integer(3)));
    check("a=true", ("a", Value::Boolean(true)));
    check("a=[\"x\", \"y\"]", ("a", Value::Array(vec![text("x"), text("y")])));
    check("a={}", ("a", Value::Table(toml::Table::new())));
    check("a=b=c", ("a", text("b=c")));
    check("a=1\nb=2", ("a", text("1\nb=2")));
    check("a=", ("a", text("")));
    for bad in ["model", "=x", ""] {
        assert_eq!(parse(bad).unwrap_err().code, Code::InvalidRequest, "{bad}");
    }
}

#[test]
fn the_sdks_base_url_chooses_the_provider() {
    let check = |given: &[(&str, &str)], expect: &[(&str, &str)]| {
        let own = |all: &[(&str, &str)]| -> Vec<_> {
            all.iter()
                .map(|(key, value)| ((*key).to_owned(), text(value)))
                .collect()
        };
        let mut overrides = own(given);
        sdk_provider(&mut overrides);
        assert_eq!(overrides, own(expect));
    };
    let url = ("openai_base_url", "http://x/v1");
    check(&[url], &[url, ("model_provider", "openai")]);
    check(&[("model_provider", "p"), url], &[("model_provider", "p"), url]);
    check(&[("model", "m")], &[("model", "m")]);
    check(&[], &[]);
}

#[test]
fn added_folders_follow_the_configured_ones() {
    let roots = writable_roots(&["/a".into()], &["b".into(), "/c".into()], Path::new("/w"));
    assert_eq!(roots, Value::Array(vec![text("/a"), text("/w/b"), text("/c")]));
}
