//! `healthcheck-tcp.tcp`: whether somebody listens, and what they say first.

use std::io;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::capture::Capture;
use super::config::{self, Timeout};
use super::error::ProbeError;
use super::report::millis;
use super::strategy::{Connection, Finding, Strategy, Task};

/// Bytes of a banner that are read.
const MAX_BANNER: usize = 4 * 1024;

/// The strategy.
#[derive(Debug)]
pub(crate) struct Tcp;

#[derive(Deserialize)]
struct Target {
    host: String,
    #[serde(deserialize_with = "config::port")]
    port: u16,
}

#[derive(Deserialize)]
struct BannerConfig {
    #[serde(default = "banner_timeout")]
    timeout: Timeout,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Banner {
    #[serde(skip_serializing_if = "Option::is_none")]
    banner: Option<String>,
    has_banner: bool,
    read_time_ms: f64,
}

/// An open connection, whose banner is read once whoever asks.
struct Open {
    stream: Mutex<(TcpStream, Vec<u8>)>,
}

#[async_trait]
impl Strategy for Tcp {
    fn id(&self) -> &'static str {
        "healthcheck-tcp.tcp"
    }

    fn collectors(&self) -> &'static [&'static str] {
        &["healthcheck-tcp.banner"]
    }

    async fn connect<'a>(
        &'a self,
        config: &'a Value,
        task: &Task<'a>,
    ) -> Result<Box<dyn Connection + 'a>, ProbeError> {
        let Target { host, port } = config::read(config)?;
        let stream = connect(&host, port, task).await?;
        Ok(Box::new(Open { stream: Mutex::new((stream, Vec::new())) }))
    }
}

/// Connects to the first address of `host` that answers.
pub(crate) async fn connect(
    host: &str,
    port: u16,
    task: &Task<'_>,
) -> Result<TcpStream, ProbeError> {
    let doing = || format!("connect to {host} port {port}");
    let connected = task.within(task.left(), doing, TcpStream::connect((host, port))).await?;
    connected.map_err(|why| ProbeError::Io { doing: doing(), why })
}

#[async_trait]
impl Connection for Open {
    async fn collect(
        &self,
        _collector: &'static str,
        config: &Value,
        task: &Task<'_>,
    ) -> Result<Finding, ProbeError> {
        let BannerConfig { timeout } = config::read(config)?;
        let began = Instant::now();
        let banner = self.banner(timeout.0, task).await?;
        let mut capture = Capture::new(MAX_BANNER, task.masker);
        capture.push(&banner);
        let text = capture.finish().text;
        let banner = (!text.is_empty()).then_some(text);
        let has_banner = banner.is_some();
        Ok(Finding::of(&Banner { banner, has_banner, read_time_ms: millis(began.elapsed()) }))
    }
}

impl Open {
    /// What the peer says first; empty where it says nothing in time, which is no failure.
    async fn banner(&self, limit: Duration, task: &Task<'_>) -> Result<Vec<u8>, ProbeError> {
        let mut guard = self.stream.lock().await;
        let (stream, read) = &mut *guard;
        if read.is_empty() {
            let mut buffer = vec![0; MAX_BANNER];
            let doing = || "reading the banner".to_owned();
            match task.within(limit, doing, stream.read(&mut buffer)).await {
                Ok(Ok(bytes)) => read.extend_from_slice(&buffer[..bytes]),
                Ok(Err(why)) if why.kind() == io::ErrorKind::ConnectionReset => {}
                Ok(Err(why)) => {
                    return Err(ProbeError::Io { doing: "read the banner".to_owned(), why });
                }
                Err(_) => {}
            }
        }
        Ok(read.clone())
    }
}

fn banner_timeout() -> Timeout {
    Timeout::millis(5_000)
}
