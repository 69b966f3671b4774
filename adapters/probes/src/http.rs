//! `healthcheck-http.http`: one request, and what came back.

use std::error::Error as _;
use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use reqwest::{Client, Request, Response, Url};
use rustls::{ClientConfig, RootCertStore};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;

use super::capture::{Capture, Captured};
use super::config::{self, Timeout};
use super::error::{ProbeError, SettingsError};
use super::report::millis;
use super::strategy::{Connection, Finding, Strategy, Task};

const REQUEST: &str = "healthcheck-http.request";
/// Bytes of a body that a result shows.
const MAX_SHOWN: usize = 256 * 1024;
/// Bytes of a body that are read at all.
const MAX_READ: u64 = 16 * 1024 * 1024;

/// The strategy.
#[derive(Debug)]
pub(crate) struct Http {
    client: Client,
}

#[derive(Deserialize)]
struct RequestConfig<'a> {
    url: &'a str,
    #[serde(default)]
    method: Verb,
    #[serde(borrow, default)]
    headers: Vec<Header<'a>>,
    body: Option<&'a str>,
    #[serde(default = "request_timeout")]
    timeout: Timeout,
}

#[derive(Deserialize)]
struct Header<'a> {
    name: &'a str,
    value: &'a str,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Verb {
    #[default]
    Get,
    Post,
    Put,
    Delete,
    Head,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: u16,
    status_text: String,
    response_time_ms: f64,
    body: String,
    body_length: u64,
    success: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    body_truncated: bool,
}

impl Http {
    /// A client that trusts `roots`, and connects anew for each request: a connection that was
    /// kept would hide that no other can be made.
    pub(crate) fn new(roots: &Arc<RootCertStore>) -> Result<Self, SettingsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots.clone())
            .with_no_client_auth();
        let client = Client::builder()
            .use_preconfigured_tls(tls)
            .pool_max_idle_per_host(0)
            .user_agent(concat!("groundcontrol/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client })
    }
}

#[async_trait]
impl Strategy for Http {
    fn id(&self) -> &'static str {
        "healthcheck-http.http"
    }

    fn collectors(&self) -> &'static [&'static str] {
        &[REQUEST]
    }

    fn implied(&self, config: &Value) -> Option<&'static str> {
        config.get("url").map(|_| REQUEST)
    }

    /// There is nothing to connect to before a request says where.
    async fn connect<'a>(
        &'a self,
        _config: &'a Value,
        _task: &Task<'a>,
    ) -> Result<Box<dyn Connection + 'a>, ProbeError> {
        Ok(Box::new(self))
    }
}

#[async_trait]
impl Connection for &Http {
    async fn collect(
        &self,
        _collector: &'static str,
        config: &Value,
        task: &Task<'_>,
    ) -> Result<Finding, ProbeError> {
        let config: RequestConfig<'_> = config::read(config)?;
        let request = request(&config)?;
        let began = Instant::now();
        let doing = format!("{} {}", request.method(), request.url());
        let exchange = exchange(&self.client, request, task);
        let (status, body) = task.within(config.timeout.0, || doing, exchange).await??;
        Ok(Finding::of(&Answer {
            status_code: status.as_u16(),
            status_text: status.canonical_reason().unwrap_or_default().to_owned(),
            response_time_ms: millis(began.elapsed()),
            body: body.text,
            body_length: body.seen,
            success: status.is_success() || status.is_redirection(),
            body_truncated: body.cut,
        }))
    }
}

fn request(config: &RequestConfig<'_>) -> Result<Request, ProbeError> {
    let wrong = |what: String| ProbeError::Config(what);
    let url = Url::parse(config.url).map_err(|why| wrong(format!("url: {why}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong(format!("url: {:?} is neither http nor https", url.scheme())));
    }
    let mut headers = HeaderMap::new();
    for (at, Header { name, value }) in config.headers.iter().enumerate() {
        let name = HeaderName::try_from(*name)
            .map_err(|why| wrong(format!("headers[{at}].name: {why}")))?;
        let mut value = HeaderValue::try_from(*value)
            .map_err(|why| wrong(format!("headers[{at}].value: {why}")))?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    let mut request = Request::new(config.method.into(), url);
    *request.headers_mut() = headers;
    *request.body_mut() = config.body.map(|body| body.to_owned().into());
    Ok(request)
}

async fn exchange(
    client: &Client,
    request: Request,
    task: &Task<'_>,
) -> Result<(StatusCode, Captured), ProbeError> {
    let mut response = client.execute(request).await.map_err(|why| failed(&why))?;
    let body = read(&mut response, task).await?;
    Ok((response.status(), body))
}

async fn read(response: &mut Response, task: &Task<'_>) -> Result<Captured, ProbeError> {
    let mut capture = Capture::new(MAX_SHOWN, task.masker);
    while let Some(chunk) = response.chunk().await.map_err(|why| failed(&why))? {
        capture.push(&chunk);
        if capture.seen() > MAX_READ {
            let why = format!("the answer's body is longer than {MAX_READ} bytes");
            return Err(ProbeError::Failed(why));
        }
    }
    Ok(capture.finish())
}

/// The error with its causes: the first alone says too little.
fn failed(error: &reqwest::Error) -> ProbeError {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(why) = cause {
        let why_text = why.to_string();
        if !text.contains(&why_text) {
            text = format!("{text}: {why_text}");
        }
        cause = why.source();
    }
    ProbeError::Failed(text)
}

impl From<Verb> for Method {
    fn from(verb: Verb) -> Self {
        match verb {
            Verb::Get => Self::GET,
            Verb::Post => Self::POST,
            Verb::Put => Self::PUT,
            Verb::Delete => Self::DELETE,
            Verb::Head => Self::HEAD,
        }
    }
}

fn request_timeout() -> Timeout {
    Timeout::millis(30_000)
}
