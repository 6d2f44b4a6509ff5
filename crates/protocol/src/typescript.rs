//! `ui/src/protocol.ts`: this crate's types in TypeScript, in one file.

use std::any::TypeId;
use std::collections::BTreeMap;

use ts_rs::{Config, TS, TypeVisitor};

use crate::{event, host, request};

/// Sees every method of the table.
pub(crate) trait Visit {
    /// One method.
    fn method<P: TS + 'static, A: TS + 'static>(&mut self, name: &'static str);
}

struct Collector {
    config: Config,
    seen: std::collections::HashSet<TypeId>,
    declarations: BTreeMap<String, String>,
    methods: String,
}

impl TypeVisitor for Collector {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        if !self.seen.insert(TypeId::of::<T>()) {
            return;
        }
        T::visit_dependencies(self);
        T::visit_generics(self);
        if T::output_path().is_none() {
            return;
        }
        let name = T::ident(&self.config);
        let docs = T::docs().unwrap_or_default();
        self.declarations
            .insert(name, format!("{docs}export {}\n", T::decl(&self.config)));
    }
}

impl Visit for Collector {
    fn method<P: TS + 'static, A: TS + 'static>(&mut self, name: &'static str) {
        self.visit::<P>();
        self.visit::<A>();
        self.methods.push_str(&format!(
            "  \"{name}\": {{ params: {}; answer: {} }};\n",
            P::name(&self.config),
            A::name(&self.config)
        ));
    }
}

/// The whole file.
#[must_use]
pub fn protocol_ts() -> String {
    let mut it = Collector {
        config: Config::new().with_large_int("number"),
        seen: std::collections::HashSet::new(),
        declarations: BTreeMap::new(),
        methods: String::new(),
    };
    it.visit::<event::Topic>();
    it.visit::<event::Frame>();
    it.visit::<host::HostRequest>();
    it.visit::<host::HostInfo>();
    it.visit::<host::Preview>();
    it.visit::<host::HostEvent>();
    it.visit::<crate::failure::Failure>();
    request::each_method(&mut it);
    let mut out = String::from(
        "// The vocabulary of zspark, generated from crates/protocol.\n\
         // Do not edit: `cargo test -p protocol` writes it anew and fails when it was stale.\n\n",
    );
    for declaration in it.declarations.values() {
        out.push_str(declaration);
        out.push('\n');
    }
    out.push_str("/** Every method of the engine: its params and its answer. */\nexport interface Methods {\n");
    out.push_str(&it.methods);
    out.push_str("}\n");
    out
}
