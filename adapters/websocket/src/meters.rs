//! Figures about the sockets, in handles that are looked up once.

use groundcontrol_core::session::Ending;
use metrics::{Counter, Gauge, counter, gauge};

use super::wire::FromSatellite;

const MESSAGES: &str = "groundcontrol_websocket_messages_total";
const CLOSED: &str = "groundcontrol_websocket_closed_total";
const CODES: [u16; 12] = [1002, 1003, 1007, 1008, 1009, 1012, 1013, 4401, 4403, 4408, 4409, 4429];

/// The figures. They go to the recorder that was installed when this was made.
pub(crate) struct Meters {
    pub(crate) connections: Gauge,
    pub(crate) unknown: Counter,
    pub(crate) malformed: Counter,
    pub(crate) unauthorised_results: Counter,
    messages: Vec<Counter>,
    codes: Vec<(u16, Counter)>,
    echoed: Counter,
    no_code: Counter,
}

impl Meters {
    pub(crate) fn new() -> Self {
        let code = |code: u16| (code, counter!(CLOSED, "code" => code.to_string()));
        Self {
            connections: gauge!("groundcontrol_websocket_connections"),
            unknown: counter!(MESSAGES, "type" => "unknown"),
            malformed: counter!("groundcontrol_websocket_malformed_total"),
            unauthorised_results: counter!("groundcontrol_websocket_unauthorised_results_total"),
            messages: FromSatellite::KINDS
                .iter()
                .map(|kind| counter!(MESSAGES, "type" => *kind))
                .collect(),
            codes: CODES.into_iter().map(code).collect(),
            echoed: counter!(CLOSED, "code" => "echoed"),
            no_code: counter!(CLOSED, "code" => "none"),
        }
    }

    /// A message was understood.
    pub(crate) fn message(&self, message: &FromSatellite<'_>) {
        let kinds = FromSatellite::KINDS.iter();
        let of_kind = kinds.zip(&self.messages).find(|(kind, _)| **kind == message.kind());
        if let Some((_, counter)) = of_kind {
            counter.increment(1);
        }
    }

    /// A socket ended.
    pub(crate) fn closed(&self, ending: Ending) {
        let counter = match ending.close_code() {
            Some(code) => self.codes.iter().find(|(known, _)| *known == code.0).map(|(_, c)| c),
            None if ending == Ending::PeerClosed => Some(&self.echoed),
            None => Some(&self.no_code),
        };
        if let Some(counter) = counter {
            counter.increment(1);
        }
    }
}
