//! One call: send, and tell an answer from a refusal.

use std::sync::Arc;
use std::time::Duration;

use groundcontrol_core::satellite::Token;
use groundcontrol_http::dto::{PROBLEM_JSON, Problem};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Method, RequestBuilder, Response, StatusCode, redirect};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::ClientError;
use crate::agent::Endpoint;

/// The time for a call's whole answer; streams have none.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// The time to reach a server.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// A client of one server, with the API token it presents.
#[derive(Clone, Debug)]
pub struct Client {
    endpoint: Endpoint,
    http: reqwest::Client,
    token: Option<Token>,
}

impl Client {
    /// A client of the server at `endpoint`, trusting whom `tls` trusts. It follows no redirect,
    /// and uses no proxy without TLS: both would carry the token elsewhere.
    pub fn new(
        endpoint: Endpoint,
        tls: &Arc<rustls::ClientConfig>,
        token: Option<Token>,
    ) -> Result<Self, ClientError> {
        let mut builder = reqwest::Client::builder()
            .use_preconfigured_tls(rustls::ClientConfig::clone(tls))
            .user_agent(concat!("groundcontrol/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_WITHIN);
        if !endpoint.is_secure() {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|why| ClientError::Setup(why.to_string()))?;
        Ok(Self { endpoint, http, token })
    }

    /// The server.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, self.endpoint.http_url(path));
        match &self.token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        }
    }

    pub(super) fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    /// Sends, and reads a refusal as one.
    pub(super) async fn send(
        &self,
        doing: &'static str,
        request: RequestBuilder,
    ) -> Result<Response, ClientError> {
        let sent = request.send().await;
        let answer = sent.map_err(|error| self.unreachable(&error))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        Err(self.refusal(doing, answer).await)
    }

    /// Sends and reads a JSON answer.
    pub(super) async fn json<T: DeserializeOwned>(
        &self,
        doing: &'static str,
        request: RequestBuilder,
    ) -> Result<T, ClientError> {
        self.json_within(doing, request.timeout(ANSWER_WITHIN)).await
    }

    /// As [`json`](Self::json), within the time that the request says.
    pub(super) async fn json_within<T: DeserializeOwned>(
        &self,
        doing: &'static str,
        request: RequestBuilder,
    ) -> Result<T, ClientError> {
        let request = request.header(ACCEPT, "application/json");
        let answer = self.send(doing, request).await?;
        let status = answer.status();
        if !has_type(&answer, "application/json") {
            return Err(self.not_ours(status));
        }
        let body = answer.bytes().await.map_err(|error| self.unreachable(&error))?;
        serde_json::from_slice(&body)
            .map_err(|why| ClientError::NotUnderstood { doing, why: why.to_string() })
    }

    /// Sends `body` as JSON and reads a JSON answer.
    pub(super) async fn exchange<T: DeserializeOwned>(
        &self,
        doing: &'static str,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        self.json(doing, self.request(method, path).json(body)).await
    }

    /// Sends a request whose answer has no body.
    pub(super) async fn delete(&self, doing: &'static str, path: &str) -> Result<(), ClientError> {
        let request = self.request(Method::DELETE, path).timeout(ANSWER_WITHIN);
        self.send(doing, request).await.map(|_| ())
    }

    pub(super) fn unreachable(&self, error: &reqwest::Error) -> ClientError {
        ClientError::unreachable(self.endpoint.to_string(), error)
    }

    fn not_ours(&self, status: StatusCode) -> ClientError {
        ClientError::NotGroundControl { server: self.endpoint.to_string(), status }
    }

    async fn refusal(&self, doing: &'static str, answer: Response) -> ClientError {
        let status = answer.status();
        if !has_type(&answer, PROBLEM_JSON) {
            return self.not_ours(status);
        }
        let problem = answer.bytes().await.ok();
        match problem.and_then(|body| serde_json::from_slice::<Problem>(&body).ok()) {
            Some(problem) => ClientError::Refused { doing, problem: Box::new(problem) },
            None => self.not_ours(status),
        }
    }
}

fn has_type(answer: &Response, wanted: &str) -> bool {
    let found = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    found.is_some_and(|found| found.split(';').next().is_some_and(|t| t.trim() == wanted))
}
