//! `healthcheck-ping.ping`: ICMP echo, where this process may send it.

use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use surge_ping::{Client, ICMP, PingIdentifier, PingSequence, SurgeError};
use tokio::time::sleep;

use super::config::{self, Timeout};
use super::error::ProbeError;
use super::report::millis;
use super::strategy::{Connection, Finding, Strategy, Task};

/// Between two packets.
const GAP: Duration = Duration::from_millis(200);
/// What a packet carries: as many bytes as other programs of this name send.
const PAYLOAD: [u8; 56] = [0; 56];

/// The strategy.
#[derive(Debug)]
pub(crate) struct Ping;

#[derive(Deserialize)]
struct PingConfig {
    host: String,
    #[serde(default = "three", deserialize_with = "count")]
    count: u16,
    #[serde(default = "ping_timeout")]
    timeout: Timeout,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Echo {
    packets_sent: usize,
    packets_received: usize,
    packet_loss: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_latency: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    avg_latency: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_latency: Option<f64>,
}

#[async_trait]
impl Strategy for Ping {
    fn id(&self) -> &'static str {
        "healthcheck-ping.ping"
    }

    fn collectors(&self) -> &'static [&'static str] {
        &["healthcheck-ping.ping"]
    }

    /// There is nothing to connect to: each collector names its host.
    async fn connect<'a>(
        &'a self,
        _config: &'a Value,
        _task: &Task<'a>,
    ) -> Result<Box<dyn Connection + 'a>, ProbeError> {
        Ok(Box::new(Ping))
    }
}

#[async_trait]
impl Connection for Ping {
    async fn collect(
        &self,
        _collector: &'static str,
        config: &Value,
        task: &Task<'_>,
    ) -> Result<Finding, ProbeError> {
        let PingConfig { host, count, timeout } = config::read(config)?;
        let address = resolve(&host, task).await?;
        let client = client(address)?;
        let patience = timeout.0.min(task.left());
        let echoes = (0..count).map(|seq| echo(&client, address, seq, patience));
        let mut latencies = Vec::new();
        for answer in join_all(echoes).await {
            latencies.extend(answer?);
        }
        let found = Echo::of(usize::from(count), &latencies);
        let lost = latencies.is_empty().then(|| format!("{host} ({address}) did not answer"));
        Ok(Finding::of(&found).failed(lost))
    }
}

/// The first address of `host`.
async fn resolve(host: &str, task: &Task<'_>) -> Result<IpAddr, ProbeError> {
    let doing = || format!("resolve {host}");
    let found = task.within(task.left(), doing, tokio::net::lookup_host((host, 0))).await?;
    let first = found.map_err(|why| ProbeError::Io { doing: doing(), why })?.next();
    first
        .map(|address| address.ip())
        .ok_or_else(|| ProbeError::Failed(format!("{host} has no address")))
}

/// An unprivileged socket for ICMP, or a raw one.
fn client(address: IpAddr) -> Result<Client, ProbeError> {
    let kind = if address.is_ipv4() { ICMP::V4 } else { ICMP::V6 };
    let datagrams = surge_ping::Config::builder().kind(kind).build();
    Client::new(&datagrams).map_err(|why| match why.kind() {
        io::ErrorKind::PermissionDenied => ProbeError::Failed(
            "this agent may not send ICMP: let its group into the sysctl net.ipv4.ping_group_range, \
             or give its process CAP_NET_RAW"
                .to_owned(),
        ),
        _ => ProbeError::Io { doing: "open a socket for ICMP".to_owned(), why },
    })
}

/// How long the answer to one packet took, if one came in time.
async fn echo(
    client: &Client,
    host: IpAddr,
    seq: u16,
    patience: Duration,
) -> Result<Option<Duration>, ProbeError> {
    sleep(GAP * u32::from(seq)).await;
    let mut pinger = client.pinger(host, PingIdentifier(next_identifier())).await;
    pinger.timeout(patience);
    match pinger.ping(PingSequence(seq), &PAYLOAD).await {
        Ok((_, latency)) => Ok(Some(latency)),
        Err(SurgeError::Timeout { .. }) => Ok(None),
        Err(SurgeError::IOError(why)) => {
            Err(ProbeError::Io { doing: format!("send an echo request to {host}"), why })
        }
        Err(why) => Err(ProbeError::Failed(format!("could not ping {host}: {why}"))),
    }
}

/// A raw socket hears the answers to everybody's packets: these tell ours from the others.
fn next_identifier() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let own = std::process::id().to_le_bytes();
    u16::from_le_bytes([own[0], own[1]]).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed))
}

impl Echo {
    fn of(sent: usize, latencies: &[Duration]) -> Self {
        let received = latencies.len();
        let lost = sent.saturating_sub(received) as f64;
        let average = latencies.iter().sum::<Duration>().checked_div(received as u32);
        Self {
            packets_sent: sent,
            packets_received: received,
            packet_loss: (lost / sent as f64 * 10_000.0).round() / 100.0,
            min_latency: latencies.iter().min().copied().map(millis),
            avg_latency: average.map(millis),
            max_latency: latencies.iter().max().copied().map(millis),
        }
    }
}

fn count<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    let number = config::whole(deserializer)?;
    u16::try_from(number).ok().filter(|count| (1..=10).contains(count)).ok_or_else(|| {
        let number = serde::de::Unexpected::Unsigned(number);
        serde::de::Error::invalid_value(number, &"1 to 10 packets")
    })
}

fn three() -> u16 {
    3
}

fn ping_timeout() -> Timeout {
    Timeout::millis(5_000)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(sent: usize, latencies: &[u64]) -> Value {
        let latencies: Vec<_> = latencies.iter().map(|&ms| Duration::from_millis(ms)).collect();
        serde_json::to_value(Echo::of(sent, &latencies)).unwrap()
    }

    #[test]
    fn latencies_are_told_of_packets_that_came_back() {
        assert_eq!(
            found(3, &[10, 30]),
            json!({
                "packetsSent": 3, "packetsReceived": 2, "packetLoss": 33.33,
                "minLatency": 10.0, "avgLatency": 20.0, "maxLatency": 30.0,
            })
        );
    }

    #[test]
    fn where_nothing_came_back_there_is_no_latency() {
        let expected = json!({"packetsSent": 2, "packetsReceived": 0, "packetLoss": 100.0});
        assert_eq!(found(2, &[]), expected);
    }
}
