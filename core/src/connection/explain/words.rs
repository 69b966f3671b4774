//! The sentences of an explanation; nowhere else are any made.

use super::{Explanation, Outlook, Reason, SessionFacts};
use crate::connection::record::Cause;
use crate::time::Millis;

/// An explanation for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// What it is, and why, in one sentence.
    pub summary: String,
    /// What that follows from.
    pub because: Vec<String>,
    /// What would change it.
    pub outlook: Vec<String>,
    /// What to look at or do now; nothing where all is well.
    pub advice: Vec<String>,
}

impl Explanation {
    /// The explanation in sentences.
    pub fn words(&self) -> Words {
        Words {
            summary: format!("{} {}", self.name, self.summary()),
            because: self.because(),
            outlook: self.outlook.iter().map(|outlook| self.outlook_in_words(*outlook)).collect(),
            advice: self.advice().into_iter().map(str::to_owned).collect(),
        }
    }

    fn summary(&self) -> String {
        match (self.reason, &self.heartbeat) {
            (Reason::Heard, Some(heard)) => format!(
                "is online: it was last heard {} ago, within its threshold of {}.",
                span(heard.age),
                self.threshold
            ),
            (Reason::Silent, Some(heard)) => format!(
                "is offline: it is connected, but was last heard {} ago, longer than its \
                 threshold of {}. That is not recorded as a loss yet.",
                span(heard.age),
                self.threshold
            ),
            (Reason::Lost, Some(heard)) => format!(
                "is offline: its heartbeat was lost. It was last heard {} ago, on a session whose \
                 end nobody saw.",
                span(heard.age)
            ),
            (Reason::Heard, None) => "is online.".to_owned(),
            (Reason::Silent | Reason::Lost, None) => "is offline: it is not heard.".to_owned(),
            (Reason::Ended, _) => format!("is offline: {}.", self.how_it_ended()),
            (Reason::Revoked, _) => {
                "is offline: its session was shut down, because its token was replaced or ended."
                    .to_owned()
            }
            (Reason::Disabled, _) => {
                "is offline: an operator disabled it, and its agent is refused.".to_owned()
            }
            (Reason::NeverConnected, _) => "is offline: its agent never connected.".to_owned(),
            (Reason::Unknown, _) => "is offline: a newer version of Ground Control recorded \
                something that this one does not know."
                .to_owned(),
        }
    }

    fn how_it_ended(&self) -> &'static str {
        match self.edges.first().and_then(|edge| edge.transition.cause) {
            Some(Cause::ClientClosed) => "its agent closed the connection",
            Some(Cause::ConnectionLost) => "its connection broke without a goodbye",
            Some(Cause::IdleTimeout) => {
                "nothing at all came over its connection within the idle limit, so it was closed"
            }
            Some(Cause::ProtocolError) => "its agent broke the protocol, so it was closed",
            Some(Cause::SlowConsumer) => {
                "its agent did not read what it was sent, so it was closed"
            }
            Some(
                Cause::Authenticated
                | Cause::TookOver
                | Cause::HeartbeatResumed
                | Cause::Revoked
                | Cause::HeartbeatTimeout,
            )
            | None => "its session ended",
        }
    }

    fn because(&self) -> Vec<String> {
        let mut said = vec![format!("Rule {} makes it so: {}.", self.rule, self.rule_in_words())];
        let own = if self.threshold_is_own { "its own setting" } else { "the fleet's default" };
        said.push(format!(
            "Its threshold is {} ({own}); agents send a heartbeat every {}.",
            self.threshold, self.heartbeat_interval
        ));
        match &self.heartbeat {
            Some(heard) => {
                said.push(format!("Its last heartbeat was received at {}.", heard.at));
            }
            None if self.session.is_some() => {
                said.push(
                    "It has no heartbeat, because its session was ended properly.".to_owned(),
                );
            }
            None => {}
        }
        said.extend(self.session.as_ref().map(session_in_words));
        if let Some(last) = self.edges.first() {
            let cause = last.transition.cause.map_or("no cause", Cause::name);
            let kind = last.transition.kind.map_or("unknown", |kind| kind.name());
            said.push(format!(
                "The last recorded edge is {kind} ({cause}), at {}, by rule {}.",
                last.transition.occurred_at, last.rule
            ));
        }
        said.push(self.clock_in_words());
        said
    }

    fn rule_in_words(&self) -> &'static str {
        match self.reason {
            Reason::Heard => "it is connected, and heard within its threshold",
            Reason::Silent => "who is connected and not heard within its threshold is offline",
            Reason::Lost => {
                "a silence of more than threshold and settle, while somebody listened, is a loss"
            }
            Reason::Ended => "the end of its session makes it offline at once",
            Reason::Revoked => "the end of a credential ends the session on it",
            Reason::Disabled => "who is disabled has no session and gets none",
            Reason::NeverConnected => "who never connected has no state",
            Reason::Unknown => "what is not known derives nothing",
        }
    }

    fn clock_in_words(&self) -> String {
        let known = format!("This pod knows store time to within {}", self.clock.error);
        match self.clock.wall_ahead {
            Some(ahead) => {
                let side = if ahead < 0 { "behind" } else { "ahead of" };
                let off = Millis::new(ahead.unsigned_abs());
                format!(
                    "{known}; its machine's wall clock is {off} {side} it, which plays no part."
                )
            }
            None => format!("{known}."),
        }
    }

    fn outlook_in_words(&self, outlook: Outlook) -> String {
        match outlook {
            Outlook::OfflineAfter(at) => {
                format!("Without another heartbeat it counts as offline after {at} (S1).")
            }
            Outlook::LossAfter(at) => {
                format!("Without another heartbeat its loss is recorded after {at} (T5).")
            }
            Outlook::NobodyWatches => "No loss is recorded, because no pod renewed its watch in \
                time; once one does, the satellite has a full threshold to be heard (T5)."
                .to_owned(),
            Outlook::HeartbeatKeeps => match self.reason {
                Reason::Heard => "Each further heartbeat keeps it online (T2).".to_owned(),
                _ => "A heartbeat on its session makes it online at once (T2).".to_owned(),
            },
            Outlook::HeartbeatResumes => {
                "A heartbeat on the same session brings it back (T3).".to_owned()
            }
            Outlook::ConnectBrings => {
                "A connection of its agent with a valid token brings it online (T1).".to_owned()
            }
            Outlook::EnableAllows => {
                "Once an operator enables it, its agent may connect again (T8).".to_owned()
            }
        }
    }

    fn advice(&self) -> Vec<&'static str> {
        match self.reason {
            Reason::Heard => vec![],
            Reason::Silent | Reason::Lost => vec![
                "Look whether its agent's process runs and whether its machine is up.",
                "Look whether the network between it and this server carries anything: the \
                 connection may be dead without either side knowing.",
            ],
            Reason::Ended => match self.edges.first().and_then(|edge| edge.transition.cause) {
                Some(Cause::ClientClosed) => {
                    vec!["Somebody stopped its agent: start it where it shall run."]
                }
                Some(Cause::ProtocolError | Cause::SlowConsumer) => {
                    vec!["Look into its agent's log, and whether its version fits this server."]
                }
                _ => vec![
                    "Its agent dials again by itself: if it does not come back, look whether its \
                     process runs and whether it reaches this server.",
                ],
            },
            Reason::Revoked => vec![
                "Give its agent the new token and start it; an agent that was shut down does not \
                 dial again.",
            ],
            Reason::Disabled => {
                vec!["Enable it where it shall connect again, and start its agent."]
            }
            Reason::NeverConnected => vec![
                "Start its agent with this satellite's id and token; a lost token is replaced by \
                 rotating it.",
            ],
            Reason::Unknown => vec!["Ask a pod of the newer version."],
        }
    }
}

fn session_in_words(session: &SessionFacts) -> String {
    let mut said = format!("Its last session is number {}", session.epoch);
    if let Some(pod) = &session.pod {
        said.push_str(&format!(", accepted by pod {pod}"));
    }
    if let Some(address) = &session.remote_address {
        said.push_str(&format!(" from {address}"));
    }
    if let Some(since) = session.since {
        said.push_str(&format!(" at {since}"));
    }
    if let Some(version) = &session.agent_version {
        said.push_str(&format!("; its agent is version {version}"));
    }
    if session.took_over {
        said.push_str("; it took over from a session that still counted as connected");
    }
    if session.ended {
        said.push_str("; it has ended");
    }
    said.push('.');
    said
}

/// A span as a person says it: whole seconds where it is at least one.
fn span(millis: Millis) -> Millis {
    match millis.get() {
        short @ 0..1_000 => Millis::new(short),
        long => Millis::from_secs(long / 1_000),
    }
}
