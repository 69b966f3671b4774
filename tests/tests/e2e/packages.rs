//! Script packages from a folder on an operator's machine to the folder of a real agent, and as an
//! agent of another make asks for them.

#![allow(clippy::unwrap_used, reason = "helpers of tests may, as tests may")]

use std::fs;
use std::path::{Path, PathBuf};

use groundcontrol_testkit::server::{
    Agent, Api, Exited, Said, Satellite, Server, Site, Socket, command_line, eventually,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const PACKAGES: &str = "/api/v1/script-packages";

/// Writes a package with one file that says `content`.
fn write(root: &Path, name: &str, version: &str, content: &str) {
    let folder = root.join(name);
    fs::create_dir_all(&folder).unwrap();
    let about = json!({"name": name, "version": version, "main": "index.js"});
    fs::write(folder.join("package.json"), about.to_string()).unwrap();
    fs::write(folder.join("index.js"), format!("module.exports = {content:?};\n")).unwrap();
}

/// A folder with several packages.
fn packages(site: &Site) -> PathBuf {
    let root = site.folder().join("published/node_modules");
    for name in ["left-pad", "@scope/right-pad", "padding"] {
        write(&root, name, "1.0.0", &format!("{name}, the first"));
    }
    root
}

async fn publish(server: &Server, root: &Path) -> Value {
    let path = root.to_str().unwrap();
    let Exited { code, output, errors } =
        command_line(server, &["packages", "publish", path, "--output", "json"]).await;
    assert_eq!(code, Some(0), "{errors}");
    serde_json::from_str(&output).unwrap()
}

/// Waits until the satellite says that it has this lockfile.
async fn ready(api: &Api, satellite: &Satellite, lockfile: &Value) {
    let path = format!("/api/v1/satellites/{}/script-packages", satellite.id);
    eventually("the satellite is ready", async || {
        let said = api.get(&path).await;
        let is_ready = said.status == StatusCode::OK && said.body["status"] == "ready";
        (is_ready && said.body["lockfileHash"] == *lockfile).then_some(())
    })
    .await;
}

/// Blobs that an agent keeps, by name, and when each was written.
fn blobs(folder: &Path) -> Vec<(PathBuf, std::time::SystemTime)> {
    let entries = fs::read_dir(folder.join("blobs")).unwrap().map(|entry| entry.unwrap());
    let of = |entry: fs::DirEntry| (entry.path(), entry.metadata().unwrap().modified().unwrap());
    let mut found: Vec<_> = entries.map(of).collect();
    found.sort();
    found
}

#[tokio::test]
async fn a_folder_that_is_published_is_imported_by_a_real_agent_and_a_change_brings_what_is_new() {
    let site = Site::new();
    let server = site.serve().await;
    let api = site.api(&server);
    let satellite = api.create(&site).await;
    let folder = site.folder().join("agent");
    let more = ["--packages", folder.to_str().unwrap()];
    let agent = Agent::start_with(&site, server.url(), &satellite, &more);
    let root = packages(&site);

    let first = publish(&server, &root).await;
    assert_eq!((&first["packages"], &first["uploadedBlobs"]), (&json!(3), &json!(3)));
    ready(&api, &satellite, &first["lockfileHash"]).await;
    let imported = |name: &str| {
        fs::read_to_string(folder.join("node_modules").join(name).join("index.js")).unwrap()
    };
    assert!(imported("@scope/right-pad").contains("@scope/right-pad, the first"));
    let before = blobs(&folder);
    assert_eq!(before.len(), 3);

    write(&root, "left-pad", "2.0.0", "left-pad, the second");
    let second = publish(&server, &root).await;
    assert_eq!(second["uploadedBlobs"], 1);
    assert_eq!(second["added"][0]["version"], "2.0.0");
    ready(&api, &satellite, &second["lockfileHash"]).await;
    assert!(imported("left-pad").contains("left-pad, the second"));
    let after = blobs(&folder);
    let stayed = after.iter().filter(|blob| before.contains(blob)).count();
    assert_eq!((after.len(), stayed), (3, 2), "{before:?} {after:?}");

    let told = command_line(&server, &["packages", "status"]).await;
    assert!(told.output.contains("1 of 1 satellites are ready."), "{}", told.output);
    let cleared = command_line(&server, &["packages", "clear", "--yes"]).await;
    assert_eq!(cleared.code, Some(0), "{}", cleared.errors);
    ready(&api, &satellite, &Value::Null).await;
    assert!(!folder.join("node_modules/left-pad").exists());
    assert_eq!(agent.stop().await, Some(0));
}

#[tokio::test]
async fn an_agent_that_was_away_catches_up_when_it_comes_back() {
    let site = Site::new();
    let server = site.serve().await;
    let api = site.api(&server);
    let satellite = api.create(&site).await;
    let published = publish(&server, &packages(&site)).await;
    let folder = site.folder().join("agent");
    let more = ["--packages", folder.to_str().unwrap()];
    let agent = Agent::start_with(&site, server.url(), &satellite, &more);
    ready(&api, &satellite, &published["lockfileHash"]).await;
    assert_eq!(agent.stop().await, Some(0));
}

async fn next(socket: &mut Socket) -> Value {
    match socket.next().await {
        Said::Message(said) => said,
        closed => panic!("expected a message, got {closed:?}"),
    }
}

#[tokio::test]
async fn an_agent_of_another_make_is_answered_by_the_protocol() {
    let site = Site::new();
    let server = site.serve().await;
    let api = site.api(&server);
    let satellite = api.create(&site).await;
    let mut socket = Socket::open(&server).await;
    let said = socket.authenticate(&satellite).await;
    assert_eq!(said.get("scriptPackagesLockfileHash"), Some(&Value::Null));

    let published = publish(&server, &packages(&site)).await;
    let lockfile = &published["lockfileHash"];
    let nudge = json!({"type": "refresh_script_packages", "lockfileHash": lockfile});
    assert_eq!(next(&mut socket).await, nudge);
    socket.send(json!({"type": "request_script_package_manifest", "lockfileHash": lockfile})).await;
    let manifest = next(&mut socket).await;
    assert_eq!(manifest["type"], "script_package_manifest");
    let entries = manifest["entries"].as_array().unwrap();
    let names: Vec<_> = entries.iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["@scope/right-pad", "left-pad", "padding"]);

    let key = &entries[1]["integrity"];
    socket.send(json!({"type": "request_script_package_blob", "integrity": key})).await;
    let blob = next(&mut socket).await;
    let (said, data) = (&blob["integrity"], blob["data"].as_str().unwrap());
    assert_eq!(said, key);
    let path = format!("{PACKAGES}/blobs/{}", entries[1]["blobSha256"].as_str().unwrap());
    let answer = api.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(data, base64(&answer.bytes().await.unwrap()));

    for unknown in [json!({"type": "request_script_package_blob", "integrity": "sha512-x"})] {
        socket.send(unknown).await;
        let said = next(&mut socket).await;
        let nothing = json!({"type": "script_package_blob", "integrity": "sha512-x", "data": null});
        assert_eq!(said, nothing);
    }
    socket.send(json!({"type": "request_script_package_manifest", "lockfileHash": "x"})).await;
    assert_eq!(next(&mut socket).await["entries"], json!([]));

    let state = json!({
        "type": "script_package_sync_state", "lockfileHash": lockfile, "status": "error",
        "errorMessage": "no room",
    });
    socket.send(state).await;
    eventually("the state is shown", async || {
        let states = api.get(&format!("{PACKAGES}/sync-states")).await.body;
        (states["items"][0]["errorMessage"] == "no room").then_some(())
    })
    .await;

    assert_eq!(api.delete(PACKAGES).await.status, StatusCode::NO_CONTENT);
    let cleared = next(&mut socket).await;
    assert_eq!(cleared["type"], "config_updated");
    assert_eq!(cleared.get("scriptPackagesLockfileHash"), Some(&Value::Null));
    socket.close().await;
    let said = Socket::open(&server).await.authenticate(&satellite).await;
    assert_eq!(said.get("scriptPackagesLockfileHash"), Some(&Value::Null));
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[tokio::test]
async fn what_is_no_package_changes_nothing_and_is_named() {
    let site = Site::new();
    let server = site.serve().await;
    let api = site.api(&server);
    let hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let path = format!("{PACKAGES}/blobs/{hash}");
    let upload = async |body: Vec<u8>| {
        let request = api.request(Method::PUT, &path).header("content-type", "application/gzip");
        api.send(request.body(body)).await
    };
    assert_eq!(upload(vec![]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(upload(b"no gzip".to_vec()).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let too_large = upload(vec![0; 11 * 1024 * 1024 + 1]).await;
    assert_eq!(too_large.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(api.get(&path).await.status, StatusCode::NOT_FOUND);

    let entry = json!({"name": "a", "version": "1", "integrity": "key", "blobSha256": hash});
    let body = json!({"expectedLockfileHash": null, "entries": [entry]});
    let refused = api.send(api.request(Method::PUT, PACKAGES).json(&body)).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.fields(), ["/entries/0/blobSha256"]);
    assert_eq!(api.get(PACKAGES).await.body["lockfileHash"], Value::Null);
}

#[tokio::test]
async fn of_two_publishers_the_second_is_told_to_look_again() {
    let site = Site::new();
    let server = site.serve().await;
    let api = site.api(&server);
    let published = publish(&server, &packages(&site)).await;
    let entries = api.get(PACKAGES).await.body["entries"].clone();
    let one = json!({"expectedLockfileHash": null, "entries": [entries[0]]});
    let refused = api.send(api.request(Method::PUT, PACKAGES).json(&one)).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.problem().ends_with("overtaken"), "{:?}", refused.body);
    assert_eq!(api.get(PACKAGES).await.body["lockfileHash"], published["lockfileHash"]);
}
