//! Documents: the same stock Yjs clients on both servers.

mod cold;
mod crash;
mod fan;
mod flood;
mod idle;
mod nodes;

pub(crate) use cold::cold;
pub(crate) use crash::crash;
pub(crate) use fan::fan;
pub(crate) use flood::flood;
pub(crate) use idle::idle;
pub(crate) use nodes::nodes;
