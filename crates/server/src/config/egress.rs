//! Where the server goes by itself when it sends webhooks, and with how much patience.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// How webhooks are sent. Only tests have another one than the default.
#[derive(Debug, Clone, PartialEq)]
pub struct Egress {
    /// Addresses that are allowed besides public ones.
    pub allowed: Vec<IpAddr>,
    /// A certificate (DER) that is trusted besides the system's.
    pub root: Option<Vec<u8>>,
    /// Who resolves names.
    pub names: Names,
    /// For one attempt: resolving, connecting, TLS, and the answer.
    pub patience: Duration,
    /// How long to wait after the first failure, the second, and so on. After the last one it is given up.
    pub retries: Vec<Duration>,
}

impl Default for Egress {
    fn default() -> Self {
        Self {
            allowed: Vec::new(),
            root: None,
            names: Names::default(),
            patience: Duration::from_secs(5),
            retries: [10, 60, 600, 3600, 6 * 3600].map(Duration::from_secs).to_vec(),
        }
    }
}

/// Resolves names; the system does unless said.
#[derive(Clone, Default)]
pub struct Names(Option<Arc<Lookup>>);

type Lookup = dyn Fn(&str) -> Vec<IpAddr> + Send + Sync;

impl Names {
    /// As `lookup` says.
    pub fn told(lookup: impl Fn(&str) -> Vec<IpAddr> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(lookup)))
    }

    /// All addresses of a name.
    pub(crate) async fn addresses(&self, name: &str) -> std::io::Result<Vec<IpAddr>> {
        match &self.0 {
            Some(lookup) => Ok(lookup(name)),
            None => Ok(tokio::net::lookup_host((name, 0)).await?.map(|it| it.ip()).collect()),
        }
    }
}

impl PartialEq for Names {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            (Some(one), Some(another)) => Arc::ptr_eq(one, another),
            (None, Some(_)) | (Some(_), None) => false,
        }
    }
}

impl std::fmt::Debug for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() {
            "Names(told)"
        } else {
            "Names(system)"
        })
    }
}
