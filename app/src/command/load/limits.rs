//! Whether this machine can hold so many connections at all.

use anyhow::bail;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that a process has open beside its connections.
const BESIDE: u64 = 100;
/// Where Linux says which ports outgoing connections may have.
const PORT_RANGE: &str = "/proc/sys/net/ipv4/ip_local_port_range";

/// Makes room for `connections`, or says what is in the way.
pub(super) fn make_room(connections: u64) -> anyhow::Result<()> {
    let needed = connections.saturating_add(BESIDE);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_some_and(|current| current < needed) {
        if let Some(most) = maximum
            && most < needed
        {
            bail!(
                "{connections} connections need {needed} open files, but this process may have \
                 {most} at most; raise that (ulimit -Hn {needed} as root, or LimitNOFILE in the \
                 service) or pass a smaller --satellites. The server needs as many"
            );
        }
        setrlimit(Resource::Nofile, Rlimit { current: Some(needed), maximum })?;
    }
    let ports = std::fs::read_to_string(PORT_RANGE).ok().as_deref().and_then(ports);
    if let Some(ports) = ports
        && ports < connections
    {
        bail!(
            "{connections} connections to one address need as many local ports, but there are \
             {ports}; widen {PORT_RANGE} or pass a smaller --satellites"
        );
    }
    Ok(())
}

/// The number of ports in a range such as `32768 60999`.
fn ports(range: &str) -> Option<u64> {
    let mut ends = range.split_whitespace().map(str::parse::<u64>);
    let (first, last) = (ends.next()?.ok()?, ends.next()?.ok()?);
    Some(last.saturating_sub(first) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_connections_than_the_system_allows_are_refused_with_the_way_out() {
        let error = make_room(u64::MAX / 2).unwrap_err().to_string();
        assert!(error.contains("raise that") || error.contains("widen"), "{error}");
    }

    #[test]
    fn a_port_range_counts_both_ends() {
        assert_eq!(ports("32768\t60999\n"), Some(28_232));
        assert_eq!(ports("nonsense"), None);
    }
}
