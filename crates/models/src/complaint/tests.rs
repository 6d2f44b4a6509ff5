//! What providers really say, and what is made of it.

use std::time::Duration;

use super::{Complaint, wait_in};
use crate::error::Class;

fn check(status: u16, body: &str, class: Class) {
    assert_eq!(
        Complaint::from_body(status, body).error("P").class,
        class,
        "{status} {body}"
    );
}

#[test]
fn refusals_are_told_apart() {
    check(
        401,
        r#"{"error":{"message":"Incorrect API key provided"}}"#,
        Class::Unauthorized,
    );
    check(403, "forbidden", Class::Unauthorized);
    check(402, r#"{"error":{"message":"Insufficient Balance"}}"#, Class::Quota);
    check(
        429,
        r#"{"error":{"code":"insufficient_quota","message":"You exceeded your current quota"}}"#,
        Class::Quota,
    );
    check(429, r#"{"error":{"message":"slow down"}}"#, Class::RateLimited);
    check(
        400,
        r#"{"error":{"code":"context_length_exceeded","message":"x"}}"#,
        Class::ContextOverflow,
    );
    check(
        400,
        r#"{"message":"This model's maximum context length is 32768 tokens."}"#,
        Class::ContextOverflow,
    );
    check(
        400,
        r#"{"error":{"code":"content_filter","message":"x"}}"#,
        Class::Refused,
    );
    check(404, r#"{"error":"model 'x' not found"}"#, Class::NoSuchModel);
    check(404, "404 page not found", Class::NoSuchEndpoint);
    check(
        400,
        r#"{"detail":[{"loc":["body","store"],"msg":"Extra inputs are not permitted"}]}"#,
        Class::BadRequest,
    );
    check(500, "", Class::Server);
    check(529, "overloaded", Class::Server);
}

#[test]
fn a_list_of_one_error_is_read_too() {
    let complaint = Complaint::from_body(400, r#"[{"error":{"code":400,"message":"API key not valid"}}]"#);
    assert_eq!(complaint.message, "API key not valid");
}

#[test]
fn waiting_times_are_found_in_sentences() {
    let check =
        |text: &str, millis: Option<u64>| assert_eq!(wait_in(text), millis.map(Duration::from_millis), "{text}");
    check("Rate limit reached. Please try again in 1.5s. Visit", Some(1_500));
    check("Please try again in 20ms.", Some(20));
    check("try again in 6m0s", Some(360_000));
    check("Please retry in 2 minutes", Some(120_000));
    check("Try again in 3 seconds.", Some(3_000));
    check("try again in a while", None);
    check("nothing", None);
}
