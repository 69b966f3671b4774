//! `healthcheck-dns.dns`: what a name server knows of a name.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use async_trait::async_trait;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::{DnsError, NetError, runtime::TokioRuntimeProvider};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;

use super::config;
use super::error::ProbeError;
use super::report::millis;
use super::strategy::{Connection, Finding, Strategy, Task};

/// The port of name servers.
const PORT: u16 = 53;
/// How long one name server may take before it is asked again.
const ATTEMPT: Duration = Duration::from_secs(5);

/// The strategy.
#[derive(Debug)]
pub(crate) struct Dns;

#[derive(Deserialize)]
struct Server {
    nameserver: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LookupConfig {
    hostname: String,
    #[serde(default)]
    record_type: Kind,
    nameserver: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Kind {
    #[default]
    A,
    Aaaa,
    Cname,
    Mx,
    Txt,
    Ns,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    values: Vec<String>,
    record_count: usize,
    resolution_time_ms: f64,
}

struct Asked {
    nameserver: Option<String>,
}

#[async_trait]
impl Strategy for Dns {
    fn id(&self) -> &'static str {
        "healthcheck-dns.dns"
    }

    fn collectors(&self) -> &'static [&'static str] {
        &["healthcheck-dns.lookup"]
    }

    /// Nothing is asked yet: a lookup may name a server of its own.
    async fn connect<'a>(
        &'a self,
        config: &'a Value,
        _task: &Task<'a>,
    ) -> Result<Box<dyn Connection + 'a>, ProbeError> {
        let Server { nameserver } = config::read(config)?;
        Ok(Box::new(Asked { nameserver }))
    }
}

#[async_trait]
impl Connection for Asked {
    async fn collect(
        &self,
        _collector: &'static str,
        config: &Value,
        task: &Task<'_>,
    ) -> Result<Finding, ProbeError> {
        let LookupConfig { hostname, record_type, nameserver } = config::read(config)?;
        let server = nameserver.as_ref().or(self.nameserver.as_ref());
        let resolver = resolver(server.map(String::as_str), task).await?;
        let name = name(&hostname)?;
        let kind = RecordType::from(record_type);
        let began = Instant::now();
        let doing = || format!("looking up {kind} of {hostname}");
        let answer = task.within(task.left(), doing, resolver.lookup(name, kind)).await?;
        let took = millis(began.elapsed());
        let (values, error) = match answer {
            Ok(lookup) => (values(&lookup, kind), None),
            Err(NetError::Dns(DnsError::NoRecordsFound(none))) => {
                let why = format!("{hostname} has no {kind} record ({})", none.response_code);
                (Vec::new(), Some(why))
            }
            Err(why) => {
                (Vec::new(), Some(format!("could not look up {kind} of {hostname}: {why}")))
            }
        };
        let found = Found { record_count: values.len(), values, resolution_time_ms: took };
        Ok(Finding::of(&found).failed(error))
    }
}

/// The whole name: neither the machine's search list nor its hosts file has a say.
fn name(hostname: &str) -> Result<Name, ProbeError> {
    let wrong = |why: String| ProbeError::Config(format!("hostname: {hostname:?}: {why}"));
    if hostname.trim().is_empty() {
        return Err(wrong("it is empty".to_owned()));
    }
    let mut name = Name::from_utf8(hostname).map_err(|why| wrong(why.to_string()))?;
    name.set_fqdn(true);
    Ok(name)
}

async fn resolver(server: Option<&str>, task: &Task<'_>) -> Result<TokioResolver, ProbeError> {
    let failed = |why: NetError| ProbeError::Failed(format!("could not set up a resolver: {why}"));
    let mut builder = match server {
        None => TokioResolver::builder_tokio().map_err(failed)?,
        Some(server) => {
            let config = only(address(server, task).await?);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
    };
    let options: &mut ResolverOpts = builder.options_mut();
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    options.timeout = ATTEMPT.min(task.left());
    builder.build().map_err(failed)
}

/// The one server to ask.
fn only(server: SocketAddr) -> ResolverConfig {
    let at = |mut connection: ConnectionConfig| {
        connection.port = server.port();
        connection
    };
    let connections = vec![at(ConnectionConfig::udp()), at(ConnectionConfig::tcp())];
    let server = NameServerConfig::new(server.ip(), true, connections);
    ResolverConfig::from_name_servers(vec![server])
}

/// `1.1.1.1`, `[::1]:5353`, or a name, which this machine resolves.
async fn address(server: &str, task: &Task<'_>) -> Result<SocketAddr, ProbeError> {
    if let Ok(ip) = server.parse::<IpAddr>() {
        return Ok(SocketAddr::new(ip, PORT));
    }
    if let Ok(address) = server.parse() {
        return Ok(address);
    }
    let doing = || format!("resolve the name server {server}");
    let found = task.within(task.left(), doing, tokio::net::lookup_host((server, PORT))).await?;
    found
        .map_err(|why| ProbeError::Io { doing: doing(), why })?
        .next()
        .ok_or_else(|| ProbeError::Failed(format!("the name server {server} has no address")))
}

/// The values of one kind: an answer may hold the aliases that led there as well.
fn values(lookup: &Lookup, kind: RecordType) -> Vec<String> {
    let records = lookup.answers().iter().filter(|record| record.record_type() == kind);
    records.map(|record| value(&record.data)).collect()
}

fn value(data: &RData) -> String {
    match data {
        RData::A(address) => address.0.to_string(),
        RData::AAAA(address) => address.0.to_string(),
        RData::CNAME(name) => plain(&name.0),
        RData::NS(name) => plain(&name.0),
        RData::MX(mx) => format!("{} {}", mx.preference, plain(&mx.exchange)),
        RData::TXT(txt) => {
            txt.txt_data.iter().map(|piece| String::from_utf8_lossy(piece)).collect()
        }
        other => other.to_string(),
    }
}

/// A name without the dot at its end.
fn plain(name: &Name) -> String {
    name.to_utf8().trim_end_matches('.').to_owned()
}

impl From<Kind> for RecordType {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::A => Self::A,
            Kind::Aaaa => Self::AAAA,
            Kind::Cname => Self::CNAME,
            Kind::Mx => Self::MX,
            Kind::Txt => Self::TXT,
            Kind::Ns => Self::NS,
        }
    }
}
