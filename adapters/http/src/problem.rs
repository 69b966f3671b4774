//! Errors: what may go wrong with a request, and the one mapping of the core's errors to it.

use axum::response::{IntoResponse, Response};
use groundcontrol_core::limits::MAX_BODY;
use groundcontrol_core::ports::{
    BlobFault, FieldError, FleetError, PackageError, Scope, StoreError,
};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};

use crate::dto::{FieldProblem, PROBLEM_JSON, Problem};

/// The fields at fault that one answer names at most.
const MAX_ERRORS: usize = 100;

/// Declares every kind of problem with its status, the end of its `type`, and its title.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $status:ident, $slug:literal, $title:literal;)+) => {
        /// A kind of problem.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Kind { $($(#[$doc])* $kind),+ }

        impl Kind {
            /// Every kind, in the order of status.
            #[cfg(test)]
            pub(crate) const ALL: &'static [Self] = &[$(Self::$kind),+];

            /// Its HTTP status.
            pub(crate) const fn status(self) -> StatusCode {
                match self { $(Self::$kind => StatusCode::$status),+ }
            }

            /// The end of its `type`.
            pub(crate) const fn slug(self) -> &'static str {
                match self { $(Self::$kind => $slug),+ }
            }

            /// Its title.
            pub(crate) const fn title(self) -> &'static str {
                match self { $(Self::$kind => $title),+ }
            }
        }
    };
}

kinds! {
    Malformed = BAD_REQUEST, "malformed", "The body cannot be read";
    NoToken = UNAUTHORIZED, "no-token", "An API token is needed";
    BadToken = UNAUTHORIZED, "bad-token", "The API token is not valid";
    MissingScope = FORBIDDEN, "missing-scope", "The API token does not allow this";
    ForeignPage = FORBIDDEN, "foreign-page", "The page of another server sent this";
    NoSuchPath = NOT_FOUND, "no-such-path", "There is nothing at this path";
    NotFound = NOT_FOUND, "not-found", "There is no such thing";
    NeverConnected = NOT_FOUND, "never-connected", "The satellite never connected";
    MethodNotAllowed = METHOD_NOT_ALLOWED, "method-not-allowed", "Not with this method";
    TooSlow = REQUEST_TIMEOUT, "too-slow", "The body did not arrive in time";
    NameTaken = CONFLICT, "name-taken", "The name is taken";
    Busy = CONFLICT, "busy", "Others are changing the same thing";
    Overtaken = CONFLICT, "overtaken", "Somebody else published meanwhile";
    ReadOnly = CONFLICT, "read-only", "It is changed elsewhere";
    InUse = CONFLICT, "in-use", "Something else needs it";
    TooLarge = PAYLOAD_TOO_LARGE, "too-large", "The body is too large";
    NotJson = UNSUPPORTED_MEDIA_TYPE, "not-json", "The body must be JSON";
    NotGzip = UNSUPPORTED_MEDIA_TYPE, "not-gzip", "The body must be a gzipped tar";
    Invalid = UNPROCESSABLE_ENTITY, "invalid", "The request is not valid";
    Internal = INTERNAL_SERVER_ERROR, "internal", "Ground Control made a mistake";
    NotOffered = NOT_IMPLEMENTED, "not-offered", "This server was started without it";
    Unavailable = SERVICE_UNAVAILABLE, "store-unavailable", "The store is out of reach";
    RefusesWrites = SERVICE_UNAVAILABLE, "store-refuses-writes", "The store refuses writes";
    OutcomeUnknown = SERVICE_UNAVAILABLE, "outcome-unknown", "Whether it was done is unknown";
    OutOfReach = SERVICE_UNAVAILABLE, "out-of-reach", "What this needs is out of reach";
    TooManyStreams = SERVICE_UNAVAILABLE, "too-many-streams", "Too many event streams";
    Draining = SERVICE_UNAVAILABLE, "draining", "This server is stopping";
    NotReady = SERVICE_UNAVAILABLE, "not-ready", "This server cannot serve now";
}

impl Kind {
    /// Its `type`.
    pub(crate) fn uri(self) -> String {
        format!("urn:groundcontrol:problem:{}", self.slug())
    }

    /// After how many seconds the same request may succeed.
    fn retry_after(self) -> Option<u32> {
        match self {
            Self::Busy | Self::Unavailable | Self::OutcomeUnknown | Self::NotReady => Some(1),
            Self::Draining => Some(5),
            Self::RefusesWrites | Self::TooManyStreams | Self::OutOfReach => Some(10),
            _ => None,
        }
    }
}

/// A request that was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    kind: Kind,
    detail: String,
    errors: Vec<FieldError>,
    challenge: Option<String>,
}

impl Refusal {
    /// A refusal with what went wrong this time, or what to do now.
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), errors: Vec::new(), challenge: None }
    }

    /// There is nothing at the path.
    pub(crate) fn no_such_path() -> Self {
        Self::new(Kind::NoSuchPath, "/docs shows what there is")
    }

    /// We are at fault.
    pub(crate) fn internal() -> Self {
        Self::new(Kind::Internal, "the server's log says more")
    }

    /// The body exceeds its limit.
    pub(crate) fn too_large() -> Self {
        Self::new(Kind::TooLarge, format!("at most {MAX_BODY} bytes are allowed"))
    }

    /// Fields are at fault.
    pub(crate) fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [one] => format!("{} {}", one.pointer, one.detail).trim_start().to_owned(),
            many => format!("{} fields are at fault", many.len()),
        };
        Self { errors, ..Self::new(Kind::Invalid, detail) }
    }

    /// One field is at fault.
    pub(crate) fn field(pointer: &str, detail: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError { pointer: pointer.to_owned(), detail: detail.into() }])
    }

    /// There is no such `what`.
    pub(crate) fn not_found(what: &'static str) -> Self {
        FleetError::NotFound { what }.into()
    }

    /// No token was presented.
    pub(crate) fn no_token() -> Self {
        let detail = "send an API token as \"Authorization: Bearer <token>\"";
        Self { challenge: Some("Bearer".to_owned()), ..Self::new(Kind::NoToken, detail) }
    }

    /// The token is unknown, revoked or expired.
    pub(crate) fn bad_token() -> Self {
        let challenge = Some("Bearer error=\"invalid_token\"".to_owned());
        Self { challenge, ..Self::new(Kind::BadToken, "it is unknown, revoked or expired") }
    }

    /// The token lacks `scope`.
    pub(crate) fn missing_scope(scope: Scope) -> Self {
        let detail = format!("this needs a token with the scope {scope}");
        let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
        Self { challenge: Some(challenge), ..Self::new(Kind::MissingScope, detail) }
    }

    /// A browser would act for a page that is not ours.
    pub(crate) fn foreign() -> Self {
        let detail = "a browser's session is for pages of this server: sign in at / and try again, or \
            send the token as \"Authorization: Bearer <token>\"";
        Self::new(Kind::ForeignPage, detail)
    }

    /// As it goes over the wire.
    pub(crate) fn problem(&self) -> Problem {
        let errors = self.errors.iter().take(MAX_ERRORS).map(|error| FieldProblem {
            pointer: error.pointer.clone(),
            detail: error.detail.clone(),
        });
        Problem {
            kind: self.kind.uri(),
            title: self.kind.title().to_owned(),
            status: self.kind.status().as_u16(),
            detail: Some(self.detail.clone()),
            errors: errors.collect(),
        }
    }
}

/// The one mapping of the core's errors to problems. What a driver said goes to the log only.
impl From<FleetError> for Refusal {
    fn from(error: FleetError) -> Self {
        match error {
            FleetError::NotFound { .. } => Self::new(Kind::NotFound, error.to_string()),
            FleetError::NameTaken { .. } => {
                let fault = FieldError { pointer: "/name".into(), detail: "is taken".into() };
                Self { errors: vec![fault], ..Self::new(Kind::NameTaken, error.to_string()) }
            }
            FleetError::NotOffered { .. } => Self::new(Kind::NotOffered, error.to_string()),
            FleetError::ReadOnly { .. } => Self::new(Kind::ReadOnly, error.to_string()),
            FleetError::InUse { .. } => Self::new(Kind::InUse, error.to_string()),
            FleetError::OutOfReach { what, .. } => {
                tracing::error!(%error, "a request failed");
                Self::new(
                    Kind::OutOfReach,
                    format!("{what} is out of reach; the server's log says why"),
                )
            }
            FleetError::Invalid(errors) => Self::invalid(errors),
            FleetError::Busy => Self::new(Kind::Busy, error.to_string()),
            FleetError::Store(error) => error.into(),
        }
    }
}

impl From<PackageError> for Refusal {
    fn from(error: PackageError) -> Self {
        match error {
            PackageError::Fleet(error) => error.into(),
            PackageError::Overtaken(_) => Self::new(Kind::Overtaken, error.to_string()),
            PackageError::Blob(fault) => fault.into(),
        }
    }
}

impl From<BlobFault> for Refusal {
    fn from(fault: BlobFault) -> Self {
        let kind = match fault {
            BlobFault::TooLarge => Kind::TooLarge,
            BlobFault::BrokenOff(_) => Kind::Malformed,
            BlobFault::TooSlow(_) => Kind::TooSlow,
            BlobFault::Differs { .. }
            | BlobFault::NotAnArchive(_)
            | BlobFault::Outside(_)
            | BlobFault::NotPlain { .. }
            | BlobFault::Bomb
            | BlobFault::TooManyFiles
            | BlobFault::Empty => Kind::Invalid,
        };
        Self::new(kind, fault.to_string())
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a request failed in the store");
        match error {
            StoreError::Unavailable { doing, .. } => Self::new(
                Kind::Unavailable,
                format!("could not {doing}; nothing was changed, try again"),
            ),
            StoreError::OutcomeUnknown { doing, .. } => Self::new(
                Kind::OutcomeUnknown,
                format!("could not tell whether the store did {doing}; look before trying again"),
            ),
            StoreError::RefusesWrites { doing, .. } => Self::new(
                Kind::RefusesWrites,
                format!("could not {doing}; its disk is full or it is read-only"),
            ),
            StoreError::Corrupt { doing, .. } => Self::new(
                Kind::Internal,
                format!(
                    "could not {doing}: what is stored is not understood; the server's log says more"
                ),
            ),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = respond(self.kind.status(), &self.problem());
        let headers = response.headers_mut();
        if let Some(seconds) = self.kind.retry_after() {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(challenge) = self.challenge.and_then(|text| text.try_into().ok()) {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// The problem for an error status that came without one, from axum itself.
pub(crate) fn of_status(status: StatusCode) -> Response {
    let refusal = match status {
        StatusCode::NOT_FOUND => Refusal::no_such_path(),
        StatusCode::METHOD_NOT_ALLOWED => {
            Refusal::new(Kind::MethodNotAllowed, "the header Allow names those that are allowed")
        }
        StatusCode::INTERNAL_SERVER_ERROR => Refusal::internal(),
        other => return bare(other),
    };
    refusal.into_response()
}

fn bare(status: StatusCode) -> Response {
    let title = status.canonical_reason().unwrap_or("Refused").to_owned();
    let problem = Problem {
        kind: "about:blank".to_owned(),
        detail: Some(title.clone()),
        title,
        status: status.as_u16(),
        errors: Vec::new(),
    };
    respond(status, &problem)
}

fn respond(status: StatusCode, problem: &Problem) -> Response {
    let body = serde_json::to_vec(problem).unwrap_or_default();
    (status, [(CONTENT_TYPE, PROBLEM_JSON)], body).into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn store_error(make: fn(&'static str, String) -> StoreError) -> Refusal {
        make("read the satellites", "postgres://user:hunter2@db".to_owned()).into()
    }

    #[test]
    fn no_two_kinds_share_a_type() {
        let types: BTreeSet<String> = Kind::ALL.iter().map(|kind| kind.uri()).collect();
        assert_eq!(types.len(), Kind::ALL.len());
    }

    #[test]
    fn every_503_says_when_to_try_again() {
        for kind in Kind::ALL.iter().filter(|kind| kind.status() == 503) {
            assert!(kind.retry_after().is_some(), "{kind:?}");
        }
    }

    #[test]
    fn every_error_of_the_fleet_has_its_status() {
        let errors = [
            (FleetError::NotFound { what: "satellite" }, 404),
            (FleetError::NameTaken { what: "satellite", name: "a".into() }, 409),
            (FleetError::NotOffered { what: "work" }, 501),
            (FleetError::ReadOnly { what: "secrets", how: "write the file" }, 409),
            (FleetError::InUse { what: "webhook", by: "rule", name: "a".parse().unwrap() }, 409),
            (FleetError::OutOfReach { what: "the vault", why: "sealed".into() }, 503),
            (FleetError::Busy, 409),
            (FleetError::Invalid(vec![]), 422),
        ];
        for (error, status) in errors {
            assert_eq!(Refusal::from(error.clone()).problem().status, status, "{error}");
        }
    }

    #[test]
    fn a_store_error_has_its_status_and_says_nothing_of_what_the_driver_said() {
        let errors = [
            (store_error(|doing, detail| StoreError::Unavailable { doing, detail }), 503),
            (store_error(|doing, detail| StoreError::OutcomeUnknown { doing, detail }), 503),
            (store_error(|doing, detail| StoreError::RefusesWrites { doing, detail }), 503),
            (store_error(|doing, detail| StoreError::Corrupt { doing, detail }), 500),
        ];
        for (refusal, status) in errors {
            let problem = refusal.problem();
            assert_eq!(problem.status, status, "{problem:?}");
            assert!(!format!("{problem:?}").contains("hunter2"), "{problem:?}");
        }
    }

    #[test]
    fn an_answer_names_at_most_a_hundred_faults() {
        let fault = FieldError { pointer: "/x".into(), detail: "is bad".into() };
        assert_eq!(Refusal::invalid(vec![fault; 5_000]).problem().errors.len(), MAX_ERRORS);
    }
}
