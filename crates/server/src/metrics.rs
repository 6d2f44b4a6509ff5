//! What the server counts. Numbers only: no ids, no names.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// One kind of request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    method: String,
    /// As in the table of routes, so that no id gets in.
    route: String,
    status: u16,
}

/// All counters of one node. Each part of the server counts in its own fields.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Kind, Counter<u64, AtomicU64>>,
    latency: Histogram,
    /// Live sockets that are open.
    pub live_sockets: Gauge,
    /// Document sockets that are open.
    pub document_sockets: Gauge,
    /// Documents in memory.
    pub documents: Gauge,
    /// Events taken.
    pub events: Counter,
    /// Document updates taken.
    pub updates: Counter,
    /// Tokens refused.
    pub refused_tokens: Counter,
    /// Pages read for single live sockets: those who begin, and those who cannot keep up.
    pub live_pages: Counter,
    /// Sockets closed because they did not read.
    pub slow_sockets: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("zspark");
        let metrics = Self {
            requests: Family::default(),
            latency: Histogram::new(exponential_buckets(0.001, 2.0, 14)),
            live_sockets: Gauge::default(),
            document_sockets: Gauge::default(),
            documents: Gauge::default(),
            events: Counter::default(),
            updates: Counter::default(),
            refused_tokens: Counter::default(),
            live_pages: Counter::default(),
            slow_sockets: Counter::default(),
            registry: Registry::default(),
        };
        registry.register("http_requests", "Requests answered", metrics.requests.clone());
        registry.register_with_unit(
            "http_request_duration",
            "From the first byte to the answer",
            Unit::Seconds,
            metrics.latency.clone(),
        );
        registry.register(
            "live_sockets",
            "Live sockets that are open",
            metrics.live_sockets.clone(),
        );
        registry.register(
            "document_sockets",
            "Document sockets that are open",
            metrics.document_sockets.clone(),
        );
        registry.register("documents", "Documents in memory", metrics.documents.clone());
        registry.register("events", "Events taken", metrics.events.clone());
        registry.register("document_updates", "Document updates taken", metrics.updates.clone());
        registry.register("refused_tokens", "Tokens refused", metrics.refused_tokens.clone());
        registry.register(
            "live_pages",
            "Pages read for single live sockets",
            metrics.live_pages.clone(),
        );
        registry.register(
            "slow_sockets",
            "Sockets closed because they did not read",
            metrics.slow_sockets.clone(),
        );
        Self { registry, ..metrics }
    }
}

impl Metrics {
    /// Counts an answer.
    pub(crate) fn answered(&self, method: &str, route: &str, status: u16, took: Duration) {
        let kind = Kind {
            method: method.to_owned(),
            route: route.to_owned(),
            status,
        };
        self.requests.get_or_create(&kind).inc();
        self.latency.observe(took.as_secs_f64());
    }

    /// All of it, as Prometheus reads it.
    pub(crate) fn text(&self) -> String {
        let mut page = String::new();
        if let Err(error) = text::encode(&mut page, &self.registry) {
            tracing::error!(%error, "the counters cannot be written down");
        }
        page
    }
}
