//! Answers to what satellites asked for, as they go over the wire. Secrets are wiped from the text
//! once it is written; a blob is copied once, into its text.

use std::collections::BTreeMap;
use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use groundcontrol_core::packages::{Blob, Entry};
use groundcontrol_core::secrets::{ConfigValues, Values};
use groundcontrol_core::session::Answer;
use serde::Serialize;
use tokio_tungstenite::tungstenite::{Bytes, Utf8Bytes};
use zeroize::Zeroizing;

use super::wire::{
    ConfigSecrets, ManifestEntry, RunSecrets, ScriptPackageBlob, ScriptPackageManifest, SecretText,
    ToSatellite,
};

/// An answer as the text of its frame.
pub(crate) fn text_of(answer: Answer) -> Utf8Bytes {
    match answer {
        Answer::RunSecrets { request_id, env } => run_secrets(request_id, env),
        Answer::ConfigSecrets { request_id, values } => config_secrets(request_id, values),
        Answer::ScriptPackageManifest { lockfile_hash, lockfile } => {
            let entries = lockfile.iter().flat_map(|lockfile| lockfile.entries());
            let entries = entries.map(entry).collect();
            let manifest = ScriptPackageManifest { lockfile_hash, entries };
            ToSatellite::ScriptPackageManifest(manifest).to_text().into()
        }
        Answer::ScriptPackageBlob { integrity, blob: Some(loaded) } => {
            blob(&integrity, &loaded.blob).into()
        }
        Answer::ScriptPackageBlob { integrity, blob: None } => {
            let blob = ScriptPackageBlob { integrity, data: None };
            ToSatellite::ScriptPackageBlob(blob).to_text().into()
        }
        // The session says nothing in this case.
        Answer::Nothing { .. } => Utf8Bytes::default(),
    }
}

fn run_secrets(request_id: String, env: Result<Values, String>) -> Utf8Bytes {
    let (env, error) = split(env);
    let env = env.as_ref().map(texts);
    wiped(&ToSatellite::RunSecrets(RunSecrets { request_id, env, error }))
}

fn config_secrets(request_id: String, values: Result<ConfigValues, String>) -> Utf8Bytes {
    let (values, error) = split(values);
    let collectors = |values: &ConfigValues| {
        values.collectors.iter().map(|(id, values)| (id.clone(), texts(values))).collect()
    };
    wiped(&ToSatellite::ConfigSecrets(ConfigSecrets {
        request_id,
        strategy: values.as_ref().map(|values| texts(&values.strategy)),
        collectors: values.as_ref().map(collectors),
        error,
    }))
}

fn split<T>(answer: Result<T, String>) -> (Option<T>, Option<String>) {
    match answer {
        Ok(found) => (Some(found), None),
        Err(error) => (None, Some(error)),
    }
}

fn texts(values: &Values) -> BTreeMap<String, SecretText> {
    values.iter().map(|(name, value)| (name.clone(), SecretText::new(value.expose()))).collect()
}

fn entry(entry: &Entry) -> ManifestEntry {
    ManifestEntry {
        name: entry.name.to_string(),
        version: entry.version.to_string(),
        integrity: entry.integrity.to_string(),
        blob_sha256: Some(entry.blob.to_string()),
    }
}

/// Every piece but the last is of a length that makes base64 without padding, so that all of them
/// are that of the whole.
fn blob(integrity: &str, blob: &Blob) -> String {
    const AROUND: usize = 64;
    let integrity = serde_json::Value::from(integrity).to_string();
    let mut text = String::with_capacity(AROUND + integrity.len() + blob.len().div_ceil(3) * 4);
    text.push_str(r#"{"type":"script_package_blob","integrity":"#);
    text.push_str(&integrity);
    text.push_str(r#","data":""#);
    for piece in blob.pieces() {
        STANDARD.encode_string(piece, &mut text);
    }
    text.push_str("\"}");
    text
}

/// The message as a text that is wiped from memory when it is let go. It is written where there is
/// room for all of it, as a buffer that grows would leave parts of it behind.
fn wiped(message: &impl Serialize) -> Utf8Bytes {
    let mut length = Length(0);
    let mut text = Zeroizing::new(Vec::new());
    let written = serde_json::to_writer(&mut length, message).and_then(|()| {
        text.reserve_exact(length.0);
        serde_json::to_writer(&mut *text, message)
    });
    debug_assert!(written.is_ok(), "every field is text or a map with text for keys");
    Utf8Bytes::try_from(Bytes::from_owner(text)).unwrap_or_default()
}

/// Counts bytes.
struct Length(usize);

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use groundcontrol_core::limits::BLOB_PIECE;
    use groundcontrol_core::packages::{BlobHash, Lockfile};
    use groundcontrol_core::ports::{LoadedBlob, Room};
    use groundcontrol_core::secrets::SecretValue;

    use super::*;

    fn said(answer: Answer) -> ToSatellite {
        ToSatellite::parse(&text_of(answer)).expect("a message")
    }

    fn values(name: &str) -> Values {
        [(name.to_owned(), SecretValue::new("a \"quoted\"\nvalue"))].into()
    }

    #[test]
    fn an_environment_arrives_to_the_letter_and_an_error_has_no_environment() {
        let env = Ok(values("KEY"));
        let heard = said(Answer::RunSecrets { request_id: "r".into(), env });
        let ToSatellite::RunSecrets(heard) = heard else { panic!("{heard:?}") };
        let env = heard.env.expect("an environment");
        assert_eq!(env["KEY"].expose(), "a \"quoted\"\nvalue");
        let refused = Answer::RunSecrets { request_id: "r".into(), env: Err("no".into()) };
        let text = text_of(refused);
        assert_eq!(text, r#"{"type":"run_secrets","requestId":"r","error":"no"}"#);
    }

    #[test]
    fn values_of_a_configuration_arrive_by_path_and_collector() {
        let collectors = [("entry".to_owned(), values("targets[0].token"))].into();
        let found = ConfigValues { strategy: values("auth.password"), collectors };
        let heard = said(Answer::ConfigSecrets { request_id: "r".into(), values: Ok(found) });
        let ToSatellite::ConfigSecrets(heard) = heard else { panic!("{heard:?}") };
        let strategy = heard.strategy.expect("values");
        assert_eq!(strategy["auth.password"].expose(), "a \"quoted\"\nvalue");
        let collectors = heard.collectors.expect("values");
        assert!(collectors["entry"].contains_key("targets[0].token"));
        assert_eq!(heard.error, None);
    }

    #[test]
    fn a_blob_is_sent_in_base64_whatever_its_pieces() {
        let bytes: Vec<u8> = (0..2 * BLOB_PIECE + 4).map(|at| (at % 251) as u8).collect();
        let blob = Arc::new(Blob::new(bytes.chunks(BLOB_PIECE).map(Into::into).collect()));
        let blob = Some(LoadedBlob { blob, room: Room::new(()) });
        let heard = said(Answer::ScriptPackageBlob { integrity: "sha512-\"x\"".into(), blob });
        let ToSatellite::ScriptPackageBlob(heard) = heard else { panic!("{heard:?}") };
        assert_eq!(heard.integrity, "sha512-\"x\"");
        assert!(heard.data == Some(STANDARD.encode(bytes)));
    }

    #[test]
    fn the_entries_of_a_lockfile_are_all_sent() {
        let entry = Entry {
            name: "left-pad".parse().unwrap(),
            version: "1.0.0".parse().unwrap(),
            integrity: "sha512-x".parse().unwrap(),
            blob: BlobHash::of(b"x"),
        };
        let lockfile = Some(Arc::new(Lockfile::new(vec![entry]).unwrap()));
        let heard = said(Answer::ScriptPackageManifest { lockfile_hash: "h".into(), lockfile });
        let ToSatellite::ScriptPackageManifest(heard) = heard else { panic!("{heard:?}") };
        assert_eq!(heard.entries[0].name, "left-pad");
        let blob = BlobHash::of(b"x").to_string();
        assert_eq!(heard.entries[0].blob_sha256.as_deref(), Some(blob.as_str()));
    }
}
