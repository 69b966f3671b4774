//! Query parameters: every fault is named, and a parameter that nobody asked for is one.

use std::convert::Infallible;
use std::fmt::Display;

use axum::extract::FromRequestParts;
use groundcontrol_core::limits::{DEFAULT_PAGE, MAX_PAGE};
use groundcontrol_core::ports::FieldError;
use groundcontrol_core::time::Timestamp;
use http::request::Parts;

use crate::problem::Refusal;

/// The parameters of a query, and what was found wrong with them so far.
#[derive(Debug, Default)]
pub(crate) struct Query {
    unread: Vec<(String, String)>,
    errors: Vec<FieldError>,
}

impl Query {
    /// What `read` makes of the parameters, or every fault: those that `read` found, and the
    /// parameters that it did not ask for.
    pub(crate) fn read<T>(
        mut self,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Result<T, Refusal> {
        let value = read(&mut self);
        for (name, _) in std::mem::take(&mut self.unread) {
            self.fail(&name, "is not a known parameter");
        }
        match value {
            Some(value) if self.errors.is_empty() => Ok(value),
            Some(_) | None => Err(Refusal::invalid(self.errors)),
        }
    }

    /// Every value of `name`, in order.
    pub(crate) fn many(&mut self, name: &str) -> Vec<String> {
        let unread = std::mem::take(&mut self.unread);
        let (found, rest) = unread.into_iter().partition(|(key, _)| key == name);
        self.unread = rest;
        let found: Vec<(String, String)> = found;
        found.into_iter().map(|(_, value)| value).collect()
    }

    /// The value of `name`; a fault where there are several.
    pub(crate) fn one(&mut self, name: &str) -> Option<String> {
        let mut values = self.many(name);
        if values.len() > 1 {
            self.fail(name, "must be given once");
        }
        values.pop()
    }

    /// The value of `name` as `parse` reads it: `Some(None)` where it is absent, none and a
    /// fault where it cannot be read.
    pub(crate) fn parsed<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<Option<T>> {
        let Some(text) = self.one(name) else { return Some(None) };
        match parse(&text) {
            Ok(value) => Some(Some(value)),
            Err(why) => {
                self.fail(name, why);
                None
            }
        }
    }

    /// `limit`: 1 to 1000, 100 where it is absent.
    pub(crate) fn limit(&mut self) -> Option<usize> {
        let within = |text: &str| match text.parse() {
            Ok(limit) if (1..=MAX_PAGE).contains(&limit) => Ok(limit),
            _ => Err(format!("must be a whole number from 1 to {MAX_PAGE}")),
        };
        Some(self.parsed("limit", within)?.unwrap_or(DEFAULT_PAGE))
    }

    /// `since` and `until`: what is at the one or later, and before the other.
    pub(crate) fn times(&mut self) -> Option<[Option<Timestamp>; 2]> {
        let [since, until] = ["since", "until"].map(|name| self.parsed(name, str::parse));
        Some([since?, until?])
    }

    /// A fault of the parameter `name`.
    pub(crate) fn fail(&mut self, name: &str, detail: impl Display) {
        self.errors.push(FieldError { pointer: format!("?{name}"), detail: detail.to_string() });
    }
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let query = parts.uri.query().unwrap_or("");
        let unread = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Ok(Self { unread, errors: Vec::new() })
    }
}
