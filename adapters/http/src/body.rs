//! Request bodies: JSON objects, read field by field so that one answer names every fault.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::str::FromStr;

use axum::extract::{FromRequest, Request};
use groundcontrol_core::assignment::Json;
use groundcontrol_core::limits::MAX_BODY;
use groundcontrol_core::ports::FieldError;
use groundcontrol_core::satellite::Tags;
use groundcontrol_core::time::Millis;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use serde_path_to_error::Segment;

use crate::dto::Opaque;
use crate::problem::{Kind, Refusal};
use crate::routes::AppState;

/// The fields of a JSON object, and what was found wrong with them so far.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    unread: Map<String, Value>,
    /// The same fields, to the letter.
    verbatim: BTreeMap<String, Opaque>,
    errors: Vec<FieldError>,
}

impl Fields {
    /// What `read` makes of the fields, or every fault: those that `read` found, and the fields
    /// that it did not ask for.
    pub(crate) fn read<T>(
        mut self,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Result<T, Refusal> {
        let value = read(&mut self);
        let unknown = self.unread.keys().map(|name| fault(pointer(name), "is not a known field"));
        self.errors.extend(unknown);
        match value {
            Some(value) if self.errors.is_empty() => Ok(value),
            Some(_) | None => Err(Refusal::invalid(self.errors)),
        }
    }

    /// A field that must be there; none and a fault where it is not, or not of this type.
    pub(crate) fn required<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        if !self.unread.contains_key(name) {
            self.fail(pointer(name), "is missing");
        }
        self.optional(name)
    }

    /// A field that may be absent; none and a fault where it is not of this type.
    pub(crate) fn optional<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let value = self.unread.remove(name)?;
        match serde_path_to_error::deserialize(value) {
            Ok(value) => Some(value),
            Err(error) => {
                let mut at = pointer(name);
                at.extend(error.path().iter().filter_map(segment));
                self.fail(at, error.inner());
                None
            }
        }
    }

    /// Whether the field is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.unread.contains_key(name)
    }

    /// An object that may be absent, kept to the letter; none and a fault where it is no object.
    pub(crate) fn object(&mut self, name: &str) -> Option<Json> {
        let is_object = self.unread.remove(name)?.is_object();
        let text = self.verbatim.remove(name)?;
        let object = if is_object { Ok((&text).into()) } else { Err("must be an object") };
        self.check(name, object)
    }

    /// As [`optional`](Self::optional), where parts of the field are kept to the letter.
    pub(crate) fn verbatim<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        self.unread.remove(name)?;
        let text = self.verbatim.remove(name)?;
        let json = &mut serde_json::Deserializer::from_str(text.get());
        match serde_path_to_error::deserialize(json) {
            Ok(value) => Some(value),
            Err(error) => {
                let mut at = pointer(name);
                at.extend(error.path().iter().filter_map(segment));
                self.fail(at, error.inner());
                None
            }
        }
    }

    /// A fault at any place.
    pub(crate) fn fail_at(&mut self, pointer: String, detail: impl Display) {
        self.fail(pointer, detail);
    }

    /// `result`'s value, or a fault at any place.
    pub(crate) fn check_at<T, E: Display>(
        &mut self,
        pointer: &str,
        result: Result<T, E>,
    ) -> Option<T> {
        result.map_err(|why| self.fail(pointer.to_owned(), why)).ok()
    }

    /// A text that must be there and within its limits.
    pub(crate) fn required_text<T: FromStr<Err: Display>>(&mut self, name: &str) -> Option<T> {
        let text: String = self.required(name)?;
        self.check(name, text.parse())
    }

    /// A text that, where it is there, must be within its limits.
    pub(crate) fn optional_text<T: FromStr<Err: Display>>(&mut self, name: &str) -> Option<T> {
        let text: String = self.optional(name)?;
        self.check(name, text.parse())
    }

    /// Tags, where they are there; every one at fault is named.
    pub(crate) fn tags(&mut self, name: &str) -> Option<Tags> {
        let values: BTreeMap<String, Value> = self.optional(name)?;
        let mut tags = BTreeMap::new();
        for (key, value) in values {
            match value {
                Value::String(text) => drop(tags.insert(key, text)),
                _ => self.fail(pointer(name) + &pointer(&key), "must be a string"),
            }
        }
        let whole = Tags::new(tags.clone());
        if let Err((Some(_), _)) = whole {
            for (key, value) in tags {
                if let Err((_, why)) = Tags::new(BTreeMap::from([(key.clone(), value)])) {
                    self.fail(pointer(name) + &pointer(&key), why);
                }
            }
            return None;
        }
        self.check(name, whole.map_err(|(_, why)| why))
    }

    /// Items of an array that must be there, each checked by `check`, without doubles; none and
    /// faults where any is refused.
    pub(crate) fn each<T: Ord, E: Display>(
        &mut self,
        name: &str,
        check: impl Fn(&str) -> Result<T, E>,
    ) -> Option<BTreeSet<T>> {
        let texts: Vec<Value> = self.required(name)?;
        let faults = self.errors.len();
        let mut found = BTreeSet::new();
        for (index, text) in texts.iter().enumerate() {
            match text.as_str().map(&check) {
                Some(Ok(item)) => drop(found.insert(item)),
                Some(Err(why)) => self.fail(format!("{}/{index}", pointer(name)), why),
                None => self.fail(format!("{}/{index}", pointer(name)), "must be a string"),
            }
        }
        (self.errors.len() == faults).then_some(found)
    }

    /// `result`'s value, or a fault of the field `name`.
    pub(crate) fn check<T, E: Display>(&mut self, name: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|why| self.fail(pointer(name), why)).ok()
    }

    fn fail(&mut self, pointer: String, detail: impl Display) {
        self.errors.push(fault(pointer, detail));
    }

    fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let value: Value = serde_json::from_slice(bytes)
            .map_err(|error| Refusal::new(Kind::Malformed, format!("no JSON: {error}")))?;
        match value {
            Value::Object(unread) => {
                let verbatim = serde_json::from_slice(bytes)
                    .map_err(|error| Refusal::new(Kind::Malformed, format!("no JSON: {error}")))?;
                Ok(Self { unread, verbatim, errors: Vec::new() })
            }
            _ => Err(Refusal::field("", "the body must be a JSON object")),
        }
    }
}

impl FromRequest<AppState> for Fields {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Refusal> {
        check_media_type(request.headers())?;
        Self::parse(&collect(request, state).await?)
    }
}

/// A body that is one JSON object, kept to the letter.
pub(crate) struct Whole(pub(crate) Opaque);

impl FromRequest<AppState> for Whole {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Refusal> {
        check_media_type(request.headers())?;
        let bytes = collect(request, state).await?;
        Fields::parse(&bytes)?;
        let whole = serde_json::from_slice(&bytes)
            .map_err(|error| Refusal::new(Kind::Malformed, format!("no JSON: {error}")))?;
        Ok(Self(whole))
    }
}

/// As [`Fields`], but no body at all is an empty object.
pub(crate) struct OptionalFields(pub(crate) Fields);

impl FromRequest<AppState> for OptionalFields {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Refusal> {
        let media_type = check_media_type(request.headers());
        let bytes = collect(request, state).await?;
        if bytes.is_empty() {
            return Ok(Self(Fields::default()));
        }
        media_type?;
        Fields::parse(&bytes).map(Self)
    }
}

async fn collect(request: Request, state: &AppState) -> Result<bytes::Bytes, Refusal> {
    let announced =
        request.headers().get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: u64| length > MAX_BODY as u64) {
        return Err(Refusal::too_large());
    }
    let body = Limited::new(request.into_body(), MAX_BODY).collect();
    match tokio::time::timeout(state.settings.body_within, body).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::too_large()),
        Ok(Err(error)) => Err(Refusal::new(Kind::Malformed, format!("it broke off: {error}"))),
        Err(_) => {
            let within = Millis::from(state.settings.body_within);
            Err(Refusal::new(Kind::TooSlow, format!("send all of it within {within}")))
        }
    }
}

fn check_media_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = text.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    let json = essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"));
    if json {
        return Ok(());
    }
    let detail = format!("send it as \"Content-Type: application/json\", not {text:?}");
    Err(Refusal::new(Kind::NotJson, detail))
}

fn fault(pointer: String, detail: impl Display) -> FieldError {
    FieldError { pointer, detail: detail.to_string() }
}

/// `/` and a reference token of RFC 6901.
fn pointer(token: &str) -> String {
    format!("/{}", token.replace('~', "~0").replace('/', "~1"))
}

fn segment(segment: &Segment) -> Option<String> {
    match segment {
        Segment::Seq { index } => Some(format!("/{index}")),
        Segment::Map { key } => Some(pointer(key)),
        Segment::Enum { .. } | Segment::Unknown => None,
    }
}
