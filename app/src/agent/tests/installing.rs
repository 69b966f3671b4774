//! How an agent comes by its packages, from a server that a test plays. Files take real time.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use groundcontrol_websocket::wire::ManifestEntry;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::super::packages::tests::manifest_entry;
use super::*;
use crate::archive::tests::package;

/// A server's packages: a lockfile with an entry and a blob for each name.
struct Packages {
    lockfile: &'static str,
    blobs: Vec<(ManifestEntry, Vec<u8>)>,
}

impl Packages {
    fn new(lockfile: &'static str, names: &[&str]) -> Self {
        let blobs = names.iter().map(|name| {
            let blob = package(&[("package/index.js", &format!("{name} of {lockfile}"))]);
            (manifest_entry(name, &blob), blob)
        });
        Self { lockfile, blobs: blobs.collect() }
    }

    fn manifest(&self) -> Value {
        let entries: Vec<&ManifestEntry> = self.blobs.iter().map(|(entry, _)| entry).collect();
        json!({
            "type": "script_package_manifest", "lockfileHash": self.lockfile, "entries": entries,
        })
    }

    fn blob(&self, integrity: &str) -> Value {
        let found = self.blobs.iter().find(|(entry, _)| entry.integrity == integrity);
        let data = found.map(|(_, blob)| STANDARD.encode(blob));
        json!({"type": "script_package_blob", "integrity": integrity, "data": data})
    }

    /// Serves them until the agent says that it is through. How many blobs it asked for, and what
    /// it said.
    async fn serve(&self, session: &mut Connection) -> (usize, Value) {
        let mut asked = 0;
        loop {
            let said: Value = serde_json::from_str(&session.text().await).unwrap();
            match said["type"].as_str().unwrap() {
                "request_script_package_manifest" => {
                    session.say(&self.manifest().to_string()).await;
                }
                "request_script_package_blob" => {
                    asked += 1;
                    let integrity = said["integrity"].as_str().unwrap();
                    session.say(&self.blob(integrity).to_string()).await;
                }
                "script_package_sync_state" if said["status"] != "syncing" => {
                    return (asked, said);
                }
                _ => {}
            }
        }
    }
}

/// A session of a server that wants this lockfile.
async fn session(server: &mut Server, lockfile: &Value) -> Connection {
    let mut connection = server.connection().await;
    let extra = format!(r#","scriptPackagesLockfileHash":{lockfile}"#);
    connection.say(&authenticated(&extra)).await;
    connection
}

fn read(folder: &TempDir, name: &str) -> Option<String> {
    std::fs::read_to_string(folder.path().join("node_modules").join(name).join("index.js")).ok()
}

#[tokio::test]
async fn the_packages_that_are_wanted_are_installed_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start_in(folder.path());
    let mut session = session(&mut server, &json!("one")).await;
    let (asked, said) = Packages::new("one", &["a", "@b/c"]).serve(&mut session).await;
    assert_eq!(asked, 2);
    let ready =
        json!({"type": "script_package_sync_state", "lockfileHash": "one", "status": "ready"});
    assert_eq!(said, ready);
    assert_eq!(read(&folder, "@b/c").as_deref(), Some("@b/c of one"));
}

#[tokio::test]
async fn only_what_is_missing_is_pulled() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start_in(folder.path());
    let mut session = session(&mut server, &json!("one")).await;
    let first = Packages::new("one", &["a", "b"]);
    first.serve(&mut session).await;
    let mut second = Packages::new("two", &["c"]);
    second.blobs.extend(first.blobs);
    let nudge = r#"{"type":"refresh_script_packages","lockfileHash":"two"}"#;
    session.say(nudge).await;
    let (asked, said) = second.serve(&mut session).await;
    assert_eq!((asked, &said["status"]), (1, &json!("ready")));
    assert_eq!(read(&folder, "a").as_deref(), Some("a of one"));
    assert_eq!(read(&folder, "c").as_deref(), Some("c of two"));
}

#[tokio::test]
async fn packages_that_are_there_are_ready_without_a_question() {
    let folder = tempfile::tempdir().unwrap();
    for asked in [1, 0] {
        let mut server = Server::start_in(folder.path());
        let mut session = session(&mut server, &json!("one")).await;
        let served = Packages::new("one", &["a"]).serve(&mut session).await;
        assert_eq!((served.0, &served.1["status"]), (asked, &json!("ready")));
        server.agent.abort();
    }
}

#[tokio::test]
async fn a_blob_that_is_not_what_was_announced_changes_nothing_and_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start_in(folder.path());
    let mut session = session(&mut server, &json!("one")).await;
    Packages::new("one", &["a"]).serve(&mut session).await;
    let mut forged = Packages::new("two", &["a"]);
    forged.blobs[0].1 = package(&[("package/index.js", "forged")]);
    session.say(r#"{"type":"refresh_script_packages","lockfileHash":"two"}"#).await;
    let (_, said) = forged.serve(&mut session).await;
    assert_eq!((&said["lockfileHash"], &said["status"]), (&json!("two"), &json!("error")));
    assert!(said["errorMessage"].as_str().unwrap().contains("blob of a"), "{said}");
    assert_eq!(read(&folder, "a").as_deref(), Some("a of one"));
}

#[tokio::test]
async fn no_packages_at_all_is_a_state_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start_in(folder.path());
    let mut session = session(&mut server, &json!("one")).await;
    let packages = Packages::new("one", &["a"]);
    packages.serve(&mut session).await;
    let none = r#"{"type":"config_updated","assignments":[],"scriptPackagesLockfileHash":null}"#;
    session.say(none).await;
    let (_, said) = packages.serve(&mut session).await;
    assert_eq!((&said["lockfileHash"], &said["status"]), (&Value::Null, &json!("ready")));
    assert_eq!(read(&folder, "a"), None);
}

#[tokio::test]
async fn an_agent_without_a_folder_for_packages_says_so() {
    let mut server = Server::start();
    let mut session = session(&mut server, &json!("one")).await;
    let (asked, said) = Packages::new("one", &["a"]).serve(&mut session).await;
    assert_eq!((asked, &said["status"]), (0, &json!("error")));
    assert!(said["errorMessage"].as_str().unwrap().contains("--packages"), "{said}");
}
