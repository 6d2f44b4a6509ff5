//! How to sign in at a server: what it tells everybody who asks, before anybody is known.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a server knows people. A client pins `authority` to the hosts of the clouds that it knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "mode", rename_all = "snake_case")]
pub enum SignIn {
    /// Not at all: nobody is admitted.
    Nobody {},
    /// By the header `X-Domain-User`, on the server's own machine.
    Development {},
    /// With Microsoft Entra ID: authorization code with PKCE in the system's browser.
    Entra {
        /// `global`, `china` or `usgov`.
        cloud: String,
        /// Where to sign in: the authority of the first tenant. For another one, replace the tenant at its end.
        authority: String,
        /// The first tenant.
        tenant: String,
        /// All tenants that are admitted.
        tenants: Vec<String>,
        /// The applications that may ask for tokens; the desktop's is the first one.
        client_ids: Vec<String>,
        /// The server's own application.
        api_client_id: String,
        /// The scope to ask for.
        scope: String,
    },
}
