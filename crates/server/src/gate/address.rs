//! From where a request comes. What a proxy says is believed only if the proxy is one of ours.

use std::net::{IpAddr, Ipv4Addr};

use axum::http::{Extensions, HeaderMap};
use ipnet::IpNet;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The client of a request, put into it by the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// Its address.
    pub address: IpAddr,
    /// A proxy that is none of ours stands between: the address is the proxy's.
    pub hidden: bool,
}

/// The client's address, as the gate found it.
#[must_use]
pub fn of(extensions: &Extensions) -> IpAddr {
    let client = extensions.get::<Client>();
    client.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |it| it.address)
}

/// Walks back along `X-Forwarded-For`, from the proxy that talks to us, as long as the proxies are ours.
pub(super) fn client(peer: IpAddr, headers: &HeaderMap, ours: &[IpNet]) -> Client {
    let is_ours = |address: IpAddr| ours.iter().any(|it| it.contains(&address));
    let mut address = peer.to_canonical();
    let mut hops: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .flat_map(|it| it.to_str().unwrap_or("?").split(','))
        .collect();
    while is_ours(address) {
        let Some(hop) = hops.pop() else {
            return Client { address, hidden: false };
        };
        match hop.trim().parse::<IpAddr>() {
            Ok(before) => address = before.to_canonical(),
            Err(_) => return Client { address, hidden: true },
        }
    }
    // What stands further left was written by the client itself, unless a proxy we do not know wrote it.
    Client {
        address,
        hidden: address == peer.to_canonical() && headers.contains_key(FORWARDED_FOR),
    }
}

#[cfg(test)]
mod tests;
