//! Which address counts.

use super::*;

#[test]
fn a_proxy_is_believed_only_if_it_is_one_of_ours() {
    let ours: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap(), "127.0.0.1/32".parse().unwrap()];
    let check = |peer: &str, forwarded: &[&str], expect: &str, hidden: bool| {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        let found = client(peer.parse().unwrap(), &headers, &ours);
        let address = expect.parse().unwrap();
        assert_eq!(found, Client { address, hidden }, "{peer} {forwarded:?}");
    };
    check("192.0.2.9", &[], "192.0.2.9", false);
    check("192.0.2.9", &["198.51.100.1"], "192.0.2.9", true);
    check("127.0.0.1", &[], "127.0.0.1", false);
    check("127.0.0.1", &["198.51.100.1"], "198.51.100.1", false);
    check("127.0.0.1", &["127.0.0.1, 198.51.100.1"], "198.51.100.1", false);
    check(
        "127.0.0.1",
        &["203.0.113.5, 198.51.100.1, 10.1.2.3"],
        "198.51.100.1",
        false,
    );
    check(
        "127.0.0.1",
        &["203.0.113.5", "198.51.100.1", "10.1.2.3"],
        "198.51.100.1",
        false,
    );
    check("::ffff:127.0.0.1", &["2001:db8::1"], "2001:db8::1", false);
    check("127.0.0.1", &["unknown"], "127.0.0.1", true);
    check("10.0.0.1", &["10.0.0.2"], "10.0.0.2", false);
}
