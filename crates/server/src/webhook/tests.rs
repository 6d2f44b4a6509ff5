//! Addresses, signatures, and what errors tell.

use std::net::IpAddr;
use std::time::Duration;

use protocol::id::WebhookId;

use super::{SendError, Sender, TargetError, URL_BYTES, signature, target};
use crate::config::{Egress, Names, Secret};

#[test]
fn a_signature_is_the_hmac_of_time_full_stop_and_body() {
    // From another implementation: Python's hmac module.
    assert_eq!(
        signature(&Secret("key".to_owned()), "1700000000", "{\"a\":1}"),
        "v1=a438e398bfafc57e4396bb7fc2304422f0f768e965d073ca313cb52e22e6ad03"
    );
}

#[test]
fn checklist_ssrf_only_https_to_public_addresses_can_be_a_webhook_in_any_notation() {
    let refused: &[(&str, TargetError)] = &[
        ("", TargetError::Syntax),
        ("/hook", TargetError::Syntax),
        ("https://", TargetError::Syntax),
        ("http://example.com/", TargetError::Scheme),
        ("ftp://example.com/", TargetError::Scheme),
        ("file:///etc/passwd", TargetError::Scheme),
        ("gopher://example.com/", TargetError::Scheme),
        ("https://ada@example.com/", TargetError::Userinfo),
        ("https://ada:secret@example.com/", TargetError::Userinfo),
        ("https://:secret@example.com/", TargetError::Userinfo),
        ("https://example.com/#there", TargetError::Fragment),
        ("https://127.0.0.1/", TargetError::Private),
        ("https://127.1/", TargetError::Private),
        ("https://0x7f.0.0.1/", TargetError::Private),
        ("https://0177.0.0.1/", TargetError::Private),
        ("https://2130706433/", TargetError::Private),
        ("https://１２７.0.0.1/", TargetError::Private),
        ("https://0/", TargetError::Private),
        ("https://169.254.169.254/latest/meta-data/", TargetError::Private),
        ("https://10.0.0.1:8443/", TargetError::Private),
        ("https://[::1]/", TargetError::Private),
        ("https://[::]/", TargetError::Private),
        ("https://[::ffff:127.0.0.1]/", TargetError::Private),
        ("https://[::ffff:a9fe:a9fe]/", TargetError::Private),
        ("https://[64:ff9b::7f00:1]/", TargetError::Private),
        ("https://[fe80::1]/", TargetError::Private),
        ("https://[fd00:ec2::254]/", TargetError::Private),
        ("https://localhost/", TargetError::Private),
        ("https://LOCALHOST./", TargetError::Private),
        ("https://a.localhost/", TargetError::Private),
    ];
    for (text, why) in refused {
        assert_eq!(target(text, &[]).unwrap_err(), *why, "{text}");
    }
    let long = format!("https://example.com/{}", "a".repeat(URL_BYTES));
    assert_eq!(target(&long, &[]).unwrap_err(), TargetError::Syntax);
    for text in [
        "https://example.com",
        "https://example.com:8443/hook?key=1",
        "https://8.8.8.8/",
        "https://[2606:4700:4700::1111]/",
    ] {
        assert!(target(text, &[]).is_ok(), "{text}");
    }
    // What tests are allowed opens nothing else.
    let here: IpAddr = "127.0.0.1".parse().unwrap();
    assert!(target("https://127.0.0.1:1/", &[here]).is_ok());
    assert_eq!(
        target("https://127.0.0.2:1/", &[here]).unwrap_err(),
        TargetError::Private
    );
}

/// Tries to send to a name with these addresses; nothing listens there.
async fn to_addresses(addresses: &'static [&'static str]) -> SendError {
    let egress = Egress {
        names: Names::told(|_| addresses.iter().map(|it| it.parse().unwrap()).collect()),
        patience: Duration::from_secs(30),
        ..Egress::default()
    };
    let sender = Sender::new(&egress).unwrap();
    sender
        .send(
            &WebhookId::new(),
            "https://hooks.test/a-secret-of-the-receiver",
            &Secret("key".to_owned()),
            0,
            "{}".to_owned(),
        )
        .await
        .unwrap_err()
}

#[tokio::test]
async fn checklist_ssrf_one_bad_address_among_those_of_a_name_is_enough() {
    let answers: &[&[&str]] = &[
        &["127.0.0.1"],
        &["8.8.8.8", "10.0.0.1"],
        &["10.0.0.1", "8.8.8.8"],
        &["2606:4700:4700::1111", "::1"],
        &["::ffff:169.254.169.254"],
        &["64:ff9b::a00:1"],
        &[],
    ];
    let mut said = Vec::new();
    for addresses in answers {
        let error = to_addresses(addresses).await;
        assert!(matches!(error, SendError::Address(_)), "{addresses:?}: {error:?}");
        said.push(error.to_string());
        let all = format!("{error:?}");
        assert!(!all.contains("a-secret-of-the-receiver"), "{all}");
    }
    said.dedup();
    assert_eq!(
        said.len(),
        1,
        "names that lead inside and nowhere are told apart: {said:?}"
    );
}
