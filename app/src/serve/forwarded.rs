//! Who is really there, where a trusted proxy stands between.

use std::net::IpAddr;

use http::HeaderMap;
use ipnet::IpNet;

/// The address of the peer, or, behind trusted proxies, the last address in `X-Forwarded-For`
/// that is not one of theirs. What comes from elsewhere proves nothing and is not read.
pub(super) fn remote_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|net| net.contains(&address));
    let mut remote = peer.to_canonical();
    let named = headers.get_all("x-forwarded-for").iter().filter_map(|v| v.to_str().ok());
    let hops: Vec<&str> = named.flat_map(|line| line.split(',')).collect();
    for hop in hops.iter().rev() {
        if !is_trusted(remote) {
            break;
        }
        match parse(hop.trim()) {
            Some(address) => remote = address.to_canonical(),
            None => break,
        }
    }
    remote
}

/// An address, with or without a port.
fn parse(hop: &str) -> Option<IpAddr> {
    let bare = hop.trim_start_matches('[').trim_end_matches(']');
    bare.parse().ok().or_else(|| hop.parse::<std::net::SocketAddr>().ok().map(|a| a.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        remote_address(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn an_untrusted_peer_cannot_name_another_address() {
        assert_eq!(remote("203.0.113.9", &["198.51.100.1"], &["10.0.0.0/8"]), "203.0.113.9");
    }

    #[test]
    fn the_last_hop_that_is_no_trusted_proxy_counts() {
        let lines = ["1.1.1.1, 198.51.100.1", "10.0.0.2"];
        assert_eq!(remote("10.0.0.3", &lines, &["10.0.0.0/8"]), "198.51.100.1");
    }

    #[test]
    fn ports_and_mapped_addresses_are_understood_and_nonsense_is_not_believed() {
        assert_eq!(
            remote("::ffff:10.0.0.3", &["198.51.100.1:99"], &["10.0.0.0/8"]),
            "198.51.100.1"
        );
        assert_eq!(remote("10.0.0.3", &["unknown"], &["10.0.0.0/8"]), "10.0.0.3");
    }
}
