//! Every limit of the protocol and the API, with its unit. Defaults; the server's settings may
//! change those that [`crate::ports`] carries as values.

use crate::time::Millis;

/// How often a satellite sends `heartbeat`.
pub const HEARTBEAT_INTERVAL: Millis = Millis::from_secs(15);
/// How long after its last heartbeat a satellite still counts as online (rule S1).
pub const OFFLINE_THRESHOLD: Millis = Millis::from_secs(45);
/// The least heartbeat interval that a server accepts.
pub const MIN_HEARTBEAT_INTERVAL: Millis = Millis::new(100);
/// The greatest offline threshold, for one satellite or as the default: 7 days.
pub const MAX_OFFLINE_THRESHOLD: Millis = Millis::from_secs(7 * 24 * 3600);
/// A threshold spans at least this many heartbeat intervals.
pub const MIN_THRESHOLD_INTERVALS: u64 = 2;

/// A received heartbeat is stored after at most this long, or a tenth of the smallest threshold
/// in use if that is less.
pub const FLUSH_BOUND: Millis = Millis::new(250);
/// The smallest threshold in use is divided by this for the flush bound.
pub const FLUSH_THRESHOLD_DIVISOR: u64 = 10;

/// Time between the upgrade and `authenticate`.
pub const AUTHENTICATE_WITHIN: Millis = Millis::from_secs(10);
/// Bytes of the largest message before authentication.
pub const MAX_MESSAGE_BEFORE_AUTH: usize = 4 * 1024;
/// Bytes of the largest message after authentication.
pub const MAX_MESSAGE: usize = 16 * 1024 * 1024;

/// Messages a second that one connection may send without being slowed down.
pub const READ_MESSAGES_PER_SECOND: u64 = 200;
/// Messages that a connection may send at once, having been quiet before.
pub const READ_MESSAGES_BURST: u64 = 12_000;
/// Bytes a minute that one connection may send without being slowed down.
pub const READ_BYTES_PER_MINUTE: u64 = 64 * 1024 * 1024;

/// Failed authentications a minute for one client id.
pub const FAILED_AUTHS_PER_CLIENT_PER_MINUTE: u32 = 10;
/// Failed authentications a minute from one remote address.
pub const FAILED_AUTHS_PER_ADDRESS_PER_MINUTE: u32 = 100;

/// Takeovers a minute from sockets that were alive; with the next two agents count as fighting
/// over one credential.
pub const LIVE_TAKEOVERS_PER_MINUTE: usize = 5;
/// Where two agents fight, the newest is refused for this long at first …
pub const FIGHT_REFUSED_FIRST: Millis = Millis::from_secs(30);
/// … and each time they go on for twice as long, up to this.
pub const FIGHT_REFUSED_MOST: Millis = Millis::from_secs(600);

/// The server sends a ping this often.
pub const PING_INTERVAL: Millis = Millis::from_secs(30);
/// A connection without any frame for this long is closed …
pub const IDLE_LIMIT: Millis = Millis::from_secs(90);
/// … but never before this many of the satellite's thresholds.
pub const IDLE_LIMIT_THRESHOLDS: u64 = 2;

/// Messages that wait for one connection before its reader is too slow.
pub const OUTGOING_MESSAGES: usize = 256;
/// Bytes that wait for one connection before its reader is too slow.
pub const OUTGOING_BYTES: usize = 32 * 1024 * 1024;

/// Requests of one connection that are looked for at a time.
pub const REQUESTS_IN_FLIGHT: usize = 8;
/// Of those, script-package blobs: each is held as a whole until it is written.
pub const SCRIPT_PACKAGE_BLOBS_IN_FLIGHT: usize = 1;
/// Requests of one connection that wait to be looked for; of more, the satellite is told that they
/// are too many.
pub const REQUESTS_WAITING: usize = 1024;
/// Bytes of each text in a request.
pub const MAX_REQUEST_TEXT: usize = 512;

/// Milliseconds of the first reconnect delay; doubled with each attempt.
pub const RECONNECT_FIRST: Millis = Millis::from_secs(1);
/// The longest reconnect delay, before jitter.
pub const RECONNECT_MOST: Millis = Millis::from_secs(30);
/// A reconnect delay varies by this many hundredths up and down.
pub const RECONNECT_JITTER_PERCENT: u64 = 25;

/// Characters of a satellite's name or region.
pub const MAX_NAME_CHARS: usize = 200;
/// Tags of one satellite.
pub const MAX_TAGS: usize = 64;
/// Characters of a tag's key.
pub const MAX_TAG_KEY_CHARS: usize = 63;
/// Characters of a tag's value.
pub const MAX_TAG_VALUE_CHARS: usize = 255;
/// Characters that we keep of the version an agent reports.
pub const MAX_VERSION_CHARS: usize = 200;
/// Capabilities that we keep of those an agent reports.
pub const MAX_CAPABILITIES: usize = 64;
/// Characters of one capability.
pub const MAX_CAPABILITY_CHARS: usize = 200;

/// Seconds of the longest interval of a check: a day.
pub const MAX_INTERVAL_SECONDS: u32 = 86_400;
/// Collectors of one check.
pub const MAX_COLLECTORS: usize = 100;
/// Assertions of one collector.
pub const MAX_ASSERTIONS: usize = 100;
/// Characters of an assertion's JSON path.
pub const MAX_JSON_PATH_CHARS: usize = 1000;
/// Characters of an expression over tags.
pub const MAX_SELECTOR_CHARS: usize = 4000;
/// Bytes of the details of one run that are kept.
pub const MAX_RUN_DETAILS: usize = 1024 * 1024;
/// How far ahead of store time a run may have been executed, by the agent's clock: a day.
pub const MAX_RUN_AHEAD: Millis = Millis::from_secs(24 * 3600);
/// Characters of what an agent says of a strategy that it lacks.
pub const MAX_STRATEGY_ERROR_CHARS: usize = 2000;
/// Satellites that one assignment names.
pub const MAX_ASSIGNED_SATELLITES: usize = 10_000;

/// Characters of a secret's name.
pub const MAX_SECRET_NAME_CHARS: usize = 128;
/// Bytes of a secret's value.
pub const MAX_SECRET_VALUE: usize = 64 * 1024;
/// References to secrets in one place: a collector's environment, or a check's configuration.
pub const MAX_SECRET_REFERENCES: usize = 10_000;
/// Different secrets that one place refers to.
pub const MAX_SECRET_NAMES: usize = 256;
/// Bytes of all texts of one answer, with the values of secrets in their places.
pub const MAX_SECRET_ANSWER: usize = 1024 * 1024;
/// Characters that are kept of each text about a delivery of secrets.
pub const MAX_DELIVERY_ERROR_CHARS: usize = 500;
/// How long a source of secrets may take for one request.
pub const SECRETS_WITHIN: Millis = Millis::from_secs(10);

/// Bytes of a script package's blob: what fits, as base64, into one message.
pub const MAX_BLOB: usize = 11 * 1024 * 1024;
/// Bytes that a blob may be unpacked to.
pub const MAX_UNPACKED_BLOB: u64 = 256 * 1024 * 1024;
/// Bytes that all packages of one lockfile may be unpacked to.
pub const MAX_UNPACKED_PACKAGES: u64 = 1024 * 1024 * 1024;
/// Files and folders that all packages of one lockfile may hold.
pub const MAX_PACKAGE_FILES: u64 = 200_000;
/// Entries of a lockfile.
pub const MAX_PACKAGES: usize = 2_000;
/// Characters of a package's name.
pub const MAX_PACKAGE_NAME_CHARS: usize = 214;
/// Characters of a package's version.
pub const MAX_PACKAGE_VERSION_CHARS: usize = 256;
/// Characters of the key by which satellites ask for a package.
pub const MAX_INTEGRITY_CHARS: usize = 512;
/// Characters that we keep of the lockfile that an agent names.
pub const MAX_LOCKFILE_HASH_CHARS: usize = 200;
/// Characters that we keep of why an agent's packages are not ready.
pub const MAX_SYNC_ERROR_CHARS: usize = 2000;
/// Blobs that one pod has in memory at a time on their way out; others wait.
pub const BLOBS_IN_MEMORY: usize = 8;
/// Blobs that one pod has in memory at a time on their way in; others wait.
pub const BLOB_UPLOADS: usize = 4;
/// Bytes of the pieces in which a blob is kept and passed on. A multiple of three, so that the
/// base64 of the pieces is that of the whole.
pub const BLOB_PIECE: usize = 768 * 1024;
/// Packages that no lockfile names any more are kept for this long: a day.
pub const PACKAGE_GRACE: Millis = Millis::from_secs(24 * 3600);
/// Files that are read of a folder of documents.
pub const MAX_DOCUMENT_FILES: usize = 10_000;
/// Bytes of all documents of a folder together.
pub const MAX_DOCUMENT_BYTES: usize = 64 * 1024 * 1024;
/// Documents of a folder.
pub const MAX_DOCUMENTS: usize = 100_000;

/// Bytes of an HTTP request body.
pub const MAX_BODY: usize = 1024 * 1024;
/// Items of a list when the caller does not say.
pub const DEFAULT_PAGE: usize = 100;
/// The most items of a list.
pub const MAX_PAGE: usize = 1000;
/// The longest time during which an old token works beside its successor: 7 days.
pub const MAX_TOKEN_OVERLAP: Millis = Millis::from_secs(7 * 24 * 3600);
/// Attempts of a conditional write before the caller is told that the store is busy.
pub const WRITE_ATTEMPTS: u32 = 8;

/// Nudges that wait for the other pods while the queue is away or slow; of more, the pods are told
/// that they missed some.
pub const MAX_WAITING_NUDGES: usize = 1024;

/// Webhooks of one fleet.
pub const MAX_WEBHOOKS: usize = 200;
/// Characters of a webhook's URL.
pub const MAX_WEBHOOK_URL_CHARS: usize = 2000;
/// Headers that one webhook adds to its requests.
pub const MAX_WEBHOOK_HEADERS: usize = 20;
/// Characters of the name or value of one of them.
pub const MAX_WEBHOOK_HEADER_CHARS: usize = 4000;
/// Bytes of the shortest signing secret …
pub const MIN_WEBHOOK_SECRET_BYTES: usize = 24;
/// … and of the longest.
pub const MAX_WEBHOOK_SECRET_BYTES: usize = 64;
/// Signing secrets of one webhook at a time.
pub const MAX_WEBHOOK_SECRETS: usize = 4;
/// The longest time during which an old signing secret signs beside its successor: 7 days.
pub const MAX_WEBHOOK_SECRET_OVERLAP: Millis = Millis::from_secs(7 * 24 * 3600);
/// The time to reach a webhook's receiver.
pub const WEBHOOK_CONNECT_WITHIN: Millis = Millis::from_secs(4);
/// The time for a whole attempt; less than the lease of whoever makes it.
pub const WEBHOOK_ANSWER_WITHIN: Millis = Millis::from_secs(10);
/// Bytes that are read and kept of a receiver's answer.
pub const MAX_WEBHOOK_RESPONSE: usize = 4096;
/// Requests to one webhook's receiver at a time.
pub const WEBHOOK_REQUESTS: usize = 32;
/// Deliveries of one webhook that wait; while there are more, events are not looked at.
pub const MAX_WAITING_DELIVERIES: u64 = 10_000;
/// A webhook of which no attempt succeeded for this long is paused: a day.
pub const WEBHOOK_FAILING_BEFORE_PAUSE: Millis = Millis::from_secs(24 * 3600);
/// How long deliveries that were made are kept: 7 days.
pub const KEEP_DELIVERED: Millis = Millis::from_secs(7 * 24 * 3600);
/// How long deliveries that were given up are kept: 30 days.
pub const KEEP_DEAD_DELIVERIES: Millis = Millis::from_secs(30 * 24 * 3600);
/// Rules of one fleet.
pub const MAX_RULES: usize = 100;
/// The longest time that a rule waits before it tells: 7 days.
pub const MAX_RULE_LASTS: Millis = Millis::from_secs(7 * 24 * 3600);
/// The longest time that a rule waits before it tells that something is over: a day.
pub const MAX_RULE_STEADY: Millis = Millis::from_secs(24 * 3600);
/// The share of a region's satellites, in hundredths, beyond which its loss is suspected unless an
/// operator says otherwise.
pub const DEFAULT_REGION_LOSS_SHARE: u64 = 50;
/// The time within which they must fall silent, unless an operator says otherwise …
pub const DEFAULT_REGION_LOSS_WINDOW: Millis = Millis::from_secs(120);
/// … and the longest that an operator may say: a day.
pub const MAX_REGION_LOSS_WINDOW: Millis = Millis::from_secs(24 * 3600);
/// With fewer losses than these no loss of a region is suspected.
pub const MIN_REGION_LOSSES: u64 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_that_are_computed_are_those_of_the_protocol() {
        assert_eq!(MAX_OFFLINE_THRESHOLD, Millis::new(604_800_000));
        assert_eq!(MAX_TOKEN_OVERLAP, Millis::new(604_800_000));
        assert_eq!(MAX_MESSAGE_BEFORE_AUTH, 4_096);
        assert_eq!(MAX_MESSAGE, 16_777_216);
        assert_eq!(READ_BYTES_PER_MINUTE, 67_108_864);
        assert_eq!(OUTGOING_BYTES, 33_554_432);
        assert_eq!(MAX_BLOB, 11_534_336);
        assert_eq!((MAX_UNPACKED_BLOB, MAX_UNPACKED_PACKAGES), (268_435_456, 1_073_741_824));
        assert_eq!((BLOB_PIECE, BLOB_PIECE % 3), (786_432, 0));
        assert_eq!(PACKAGE_GRACE, Millis::new(86_400_000));
        assert_eq!(MAX_DOCUMENT_BYTES, 67_108_864);
        assert_eq!(MAX_BODY, 1_048_576);
        assert_eq!(MAX_RUN_DETAILS, 1_048_576);
        assert_eq!(MAX_SECRET_VALUE, 65_536);
        assert_eq!(MAX_SECRET_ANSWER, 1_048_576);
        assert_eq!(MAX_RUN_AHEAD, Millis::new(86_400_000));
        assert_eq!(MAX_WEBHOOK_SECRET_OVERLAP, Millis::new(604_800_000));
        assert_eq!(WEBHOOK_FAILING_BEFORE_PAUSE, Millis::new(86_400_000));
        assert_eq!(KEEP_DELIVERED, Millis::new(604_800_000));
        assert_eq!(KEEP_DEAD_DELIVERIES, Millis::new(2_592_000_000));
    }
}
