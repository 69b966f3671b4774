//! Where all events go besides.

use std::fmt;

use super::queue::NatsPlace;
use super::{ConfigError, Options};
use crate::secret_url::SecretUrl;

/// A subject of NATS that all events go to.
#[derive(Clone, Debug)]
pub struct EventSettings {
    /// Where NATS is.
    pub place: NatsPlace,
    /// The subject.
    pub subject: String,
    /// Whether a JetStream stream must store each event.
    pub jetstream: bool,
}

impl fmt::Display for EventSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.place.servers, self.subject)
    }
}

/// What `--events` names: `nats://HOST:PORT/SUBJECT`, with `?jetstream` where a stream must store
/// each event.
pub(super) fn events(options: &Options) -> Result<Option<EventSettings>, ConfigError> {
    let Some(given) = &options.events else {
        let files = [
            ("--events-credentials-file", options.events_credentials_file.is_some()),
            ("--events-ca-file", options.events_ca_file.is_some()),
        ];
        return match files.into_iter().find(|(_, given)| *given) {
            Some((flag, _)) => Err(ConfigError::OfEventsAlone(flag)),
            None => Ok(None),
        };
    };
    let refused = || ConfigError::Events(given.clone());
    let (servers, rest) = given.expose().rsplit_once('/').ok_or_else(refused)?;
    let (subject, jetstream) = match rest.split_once('?') {
        None => (rest, false),
        Some((subject, "jetstream" | "jetstream=true")) => (subject, true),
        Some((subject, "jetstream=false")) => (subject, false),
        Some(_) => return Err(refused()),
    };
    let Ok(servers) = servers.parse::<SecretUrl>();
    let names_a_host = servers.expose().split_once("://").is_some_and(|(_, host)| !host.is_empty());
    if !servers.is_nats() || !names_a_host || subject.is_empty() {
        return Err(refused());
    }
    let place = NatsPlace {
        servers,
        credentials: options.events_credentials_file.clone(),
        authorities: options.events_ca_file.clone(),
        client: None,
        prefix: None,
    };
    Ok(Some(EventSettings { place, subject: subject.to_owned(), jetstream }))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn asked(events: &str) -> Result<EventSettings, String> {
        let options = Options { events: events.parse().ok(), ..Options::default() };
        let settings = options.resolve(None, "x1").map_err(|error| error.to_string())?;
        let shown = format!("{settings:?}");
        assert!(!shown.contains("hush"), "{shown}");
        settings.events.ok_or_else(|| "none".to_owned())
    }

    #[test]
    fn a_subject_is_what_follows_the_servers() {
        let plain = asked("nats://me:hush@one:4222,two:4222/fleet.events").unwrap();
        assert_eq!((plain.subject.as_str(), plain.jetstream), ("fleet.events", false));
        assert_eq!(plain.to_string(), "nats://…@one:4222,two:4222/fleet.events");
        let stored = asked("tls://one/events?jetstream").unwrap();
        assert_eq!((stored.subject.as_str(), stored.jetstream), ("events", true));
    }

    #[test]
    fn what_names_no_subject_of_nats_is_refused_with_what_would() {
        for events in [
            "nats://one:4222",
            "nats://one:4222/",
            "nats:///events",
            "nats://one/events?strange",
            "kafka://me:hush@one/events",
            "",
        ] {
            let refused = asked(events).unwrap_err();
            assert!(refused.contains("nats://HOST:PORT/SUBJECT"), "{events}: {refused}");
            assert!(!refused.contains("hush"), "{refused}");
        }
    }

    #[test]
    fn what_only_a_sink_can_use_is_refused_without_one_by_name() {
        let file = Some(PathBuf::from("file"));
        let options = Options { events_ca_file: file, ..Options::default() };
        let refused = options.resolve(None, "x1").unwrap_err().to_string();
        assert!(refused.starts_with("--events-ca-file"), "{refused}");
    }
}
