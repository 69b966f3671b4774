//! Answers to what satellites asked for, as they go over the wire. Secrets are wiped from the text
//! once it is written; a blob is copied once, into its text.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use groundcontrol_core::secrets::{ConfigValues, Values};
use groundcontrol_core::session::{Answer, ScriptPackage};
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
        Answer::ScriptPackageManifest { lockfile_hash, entries } => {
            let entries = entries.iter().map(entry).collect();
            let manifest = ScriptPackageManifest { lockfile_hash, entries };
            ToSatellite::ScriptPackageManifest(manifest).to_text().into()
        }
        Answer::ScriptPackageBlob { integrity, data: Some(data) } => blob(&integrity, &data).into(),
        Answer::ScriptPackageBlob { integrity, data: None } => {
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

fn entry(package: &ScriptPackage) -> ManifestEntry {
    ManifestEntry {
        name: package.name.clone(),
        version: package.version.clone(),
        integrity: package.integrity.clone(),
        blob_sha256: package.blob_sha256.clone(),
    }
}

fn blob(integrity: &str, data: &Arc<[u8]>) -> String {
    const AROUND: usize = 64;
    let integrity = serde_json::Value::from(integrity).to_string();
    let mut text = String::with_capacity(AROUND + integrity.len() + data.len().div_ceil(3) * 4);
    text.push_str(r#"{"type":"script_package_blob","integrity":"#);
    text.push_str(&integrity);
    text.push_str(r#","data":""#);
    STANDARD.encode_string(data, &mut text);
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
    fn a_blob_is_sent_in_base64() {
        let data = Some(Arc::from([0_u8, 1, 254, 255].as_slice()));
        let heard = said(Answer::ScriptPackageBlob { integrity: "sha512-\"x\"".into(), data });
        let ToSatellite::ScriptPackageBlob(heard) = heard else { panic!("{heard:?}") };
        assert_eq!(heard.integrity, "sha512-\"x\"");
        assert_eq!(heard.data.as_deref(), Some("AAH+/w=="));
    }

    #[test]
    fn the_entries_of_a_lockfile_are_all_sent() {
        let package = ScriptPackage {
            name: "left-pad".into(),
            version: "1.0.0".into(),
            integrity: "sha512-x".into(),
            blob_sha256: Some("ab".into()),
        };
        let entries = Arc::from([package]);
        let heard = said(Answer::ScriptPackageManifest { lockfile_hash: "h".into(), entries });
        let ToSatellite::ScriptPackageManifest(heard) = heard else { panic!("{heard:?}") };
        assert_eq!(heard.entries[0].name, "left-pad");
        assert_eq!(heard.entries[0].blob_sha256.as_deref(), Some("ab"));
    }
}
