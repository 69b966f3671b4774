//! One attempt: encode, sign, dial what may be dialled, read the beginning of the answer.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use groundcontrol_core::automation::{Answer, WebhookUrl};
use groundcontrol_core::limits::{
    MAX_WEBHOOK_RESPONSE, WEBHOOK_ANSWER_WITHIN, WEBHOOK_CONNECT_WITHIN,
};
use groundcontrol_core::ports::{
    AttemptSeen, EncodedEvent, EventEncoder, OutgoingWebhook, SendReport, WebhookSender,
};
use groundcontrol_core::time::Millis;
use http::header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Response, Url, redirect};
use rustls::ClientConfig;

use crate::refusal::in_words;
use crate::sign::signatures;
use crate::target::Targets;

/// Finds the addresses of a name; the system's resolver unless a test says otherwise.
pub type Lookup = Arc<
    dyn Fn(String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> + Send + Sync,
>;

/// How requests are made.
#[derive(Clone)]
pub struct WebhookSettings {
    /// Where they may go.
    pub targets: Targets,
    /// The time for a whole attempt. Less than the lease under which it is made, so that two pods
    /// do not deliver at the same time.
    pub answer_within: Duration,
    /// How names become addresses.
    pub lookup: Lookup,
}

impl Default for WebhookSettings {
    fn default() -> Self {
        Self {
            targets: Targets::default(),
            answer_within: WEBHOOK_ANSWER_WITHIN.into(),
            lookup: Arc::new(|name| Box::pin(system_lookup(name))),
        }
    }
}

/// Why no requests can be made.
#[derive(Debug, thiserror::Error)]
#[error("could not set up requests to webhooks: {0}")]
pub struct SetupError(String);

/// Makes requests to receivers. Follows no redirect, uses no proxy, keeps connections.
pub struct WebhookClient {
    http: Client,
    encoder: Arc<dyn EventEncoder>,
    targets: Targets,
}

impl WebhookClient {
    /// A client that trusts whom `tls` trusts, and writes events as `encoder` does.
    pub fn new(
        encoder: Arc<dyn EventEncoder>,
        tls: ClientConfig,
        settings: WebhookSettings,
    ) -> Result<Self, SetupError> {
        let targets = settings.targets.clone();
        let resolver = Guarded { targets: settings.targets, lookup: settings.lookup };
        let http = Client::builder()
            .use_preconfigured_tls(tls)
            .dns_resolver(Arc::new(resolver))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(WEBHOOK_CONNECT_WITHIN.into())
            .timeout(settings.answer_within)
            .build()
            .map_err(|why| SetupError(why.to_string()))?;
        Ok(Self { http, encoder, targets })
    }

    /// The URL, unless it names an address that may not be asked.
    fn target(&self, url: &WebhookUrl) -> Result<Url, String> {
        let url = Url::parse(url.as_str()).map_err(|why| format!("is no URL: {why}"))?;
        let host = url.host_str().unwrap_or_default();
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        match literal {
            Ok(address) if !self.targets.permit(address) => Err(forbidden(address)),
            Ok(_) | Err(_) => Ok(url),
        }
    }

    async fn attempt(&self, request: &OutgoingWebhook) -> Result<Response, String> {
        let url = self.target(&request.url)?;
        let encoded = self.encoder.encode(&request.notice, request.mode)?;
        let headers = headers(request, &encoded)?;
        let sent = self.http.post(url).headers(headers).body(encoded.body).send().await;
        sent.map_err(|why| in_words(&why))
    }
}

fn forbidden(address: IpAddr) -> String {
    format!(
        "{address} is not a public address, and requests there are not allowed; an operator allows \
         them with --webhook-allow"
    )
}

#[async_trait]
impl WebhookSender for WebhookClient {
    fn refuses(&self, url: &WebhookUrl) -> Option<String> {
        self.target(url).err()
    }

    async fn send(&self, request: OutgoingWebhook) -> SendReport {
        let began = Instant::now();
        let answered = self.attempt(&request).await;
        let (answer, status, response, error) = match answered {
            Err(why) => (Answer::Failed { retry_after: None }, None, None, Some(why)),
            Ok(response) => {
                let (status, meaning) = (response.status(), meaning(&response));
                let (body, broke) = beginning(response).await;
                let body = hidden(body, &request);
                (meaning, Some(status.as_u16()), Some(body), broke)
            }
        };
        let latency = Millis::from(began.elapsed());
        let error = error.map(|error| hidden(error, &request));
        SendReport { answer, seen: AttemptSeen { status, latency, response, error } }
    }
}

fn meaning(response: &Response) -> Answer {
    match response.status() {
        status if status.is_success() => Answer::Accepted,
        StatusCode::GONE => Answer::Gone,
        _ => {
            let asked = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            let seconds = asked.and_then(|text| text.trim().parse().ok());
            Answer::Failed { retry_after: seconds.map(Millis::from_secs) }
        }
    }
}

/// The beginning of a body, and what broke it off.
async fn beginning(mut response: Response) -> (String, Option<String>) {
    let mut kept: Vec<u8> = Vec::new();
    let mut broke = None;
    while kept.len() < MAX_WEBHOOK_RESPONSE {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                let room = MAX_WEBHOOK_RESPONSE - kept.len();
                kept.extend_from_slice(&chunk[..chunk.len().min(room)]);
            }
            Ok(None) => break,
            Err(why) => {
                broke = Some(in_words(&why));
                break;
            }
        }
    }
    // NUL is no text for a database.
    (String::from_utf8_lossy(&kept).replace('\0', "\u{fffd}"), broke)
}

/// `text` without the values of the request's headers, should a receiver have sent them back.
fn hidden(text: String, request: &OutgoingWebhook) -> String {
    let values = request.headers.expose().map(|(_, value)| value);
    values.fold(text, |text, value| text.replace(value, "•••"))
}

fn headers(request: &OutgoingWebhook, encoded: &EncodedEvent) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in request.headers.expose() {
        let name = HeaderName::try_from(name).map_err(|_| format!("{name:?} is no header"))?;
        let mut value =
            HeaderValue::from_str(value).map_err(|_| format!("{name} has no header's value"))?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    for (name, value) in &encoded.attributes {
        let name = HeaderName::try_from(format!("ce-{name}"));
        let name = name.map_err(|_| "an attribute's name is no header's".to_owned())?;
        headers.insert(name, ascii(&percent_encoded(value)));
    }
    let (id, seconds) = (&request.notice.id(), request.at.as_millis().div_euclid(1_000));
    let signed = signatures(&request.secrets, id, seconds, &encoded.body);
    let own = concat!("groundcontrol/", env!("CARGO_PKG_VERSION"));
    headers.insert(USER_AGENT, HeaderValue::from_static(own));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(encoded.content_type));
    headers.insert(HeaderName::from_static("webhook-id"), ascii(id));
    headers.insert(HeaderName::from_static("webhook-timestamp"), HeaderValue::from(seconds));
    headers.insert(HeaderName::from_static("webhook-signature"), ascii(&signed));
    Ok(headers)
}

/// Printable ASCII as a header's value.
fn ascii(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// An attribute's value as the HTTP binding of CloudEvents writes it: all but printable ASCII, the
/// blank, the quote and the percent sign as bytes in hexadecimal.
fn percent_encoded(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'"' | b'%' => text.push_str(&format!("%{byte:02X}")),
            b'!'..=b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

/// Resolves names to those of their addresses that may be asked; what is dialled is one of them.
struct Guarded {
    targets: Targets,
    lookup: Lookup,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let found = (self.lookup)(name.as_str().to_owned());
        let targets = self.targets.clone();
        Box::pin(async move {
            let all = found.await?;
            let permitted: Vec<SocketAddr> = all
                .iter()
                .filter(|address| targets.permit(**address))
                .map(|address| SocketAddr::new(*address, 0))
                .collect();
            match (permitted.is_empty(), all.first()) {
                (true, Some(address)) => Err(forbidden(*address).into()),
                (true, None) => Err("the name has no address".into()),
                (false, _) => Ok(Box::new(permitted.into_iter()) as Addrs),
            }
        })
    }
}

async fn system_lookup(name: String) -> io::Result<Vec<IpAddr>> {
    let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
    Ok(found.map(|address| address.ip()).collect())
}
