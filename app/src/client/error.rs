//! What may go wrong with a call, and what to do then.

use std::fmt;

use groundcontrol_http::dto::Problem;
use reqwest::StatusCode;

/// Why a call was not done. The text says what to do next where that is known.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No answer at all.
    #[error("could not reach {server}: {why}; is it running there, and is --url right?")]
    Unreachable {
        /// The server's URL.
        server: String,
        /// The innermost reason.
        why: String,
    },
    /// The server said no.
    #[error("could not {doing}: {}", Refusal(problem))]
    Refused {
        /// Completes "could not …".
        doing: &'static str,
        /// What it said.
        problem: Box<Problem>,
    },
    /// An answer that is not this API's.
    #[error("{server} answered with HTTP {status}, not as a Ground Control would; is --url right?")]
    NotGroundControl {
        /// The server's URL.
        server: String,
        /// The answer's status.
        status: StatusCode,
    },
    /// An answer that this version does not understand.
    #[error(
        "could not {doing}: the answer was not understood ({why}); are server and client of the same version?"
    )]
    NotUnderstood {
        /// Completes "could not …".
        doing: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// No satellite has this name or id.
    #[error("there is no satellite {wanted:?}{}", Similar(similar))]
    NoSuchSatellite {
        /// What was asked for.
        wanted: String,
        /// Names that come close.
        similar: Vec<String>,
    },
    /// No other thing has this name or id.
    #[error("there is no {what} {wanted:?}")]
    NoSuch {
        /// The kind of thing.
        what: &'static str,
        /// What was asked for.
        wanted: String,
    },
    /// Several satellites fit.
    #[error("{wanted:?} could mean {}; say the whole name or id", listed(candidates))]
    Ambiguous {
        /// What was asked for.
        wanted: String,
        /// Names and ids that fit.
        candidates: Vec<String>,
    },
    /// The client could not be made.
    #[error("could not set up the HTTP client: {0}")]
    Setup(String),
}

impl ClientError {
    /// A failure to send or to read, with the innermost reason: the outer ones repeat the URL.
    pub(super) fn unreachable(server: String, error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::Unreachable { server, why: "it did not answer in time".to_owned() };
        }
        let mut innermost: &dyn std::error::Error = error;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        Self::Unreachable { server, why: innermost.to_string() }
    }

    /// Whether trying again cannot help: the server understood and refused.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Unreachable { .. } => false,
            Self::NotGroundControl { status, .. } => status.is_client_error(),
            Self::Refused { problem, .. } => {
                (400..500).contains(&problem.status) && !matches!(problem.status, 408 | 429)
            }
            Self::NotUnderstood { .. }
            | Self::NoSuchSatellite { .. }
            | Self::NoSuch { .. }
            | Self::Ambiguous { .. }
            | Self::Setup(_) => true,
        }
    }
}

struct Refusal<'a>(&'a Problem);

impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = self.0;
        if problem.status == 401 {
            return f.write_str(
                "the server does not accept the API token; pass one that is valid with \
                 --api-token-file (the first one is in the file admin-token in the server's data \
                 folder)",
            );
        }
        if problem.errors.is_empty() {
            f.write_str(problem.detail.as_ref().unwrap_or(&problem.title))?;
        }
        for (index, field) in problem.errors.iter().enumerate() {
            let comma = if index == 0 { "" } else { "; " };
            write!(f, "{comma}{} {}", field.pointer.trim_start_matches(['/', '?']), field.detail)?;
        }
        f.write_str(match problem.status {
            403 => "; an admin can make a token that may, with `groundcontrol api-tokens create`",
            429 | 503 => "; try again in a moment",
            _ => "",
        })
    }
}

struct Similar<'a>(&'a [String]);

impl fmt::Display for Similar<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => f.write_str("; see `groundcontrol satellites list`"),
            similar => write!(f, "; did you mean {}?", listed(similar)),
        }
    }
}

fn listed(names: &[String]) -> String {
    names.join(", ")
}
