//! The HTTP API, as an operator's program sees it: JSON in, JSON out.

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::site::Site;
use super::wait::within;

/// A client of one server with one token.
#[derive(Clone)]
pub struct Api {
    base: String,
    token: Option<String>,
    http: reqwest::Client,
}

/// A satellite as it was made: who it is and what it authenticates with.
#[derive(Clone, Debug)]
pub struct Satellite {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its token.
    pub token: String,
}

/// What the API answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: StatusCode,
    /// The headers.
    pub headers: reqwest::header::HeaderMap,
    /// The body: JSON, or a string where it is none.
    pub body: Value,
}

impl Api {
    /// A client of the server at `url`.
    pub fn new(url: &str, token: &str) -> Self {
        let http = plain_client().build().expect("a client can be built");
        Self { base: url.to_owned(), token: Some(token.to_owned()), http }
    }

    /// The same server with another token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same server without a token.
    #[must_use]
    pub fn without_token(&self) -> Self {
        Self { token: None, ..self.clone() }
    }

    /// The same server through another HTTP client.
    #[must_use]
    pub fn with_client(&self, http: reqwest::Client) -> Self {
        Self { http, ..self.clone() }
    }

    /// A request to `path`, with the token.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends a request and reads the answer.
    ///
    /// # Panics
    /// Where there is no answer.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let answered = within("the API answers", self.try_send(request)).await;
        answered.expect("the API can be reached")
    }

    /// As [`send`](Self::send), however long it takes; none where there is no answer.
    pub async fn try_send(&self, request: RequestBuilder) -> Option<Answer> {
        let answered = request.send().await.ok()?;
        let (status, headers) = (answered.status(), answered.headers().clone());
        let text = answered.text().await.ok()?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Some(Answer { status, headers, body })
    }

    /// What `GET path` answers.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// What `POST path` answers.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// What `PATCH path` answers.
    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PATCH, path).json(body)).await
    }

    /// What `DELETE path` answers.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// Makes a satellite whose token the site keeps an eye on.
    pub async fn create(&self, site: &Site) -> Satellite {
        let satellite = self.create_anywhere().await;
        site.keep_secret(&satellite.token);
        satellite
    }

    /// Makes a satellite.
    pub async fn create_anywhere(&self) -> Satellite {
        let name = format!("satellite {}", Uuid::new_v4().simple());
        let made = self.post("/api/v1/satellites", &json!({"name": name, "region": "test"})).await;
        Satellite::read(&made.expect(StatusCode::CREATED))
    }

    /// Gives a satellite a new token; with `overlap`, the old one works for so many seconds more.
    pub async fn rotate(&self, site: &Site, id: &str, overlap: Option<u64>) -> Satellite {
        let path = format!("/api/v1/satellites/{id}/rotate-token");
        let body = overlap.map_or(json!({}), |seconds| json!({"overlapSeconds": seconds}));
        let satellite = Satellite::read(&self.post(&path, &body).await.expect(StatusCode::OK));
        site.keep_secret(&satellite.token);
        satellite
    }

    /// The satellite as it is now.
    pub async fn satellite(&self, id: &str) -> Value {
        self.get(&format!("/api/v1/satellites/{id}")).await.expect(StatusCode::OK)
    }

    /// Its status now: `online` or `offline`.
    pub async fn status(&self, id: &str) -> String {
        let satellite = self.satellite(id).await;
        satellite["status"].as_str().expect("a satellite has a status").to_owned()
    }

    /// The ids of all satellites that are online.
    pub async fn online_ids(&self) -> Vec<String> {
        let answer = self.get("/api/v1/satellites/online-ids").await.expect(StatusCode::OK);
        let ids = answer["satelliteIds"].as_array().expect("the ids are a list");
        ids.iter().map(|id| id.as_str().expect("an id is text").to_owned()).collect()
    }

    /// A satellite's history, oldest first.
    pub async fn transitions(&self, id: &str) -> Vec<Value> {
        let path = format!("/api/v1/satellites/{id}/transitions?limit=1000");
        let answer = self.get(&path).await.expect(StatusCode::OK);
        let mut items = answer["items"].as_array().expect("the items are a list").clone();
        items.reverse();
        items
    }
}

impl Satellite {
    /// The satellite in an answer that shows its token.
    pub fn read(made: &Value) -> Self {
        let text = |value: &Value| value.as_str().expect("it is text").to_owned();
        let satellite = &made["satellite"];
        Self {
            id: text(&satellite["id"]),
            name: text(&satellite["name"]),
            token: text(&made["token"]),
        }
    }
}

impl Answer {
    /// The body of an answer that must have this status.
    ///
    /// # Panics
    /// Where it has another.
    #[track_caller]
    pub fn expect(self, status: StatusCode) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// The end of a problem's `type`.
    #[track_caller]
    pub fn problem(&self) -> &str {
        let kind = self.body["type"].as_str();
        kind.and_then(|kind| kind.rsplit(':').next()).unwrap_or_else(|| panic!("{self:?}"))
    }

    /// The fields that a problem names.
    pub fn fields(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().filter_map(|error| error["pointer"].as_str()).collect()
    }
}

/// A history in brief, such as `["connected authenticated", "disconnected client_closed"]`.
pub fn edges(transitions: &[Value]) -> Vec<String> {
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    transitions.iter().map(|t| format!("{} {}", word(&t["event"]), word(&t["cause"]))).collect()
}

/// A client that trusts nobody: all that a test needs in the clear.
fn plain_client() -> reqwest::ClientBuilder {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS has safe versions")
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    reqwest::Client::builder().use_preconfigured_tls(tls).no_proxy()
}
