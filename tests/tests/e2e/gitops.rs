//! Documents that are kept in Git: applied once, and followed.

use std::os::unix::fs::symlink;
use std::path::Path;

use groundcontrol_testkit::server::{Agent, Api, Server, Site, eventually};
use reqwest::StatusCode;
use serde_json::{Value, json};

const LIMA: &str = "apiVersion: groundcontrol.dev/v1
kind: Satellite
metadata: {name: Lima, labels: {tier: edge}}
spec: {region: south-america}
";

const WORK: &str = "apiVersion: groundcontrol.dev/v1
kind: System
metadata: {name: shop}
---
apiVersion: groundcontrol.dev/v1
kind: Check
metadata: {name: web}
spec: {strategyId: healthcheck-http.http, interval: 60s, config: {url: 'https://shop.example/'}}
---
apiVersion: groundcontrol.dev/v1
kind: Assignment
metadata: {name: shop from the edge}
spec: {check: web, system: shop, selector: {tags: tier = edge}}
";

fn write(site: &Site, name: &str, text: &str) {
    let path = site.folder().join(name);
    std::fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder is made");
    std::fs::write(path, text).expect("a file is written");
}

/// Runs `groundcontrol apply` with these arguments and answers what it said; it must succeed.
async fn apply(site: &Site, server: &Server, arguments: &[&str]) -> String {
    let done = site.operate(server.url(), &[&["apply"], arguments].concat()).await;
    assert_eq!(done.code, Some(0), "{}", done.errors);
    done.output
}

async fn all(api: &Api, what: &str) -> Vec<Value> {
    let answer = api.get(&format!("/api/v1/{what}")).await.expect(StatusCode::OK);
    answer["items"].as_array().expect("the items are a list").clone()
}

async fn names(api: &Api, what: &str) -> Vec<String> {
    let name = |one: &Value| one["name"].as_str().expect("it has a name").to_owned();
    all(api, what).await.iter().map(name).collect()
}

#[tokio::test]
async fn what_is_applied_is_shown_first_made_once_and_then_is_as_it_should_be() {
    let site = Site::new();
    let server = site.serve().await;
    let api = site.api(&server);
    write(&site, "fleet/lima.yaml", LIMA);
    write(&site, "fleet/work.yaml", WORK);
    let shown = apply(&site, &server, &["-f", "fleet", "--dry-run"]).await;
    let lines =
        ["+ satellite Lima", "+ system shop", "+ check web", "+ assignment shop from the edge"];
    assert_eq!(shown.lines().take(4).collect::<Vec<_>>(), lines);
    assert_eq!(names(&api, "satellites").await, Vec::<String>::new());

    let done = apply(&site, &server, &["-f", "fleet"]).await;
    assert_eq!(done.lines().take(4).collect::<Vec<_>>(), lines);
    assert!(!done.contains("csat_"), "{done}");
    let lima = all(&api, "satellites").await.remove(0);
    assert_eq!((&lima["managedBy"], &lima["tags"]), (&json!("gitops"), &json!({"tier": "edge"})));
    assert_eq!(all(&api, "assignments").await.len(), 1);

    let again = apply(&site, &server, &["-f", "fleet", "--exit-code"]).await;
    assert!(again.starts_with("Nothing to do"), "{again}");
    write(&site, "fleet/work.yaml", &WORK.replace("60s", "30s"));
    let args = ["apply", "-f", "fleet", "--exit-code"];
    let changed = site.operate(server.url(), &args).await;
    assert_eq!(changed.code, Some(2), "{}", changed.errors);
    assert!(changed.output.starts_with("~ check web  intervalSeconds: 60 → 30\n"), "{changed:?}");
}

#[tokio::test]
async fn a_satellite_that_was_applied_connects_once_its_token_was_rotated() {
    let site = Site::new();
    let server = site.serve().await;
    let api = site.api(&server);
    write(&site, "lima.yaml", LIMA);
    apply(&site, &server, &["-f", "lima.yaml"]).await;
    let id = all(&api, "satellites").await[0]["id"].as_str().expect("it has an id").to_owned();
    let satellite = api.rotate(&site, &id, None).await;
    let agent = Agent::start(&site, server.url(), &satellite);
    eventually("the agent is online", async || (api.status(&id).await == "online").then_some(()))
        .await;
    assert_eq!(agent.stop().await, Some(0));
}

#[tokio::test]
async fn pruning_removes_what_documents_made_and_nothing_else() {
    let site = Site::new();
    let server = site.serve().await;
    let api = site.api(&server);
    for name in ["By hand", "Adopted"] {
        let body = json!({"name": name, "region": "eu"});
        api.post("/api/v1/satellites", &body).await.expect(StatusCode::CREATED);
    }
    write(&site, "fleet/lima.yaml", LIMA);
    write(&site, "fleet/adopted.yaml", &LIMA.replace("Lima", "Adopted"));
    write(&site, "fleet/work.yaml", WORK);
    apply(&site, &server, &["-f", "fleet"]).await;
    for gone in ["lima", "adopted"] {
        std::fs::remove_file(site.folder().join(format!("fleet/{gone}.yaml"))).expect("it goes");
    }
    let kept = apply(&site, &server, &["-f", "fleet"]).await;
    assert!(kept.starts_with("Nothing to do"), "{kept}");
    let pruned = apply(&site, &server, &["-f", "fleet", "--prune"]).await;
    assert!(pruned.starts_with("- satellite Lima\nMade 0, changed 0, removed 1."), "{pruned}");
    assert_eq!(names(&api, "satellites").await, ["Adopted", "By hand"]);

    write(&site, "fleet/work.yaml", "# nothing any more\n");
    let nothing = apply(&site, &server, &["-f", "fleet", "--prune"]).await;
    assert!(nothing.starts_with("Nothing to do"), "{nothing}");
    assert_eq!(names(&api, "checks").await, ["web"]);
}

#[tokio::test]
async fn a_broken_document_changes_nothing_and_is_named_with_file_line_and_field() {
    let site = Site::new();
    let server = site.serve().await;
    let api = site.api(&server);
    write(&site, "fleet/a.yaml", LIMA);
    let broken = WORK.replace("interval: 60s", "interval: 60s, intervall: 1");
    for (text, expected) in [
        (broken.as_str(), "fleet/b.yaml:8: spec.intervall: unknown field `intervall`"),
        (&WORK.replace("check: web", "check: none"), "fleet/b.yaml:13: spec.check: there is no"),
        ("a: [", "fleet/b.yaml:"),
        (LIMA, "fleet/b.yaml:3: metadata.name: another satellite is called \"Lima\", too"),
    ] {
        write(&site, "fleet/b.yaml", text);
        let refused = site.operate(server.url(), &["apply", "-f", "fleet"]).await;
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.errors.contains(expected), "{expected}\n{}", refused.errors);
        assert!(refused.errors.contains("nothing was changed"), "{}", refused.errors);
    }
    assert_eq!(names(&api, "satellites").await, Vec::<String>::new());
    assert_eq!(names(&api, "systems").await, Vec::<String>::new());
}

/// Lets the link `current` lead to the checkout `to`, in one step, as git-sync does.
fn swap(site: &Site, to: &str) {
    let (next, current) = (site.folder().join("next"), site.folder().join("current"));
    symlink(Path::new(to), &next).expect("a link is made");
    std::fs::rename(next, current).expect("the link is swapped");
}

#[tokio::test]
async fn a_server_follows_a_checkout_that_is_swapped_and_says_what_is_wrong_with_it() {
    let site = Site::new();
    write(&site, "one/fleet.yaml", LIMA);
    write(&site, "two/fleet.yaml", &format!("{LIMA}---\n{WORK}"));
    write(&site, "three/fleet.yaml", &format!("{WORK}---\nkind: Rocket\n"));
    write(&site, "four/fleet.yaml", WORK);
    swap(&site, "one");
    let folder = site.folder().join("current").display().to_string();
    let server = site.serve_with(&["--gitops", &folder, "--gitops-prune"]).await;
    let api = site.api(&server);
    eventually("the satellite is made", async || {
        (names(&api, "satellites").await == ["Lima"]).then_some(())
    })
    .await;
    swap(&site, "two");
    eventually("the work is made", async || {
        (all(&api, "assignments").await.len() == 1).then_some(())
    })
    .await;
    swap(&site, "three");
    let failing = "groundcontrol_gitops_failing 1";
    eventually("the metrics say that it fails", async || {
        let metrics = api.get("/metrics").await.body;
        metrics.as_str().is_some_and(|text| text.contains(failing)).then_some(())
    })
    .await;
    assert_eq!(names(&api, "satellites").await, ["Lima"]);
    assert_eq!(site.logged().matches("current/fleet.yaml:15: apiVersion: is missing").count(), 1);
    swap(&site, "four");
    eventually("what nobody describes any more is removed", async || {
        names(&api, "satellites").await.is_empty().then_some(())
    })
    .await;
    assert_eq!(names(&api, "checks").await, ["web"]);
}
