//! Which addresses may be asked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Addresses that requests may go to: all public ones, and what an operator allows besides.
///
/// ```
/// use groundcontrol_webhooks::Targets;
/// let targets = Targets::allowing(vec!["10.1.0.0/16".parse().unwrap()]);
/// assert!(targets.permit("93.184.215.14".parse().unwrap()));
/// assert!(targets.permit("10.1.2.3".parse().unwrap()));
/// assert!(!targets.permit("10.2.2.3".parse().unwrap()));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Targets {
    allowed: Vec<IpNet>,
}

/// What is not public of IPv4: the special-purpose registry of RFC 6890 and its successors, and
/// addresses under which clouds tell machines their secrets.
const NOT_PUBLIC_V4: &[Ipv4Net] = &[
    v4(0, 0, 0, 0, 8),
    v4(10, 0, 0, 0, 8),
    // Shared by the customers of a carrier (CGNAT), and metadata of some clouds.
    v4(100, 64, 0, 0, 10),
    v4(127, 0, 0, 0, 8),
    // Metadata of a public address.
    v4(168, 63, 129, 16, 32),
    // Link-local, with the metadata address of most clouds.
    v4(169, 254, 0, 0, 16),
    v4(172, 16, 0, 0, 12),
    v4(192, 0, 0, 0, 24),
    v4(192, 0, 2, 0, 24),
    v4(192, 88, 99, 0, 24),
    v4(192, 168, 0, 0, 16),
    v4(198, 18, 0, 0, 15),
    v4(198, 51, 100, 0, 24),
    v4(203, 0, 113, 0, 24),
    // Multicast, reserved, broadcast.
    v4(224, 0, 0, 0, 3),
];

/// What is public of IPv6, …
const PUBLIC_V6: Ipv6Net = v6([0x2000, 0, 0], 3);
/// … but for these: special purposes and tunnels, whose end lies elsewhere, and documentation.
const NOT_PUBLIC_V6: &[Ipv6Net] = &[
    v6([0x2001, 0, 0], 23),
    v6([0x2001, 0xdb8, 0], 32),
    v6([0x2002, 0, 0], 16),
    v6([0x3fff, 0, 0], 20),
];

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(head: [u16; 3], length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(head[0], head[1], head[2], 0, 0, 0, 0, 0), length)
}

impl Targets {
    /// All public addresses, and these.
    pub fn allowing(allowed: Vec<IpNet>) -> Self {
        Self { allowed }
    }

    /// Whether `address` may be asked. An IPv4 address that is written as IPv6 counts as itself.
    pub fn permit(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.allowed.iter().any(|net| net.contains(&address)) || is_public(address)
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !NOT_PUBLIC_V4.iter().any(|net| net.contains(&address)),
        IpAddr::V6(address) => {
            PUBLIC_V6.contains(&address) && !NOT_PUBLIC_V6.iter().any(|net| net.contains(&address))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permitted(text: &str) -> bool {
        Targets::default().permit(text.parse().unwrap())
    }

    #[test]
    fn public_addresses_are_permitted() {
        for text in ["1.1.1.1", "93.184.215.14", "172.32.0.1", "100.128.0.1", "223.255.255.255"] {
            assert!(permitted(text), "{text}");
        }
        for text in ["2606:4700::1111", "2a00:1450:4001::1", "::ffff:1.1.1.1"] {
            assert!(permitted(text), "{text}");
        }
    }

    #[test]
    fn this_machine_is_refused() {
        for text in ["127.0.0.1", "127.255.0.3", "0.0.0.0", "::1", "::"] {
            assert!(!permitted(text), "{text}");
        }
    }

    #[test]
    fn private_networks_are_refused() {
        for text in
            ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fd00::1", "fc00::1"]
        {
            assert!(!permitted(text), "{text}");
        }
    }

    #[test]
    fn link_local_addresses_are_refused() {
        for text in ["169.254.0.1", "fe80::1"] {
            assert!(!permitted(text), "{text}");
        }
    }

    #[test]
    fn addresses_that_a_carriers_customers_share_are_refused() {
        for text in ["100.64.0.1", "100.127.255.255"] {
            assert!(!permitted(text), "{text}");
        }
    }

    #[test]
    fn the_metadata_of_clouds_is_refused() {
        for text in
            ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16"]
        {
            assert!(!permitted(text), "{text}");
        }
    }

    #[test]
    fn an_ipv4_address_in_ipv6_clothes_is_refused() {
        for text in [
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::a00:1",
            "2002:7f00:1::",
            "2001:0:7f00:1::",
        ] {
            assert!(!permitted(text), "{text}");
        }
    }

    #[test]
    fn multicast_broadcast_and_reserved_addresses_are_refused() {
        for text in ["224.0.0.1", "240.0.0.1", "255.255.255.255", "ff02::1", "198.18.0.1"] {
            assert!(!permitted(text), "{text}");
        }
    }

    #[test]
    fn what_an_operator_allows_is_permitted_and_nothing_beside_it() {
        let nets = ["127.0.0.0/8", "fd12::/16"].map(|net| net.parse().unwrap());
        let targets = Targets::allowing(nets.into());
        let permits = |text: &str| targets.permit(text.parse().unwrap());
        assert!(permits("127.0.0.1") && permits("::ffff:127.0.0.1") && permits("fd12::1"));
        assert!(!permits("10.0.0.1") && !permits("::1") && !permits("fd13::1"));
    }
}
