//! One exchange with a vault, and what is in its answers.

use std::collections::BTreeMap;
use std::time::Duration;

use groundcontrol_core::ports::SecretError;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, StatusCode, Url, redirect};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::settings::{VaultError, VaultSettings};

/// The time to reach a vault, and that for its whole answer.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Bytes of an answer: a list of many names.
const MAX_ANSWER: usize = 8 * 1024 * 1024;
/// Characters of a vault's own words that are shown.
const MAX_WORDS: usize = 200;

/// The way to a vault.
pub(super) struct Exchange {
    http: Client,
    base: Url,
}

/// What a vault answered. The body may hold a value.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    body: Zeroizing<Vec<u8>>,
}

impl Exchange {
    pub(super) fn new(settings: &VaultSettings) -> Result<Self, VaultError> {
        let base = Url::parse(&settings.address).map_err(|_| VaultError::Address)?;
        let plain = base.username().is_empty()
            && base.password().is_none()
            && base.query().is_none()
            && base.fragment().is_none();
        if !plain || !matches!(base.scheme(), "http" | "https") || !base.has_host() {
            return Err(VaultError::Address);
        }
        let client = |why: String| VaultError::Client(why);
        let mut headers = HeaderMap::new();
        headers.insert("x-vault-request", HeaderValue::from_static("true"));
        if let Some(namespace) = &settings.namespace {
            let value = HeaderValue::from_str(namespace);
            let value = value.map_err(|_| client("the namespace is no text".to_owned()))?;
            headers.insert("x-vault-namespace", value);
        }
        // A redirect would carry the token elsewhere; so would a proxy without TLS.
        let mut builder = Client::builder()
            .use_preconfigured_tls(settings.tls.clone())
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_WITHIN)
            .timeout(ANSWER_WITHIN)
            .default_headers(headers);
        if base.scheme() == "http" {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|why| client(why.without_url().to_string()))?;
        Ok(Self { http, base })
    }

    /// Sends a request for what is at `path`, below `/v1/`.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        token: Option<&SecretString>,
        body: Option<&(impl Serialize + Sync)>,
    ) -> Result<Answer, SecretError> {
        let url = format!("{}/v1/{path}", self.base.as_str().trim_end_matches('/'));
        let mut request = self.http.request(method, url);
        if let Some(token) = token {
            let value = HeaderValue::from_str(token.expose_secret());
            let mut value =
                value.map_err(|_| unavailable("the token for the vault is no token"))?;
            value.set_sensitive(true);
            request = request.header(HeaderName::from_static("x-vault-token"), value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let mut response = request.send().await.map_err(unreachable)?;
        let mut body = Zeroizing::new(Vec::new());
        while let Some(part) = response.chunk().await.map_err(unreachable)? {
            if body.len() + part.len() > MAX_ANSWER {
                return Err(unavailable("the vault's answer is too long"));
            }
            body.extend_from_slice(&part);
        }
        Ok(Answer { status: response.status(), body })
    }
}

/// For requests without a body.
pub(super) const NO_BODY: Option<&()> = None;

impl Answer {
    /// The answer, if the vault did what it was asked; `doing` completes "could not …".
    pub(super) fn expect_success(self, doing: &str) -> Result<Self, SecretError> {
        if self.status.is_success() {
            return Ok(self);
        }
        let why = match self.status {
            StatusCode::SERVICE_UNAVAILABLE => {
                "the vault is sealed, or under maintenance".to_owned()
            }
            StatusCode::FORBIDDEN => {
                "the vault's policies do not allow it, or the token is no longer valid".to_owned()
            }
            status if status.is_redirection() => {
                "the vault sends elsewhere; give the address of its active node".to_owned()
            }
            status => format!("the vault answered {}{}", status.as_u16(), self.words()),
        };
        Err(SecretError::Unavailable(format!("could not {doing}: {why}")))
    }

    /// What the vault says of an error: its own texts hold no value.
    fn words(&self) -> String {
        #[derive(Deserialize)]
        struct Errors {
            errors: Vec<String>,
        }
        let errors =
            serde_json::from_slice::<Errors>(&self.body).map(|said| said.errors.join("; "));
        let words = errors.unwrap_or_default();
        let shown: String = words.chars().filter(|c| !c.is_control()).take(MAX_WORDS).collect();
        if shown.is_empty() { shown } else { format!(": {shown}") }
    }

    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, SecretError> {
        // What serde says of an error may quote what it read.
        serde_json::from_slice(&self.body)
            .map_err(|_| unavailable("the vault's answer is not understood"))
    }
}

/// The fields of an entry; none where its newest version was deleted. A field that is no text is
/// none.
pub(super) type Fields = BTreeMap<String, Option<Zeroizing<Vec<u8>>>>;

pub(super) fn entry(answer: Answer) -> Result<Option<Fields>, SecretError> {
    #[derive(Deserialize)]
    struct Outer {
        data: Inner,
    }
    #[derive(Deserialize)]
    struct Inner {
        data: Option<BTreeMap<String, Field>>,
    }
    let outer: Outer = answer.read()?;
    let fields = |fields: BTreeMap<String, Field>| {
        fields.into_iter().map(|(name, field)| (name, field.0)).collect()
    };
    Ok(outer.data.data.map(fields))
}

pub(super) fn keys(answer: Answer) -> Result<Vec<String>, SecretError> {
    #[derive(Deserialize)]
    struct Outer {
        data: Inner,
    }
    #[derive(Deserialize)]
    struct Inner {
        keys: Vec<String>,
    }
    Ok(answer.read::<Outer>()?.data.keys)
}

/// A text that is wiped from memory, or anything else, which is not kept.
struct Field(Option<Zeroizing<Vec<u8>>>);

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(FieldVisitor)
    }
}

struct FieldVisitor;

impl<'de> Visitor<'de> for FieldVisitor {
    type Value = Field;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a field")
    }

    fn visit_str<E>(self, text: &str) -> Result<Field, E> {
        Ok(Field(Some(Zeroizing::new(text.as_bytes().to_vec()))))
    }

    fn visit_string<E>(self, text: String) -> Result<Field, E> {
        Ok(Field(Some(Zeroizing::new(text.into_bytes()))))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Field, E> {
        Ok(Field(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Field, E> {
        Ok(Field(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Field, E> {
        Ok(Field(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Field, E> {
        Ok(Field(None))
    }

    fn visit_unit<E>(self) -> Result<Field, E> {
        Ok(Field(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Field, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Field(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Field, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Field(None))
    }
}

pub(super) fn unavailable(why: &str) -> SecretError {
    SecretError::Unavailable(why.to_owned())
}

/// The path in a URL names secrets: it is not shown.
fn unreachable(error: reqwest::Error) -> SecretError {
    let why = match (error.is_timeout(), error.is_connect()) {
        (true, _) => "it does not answer in time".to_owned(),
        (false, true) => "it cannot be reached".to_owned(),
        (false, false) => error.without_url().to_string(),
    };
    SecretError::Unavailable(format!("the vault: {why}"))
}
