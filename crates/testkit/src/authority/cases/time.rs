//! When a token counts, with clocks that may differ by a minute.

use serde_json::{Value, json};

use super::Table;

pub(super) fn add(table: &mut Table) {
    table.group = "time";
    let now = table.now_s;
    table.claims(
        200,
        "begun just now",
        json!({"nbf": now, "iat": now, "exp": now + 3600}),
    );
    table.claims(
        200,
        "ended within the skew",
        json!({"nbf": now - 3600, "iat": now - 3600, "exp": now - 30}),
    );
    table.claims(
        200,
        "begins within the skew",
        json!({"nbf": now + 30, "iat": now + 30, "exp": now + 3600}),
    );
    table.claims(
        200,
        "of continuous access evaluation",
        json!({"nbf": now, "iat": now, "exp": now + 28 * 3600}),
    );
    for (name, change) in [
        (
            "ended a moment past the skew",
            json!({"nbf": now - 3600, "iat": now - 3600, "exp": now - 60}),
        ),
        (
            "ended an hour ago",
            json!({"nbf": now - 7200, "iat": now - 7200, "exp": now - 3600}),
        ),
        ("begins in two minutes", json!({"nbf": now + 120})),
        ("issued in two minutes", json!({"iat": now + 120})),
        ("lasts for 31 hours", json!({"exp": now + 31 * 3600})),
        ("lasts for years", json!({"exp": now + 10 * 365 * 86400})),
        ("ends before it was issued", json!({"iat": now + 30, "exp": now + 20})),
        ("ends before it begins", json!({"nbf": now + 30, "exp": now + 20})),
        ("has no end", json!({"exp": null})),
        ("has no beginning", json!({"nbf": null})),
        ("was never issued", json!({"iat": null})),
        ("has an end in text", json!({"exp": (now + 3600).to_string()})),
        ("has an end with a fraction", json!({"exp": now as f64 + 3600.5})),
        ("has an end before all time", json!({"exp": -1})),
        ("has an end after all time", json!({"exp": u64::MAX})),
        (
            "has an end in milliseconds",
            json!({"exp": (now + 3600) * 1000, "iat": now * 1000, "nbf": now * 1000}),
        ),
        ("has an end that is true", json!({"exp": true})),
        ("has an end that is a list", json!({"exp": [now + 3600]})),
        ("has a beginning in text", json!({"nbf": now.to_string()})),
        ("has a beginning before all time", json!({"nbf": -5})),
        ("was issued in text", json!({"iat": now.to_string()})),
        ("was issued before all time", json!({"iat": -5})),
        ("was issued long ago", json!({"iat": 0})),
    ] {
        table.claims(401, name, change);
    }
    table.old_claims(
        401,
        "ended an hour ago, in v1",
        json!({"nbf": now - 7200, "iat": now - 7200, "exp": now - 3600}),
    );
    table.old_claims(401, "has no end, in v1", json!({"exp": Value::Null}));
}
