//! What satellites ask for that may take a while to find, and what they are answered.

use std::collections::VecDeque;
use std::sync::Arc;

use super::message::Message;
use crate::limits::{
    MAX_REQUEST_TEXT, REQUESTS_IN_FLIGHT, REQUESTS_WAITING, SCRIPT_PACKAGE_BLOBS_IN_FLIGHT,
};
use crate::packages::{Lockfile, SyncStatus};
use crate::ports::LoadedBlob;
use crate::secrets::{ConfigValues, Values};

/// Something that a satellite asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// The secret environment of a collector.
    RunSecrets {
        /// Names the request.
        request_id: String,
        /// The assignment.
        config_id: String,
        /// The collector's entry id, or its collector id.
        collector_id: String,
        /// The run.
        run_id: String,
    },
    /// The secrets inside a configuration.
    ConfigSecrets {
        /// Names the request.
        request_id: String,
        /// The assignment.
        config_id: String,
        /// The run.
        run_id: String,
    },
    /// The entries of a lockfile.
    ScriptPackageManifest {
        /// Which lockfile.
        lockfile_hash: String,
    },
    /// One blob.
    ScriptPackageBlob {
        /// Its key.
        integrity: String,
    },
}

/// What a [`Request`] is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Answers [`Request::RunSecrets`].
    RunSecrets {
        /// Which request.
        request_id: String,
        /// The environment, or what the satellite is told instead.
        env: Result<Values, String>,
    },
    /// Answers [`Request::ConfigSecrets`].
    ConfigSecrets {
        /// Which request.
        request_id: String,
        /// The values, or what the satellite is told instead.
        values: Result<ConfigValues, String>,
    },
    /// Answers [`Request::ScriptPackageManifest`].
    ScriptPackageManifest {
        /// Which lockfile.
        lockfile_hash: String,
        /// The lockfile; none where this server does not know it.
        lockfile: Option<Arc<Lockfile>>,
    },
    /// Answers [`Request::ScriptPackageBlob`].
    ScriptPackageBlob {
        /// Its key.
        integrity: String,
        /// The blob, not yet in base64; none where this server does not hold it.
        blob: Option<LoadedBlob>,
    },
    /// Nothing: the satellite asks again when it hears nothing.
    Nothing {
        /// What stays unanswered.
        of: Request,
    },
}

/// Where an agent's script packages stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptPackageSyncState {
    /// The lockfile that it is about; none: none.
    pub lockfile_hash: Option<String>,
    /// How far it got.
    pub status: SyncStatus,
    /// What went wrong.
    pub error_message: Option<String>,
}

const BUSY: &str = "Too many requests of this satellite wait to be answered; try again later.";

impl Request {
    /// The answer of a server that lacks what this asks for.
    pub fn unserved(self) -> Answer {
        match self {
            Self::RunSecrets { request_id, .. } => Answer::RunSecrets {
                request_id,
                env: Err("Secret delivery is not available on this core instance.".to_owned()),
            },
            Self::ConfigSecrets { request_id, .. } => Answer::ConfigSecrets {
                request_id,
                values: Err(
                    "Config-secret delivery is not available on this core instance.".to_owned()
                ),
            },
            Self::ScriptPackageManifest { lockfile_hash } => {
                Answer::ScriptPackageManifest { lockfile_hash, lockfile: None }
            }
            Self::ScriptPackageBlob { integrity } => {
                Answer::ScriptPackageBlob { integrity, blob: None }
            }
        }
    }

    /// The answer where this cannot be done just now, with what the satellite is told where there
    /// is a way to say it: for packages there is none.
    pub fn failed(self, why: &str) -> Answer {
        match self {
            Self::RunSecrets { request_id, .. } => {
                Answer::RunSecrets { request_id, env: Err(why.to_owned()) }
            }
            Self::ConfigSecrets { request_id, .. } => {
                Answer::ConfigSecrets { request_id, values: Err(why.to_owned()) }
            }
            Self::ScriptPackageManifest { .. } | Self::ScriptPackageBlob { .. } => {
                Answer::Nothing { of: self }
            }
        }
    }

    /// The request in `message`, if it is one.
    #[expect(clippy::result_large_err, reason = "it is the message itself, which goes on")]
    pub(super) fn of(message: Message<'_>) -> Result<Self, Message<'_>> {
        match message {
            Message::RequestRunSecrets { request_id, config_id, collector_id, run_id } => {
                Ok(Self::RunSecrets { request_id, config_id, collector_id, run_id })
            }
            Message::RequestConfigSecrets { request_id, config_id, run_id } => {
                Ok(Self::ConfigSecrets { request_id, config_id, run_id })
            }
            Message::RequestScriptPackageManifest { lockfile_hash } => {
                Ok(Self::ScriptPackageManifest { lockfile_hash })
            }
            Message::RequestScriptPackageBlob { integrity } => {
                Ok(Self::ScriptPackageBlob { integrity })
            }
            Message::Authenticate { .. }
            | Message::Heartbeat { .. }
            | Message::Result(_)
            | Message::StrategyError { .. }
            | Message::ScriptPackageSyncState(_)
            | Message::TelemetryBatch { .. }
            | Message::CapabilityStatus { .. }
            | Message::CapabilitySecretRequest { .. }
            | Message::ConfigApplied { .. } => Err(message),
        }
    }

    const fn is_blob(&self) -> bool {
        match self {
            Self::ScriptPackageBlob { .. } => true,
            Self::RunSecrets { .. }
            | Self::ConfigSecrets { .. }
            | Self::ScriptPackageManifest { .. } => false,
        }
    }

    fn is_too_long(&self) -> bool {
        let texts: [&str; 4] = match self {
            Self::RunSecrets { request_id, config_id, collector_id, run_id } => {
                [request_id, config_id, collector_id, run_id]
            }
            Self::ConfigSecrets { request_id, config_id, run_id } => {
                [request_id, config_id, run_id, ""]
            }
            Self::ScriptPackageManifest { lockfile_hash: text }
            | Self::ScriptPackageBlob { integrity: text } => [text, "", "", ""],
        };
        texts.iter().any(|text| text.len() > MAX_REQUEST_TEXT)
    }
}

impl Answer {
    const fn is_blob(&self) -> bool {
        match self {
            Self::ScriptPackageBlob { .. } => true,
            Self::Nothing { of } => of.is_blob(),
            Self::RunSecrets { .. }
            | Self::ConfigSecrets { .. }
            | Self::ScriptPackageManifest { .. } => false,
        }
    }
}

/// What one satellite asked for and was not answered yet: a few at a time are looked for, the
/// others wait. Blobs are large, so fewer of them are; what waits behind one may overtake it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Requests {
    waiting: VecDeque<Request>,
    in_flight: usize,
    blobs_in_flight: usize,
}

/// Why a request is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    /// One of its texts is longer than [`MAX_REQUEST_TEXT`].
    TooLong,
    /// As many wait as may; with the answer to this one.
    Busy(Answer),
}

impl Requests {
    /// Lets a request wait.
    pub(super) fn push(&mut self, request: Request) -> Result<(), NotTaken> {
        if request.is_too_long() {
            return Err(NotTaken::TooLong);
        }
        if self.waiting.len() >= REQUESTS_WAITING {
            return Err(NotTaken::Busy(request.failed(BUSY)));
        }
        self.waiting.push_back(request);
        Ok(())
    }

    /// The request to look for next; none while as many are looked for as may.
    pub(super) fn next(&mut self) -> Option<Request> {
        let at = self.place_of_next()?;
        let request = self.waiting.remove(at)?;
        self.in_flight += 1;
        self.blobs_in_flight += usize::from(request.is_blob());
        Some(request)
    }

    /// Whether [`next`](Self::next) has one.
    pub(super) fn has_next(&self) -> bool {
        self.place_of_next().is_some()
    }

    /// What was looked for is found, or will not be.
    pub(super) fn answered(&mut self, answer: &Answer) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.blobs_in_flight = self.blobs_in_flight.saturating_sub(usize::from(answer.is_blob()));
    }

    /// Nothing waits and nothing is looked for.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.in_flight == 0
    }

    #[cfg(test)]
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.waiting.len(), self.in_flight)
    }

    fn place_of_next(&self) -> Option<usize> {
        if self.in_flight >= REQUESTS_IN_FLIGHT {
            return None;
        }
        let blob_may_go = self.blobs_in_flight < SCRIPT_PACKAGE_BLOBS_IN_FLIGHT;
        self.waiting.iter().position(|request| blob_may_go || !request.is_blob())
    }
}
