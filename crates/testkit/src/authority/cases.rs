//! The table of credentials: what a server must refuse, and with which status, and beside each group what it must accept.
//! For one form of issuers at a time, so that it is tried for each cloud.

use std::sync::Arc;

use serde_json::{Value, json};

use super::form::{Form, changed};
use super::key::Key;

mod permission;
mod proof;
mod shape;
mod time;
mod transport;

/// One request's credentials, and the status that they must get.
#[derive(Debug, Clone)]
pub struct Case {
    /// Which part of the table.
    pub group: &'static str,
    /// What is wrong, or right, with it.
    pub name: String,
    /// The headers it is sent with.
    pub headers: Vec<(&'static str, Vec<u8>)>,
    /// What it must get.
    pub status: u16,
}

/// The whole table.
#[must_use]
pub fn cases(form: &Form, now_s: u64) -> Vec<Case> {
    let mut table = Table {
        form: form.clone(),
        now_s,
        key: Key::numbered(0),
        group: "",
        cases: Vec::new(),
    };
    shape::add(&mut table);
    proof::add(&mut table);
    time::add(&mut table);
    permission::add(&mut table);
    transport::add(&mut table);
    table.cases
}

/// The key document that the table needs: the good key, and under other names the same key in forms that must not be used.
#[must_use]
pub fn documents(form: &Form) -> Value {
    let key = Key::numbered(0);
    let issuer = form.issuer_v2.replace("{tid}", "{tenantid}");
    let mut entries = vec![changed(&key.jwk(), &json!({ "issuer": issuer }))];
    for (kid, change) in proof::ODD_KEYS {
        let change: Value = serde_json::from_str(change).unwrap_or_default();
        entries.push(changed(&key.jwk(), &changed(&json!({ "kid": kid }), &change)));
    }
    // As v1 documents have them: without an issuer.
    entries.push(changed(&Key::numbered(1).jwk(), &json!({"use": null})));
    json!({ "keys": entries })
}

/// The table as it grows.
struct Table {
    form: Form,
    now_s: u64,
    key: Arc<Key>,
    group: &'static str,
    cases: Vec<Case>,
}

impl Table {
    fn v1(&self) -> Value {
        self.form.v1(self.now_s)
    }

    fn v2(&self) -> Value {
        self.form.v2(self.now_s)
    }

    /// A token that is right but for these changes of a v2 token's claims.
    fn claims(&mut self, status: u16, name: &str, change: Value) {
        let token = self.key.token(&changed(&self.v2(), &change));
        self.token(status, name, &token);
    }

    /// The same for a v1 token.
    fn old_claims(&mut self, status: u16, name: &str, change: Value) {
        let token = self.key.token(&changed(&self.v1(), &change));
        self.token(status, name, &token);
    }

    /// A token that is right but for these changes of its header.
    fn header(&mut self, status: u16, name: &str, change: Value) {
        let token = self.key.token_with(&changed(&self.key.header(), &change), &self.v2());
        self.token(status, name, &token);
    }

    /// This token.
    fn token(&mut self, status: u16, name: &str, token: &str) {
        self.headers(status, name, &[("authorization", &format!("Bearer {token}"))]);
    }

    /// These headers.
    fn headers(&mut self, status: u16, name: &str, headers: &[(&'static str, &str)]) {
        let headers = headers.iter().map(|(name, value)| (*name, value.as_bytes().to_vec()));
        self.cases.push(Case {
            group: self.group,
            name: name.to_owned(),
            headers: headers.collect(),
            status,
        });
    }
}
