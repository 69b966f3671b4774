//! A double of a vault that follows the published HTTP API of the KV engine, version 2, and of the
//! token, AppRole and Kubernetes methods. It is not a vault.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What it holds, and how it behaves.
#[derive(Default)]
pub(crate) struct Vault {
    pub(crate) state: Mutex<Inner>,
}

pub(crate) struct Inner {
    pub(crate) entries: BTreeMap<String, Value>,
    pub(crate) tokens: BTreeSet<String>,
    pub(crate) sealed: bool,
    pub(crate) stalled: bool,
    pub(crate) logins: usize,
    pub(crate) renewals: usize,
    pub(crate) lease: u64,
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            tokens: BTreeSet::from(["root".to_owned()]),
            sealed: false,
            stalled: false,
            logins: 0,
            renewals: 0,
            lease: 3_600,
        }
    }
}

/// Starts one; answers it with its address.
pub(crate) async fn start() -> (Arc<Vault>, String) {
    let vault = Arc::new(Vault::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().fallback(answer).with_state(vault.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (vault, address)
}

async fn answer(
    State(vault): State<Arc<Vault>>,
    method: Method,
    path: axum::http::Uri,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Response {
    if vault.state.lock().stalled {
        tokio::time::sleep(Duration::from_secs(3_600)).await;
    }
    let mut state = vault.state.lock();
    if state.sealed {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "Vault is sealed");
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let token = headers.get("x-vault-token").and_then(|token| token.to_str().ok());
    let (path, query) = (path.path(), path.query());
    if let Some(granted) = login(&mut state, path, &body) {
        return granted;
    }
    if !token.is_some_and(|token| state.tokens.contains(token)) {
        return refuse(StatusCode::FORBIDDEN, "permission denied");
    }
    match (method, path.strip_prefix("/v1/").unwrap_or_default()) {
        (Method::GET, "auth/token/lookup-self") => {
            Json(json!({"data": {"ttl": state.lease, "renewable": true}})).into_response()
        }
        (Method::POST, "auth/token/renew-self") => {
            state.renewals += 1;
            grant(token.unwrap_or_default(), state.lease)
        }
        (Method::GET, "kv/metadata/team/app/") if query == Some("list=true") => {
            match state.entries.keys().collect::<Vec<_>>() {
                keys if keys.is_empty() => refuse(StatusCode::NOT_FOUND, ""),
                keys => Json(json!({"data": {"keys": keys}})).into_response(),
            }
        }
        (Method::GET, path) => {
            let name = path.strip_prefix("kv/data/team/app/").unwrap_or_default();
            match state.entries.get(name) {
                Some(data) => {
                    let metadata = json!({"version": 1, "destroyed": false});
                    Json(json!({"data": {"data": data, "metadata": metadata}})).into_response()
                }
                None => refuse(StatusCode::NOT_FOUND, ""),
            }
        }
        _ => refuse(StatusCode::METHOD_NOT_ALLOWED, "unsupported operation"),
    }
}

fn login(state: &mut Inner, path: &str, body: &Value) -> Option<Response> {
    let good = match path {
        "/v1/auth/approle/login" => body["role_id"] == "role" && body["secret_id"] == "sesame",
        "/v1/auth/kubernetes/login" => body["role"] == "role" && body["jwt"] == "a.jwt",
        _ => return None,
    };
    if !good {
        return Some(refuse(StatusCode::BAD_REQUEST, "invalid role or secret ID"));
    }
    state.logins += 1;
    let token = format!("token-{}", state.logins);
    state.tokens.insert(token.clone());
    Some(grant(&token, state.lease))
}

fn grant(token: &str, lease: u64) -> Response {
    let auth = json!({"client_token": token, "lease_duration": lease, "renewable": true});
    Json(json!({ "auth": auth })).into_response()
}

fn refuse(status: StatusCode, error: &str) -> Response {
    let errors: Vec<_> = Some(error).filter(|error| !error.is_empty()).into_iter().collect();
    (status, Json(json!({ "errors": errors }))).into_response()
}
