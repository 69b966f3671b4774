//! Work as operators order it and agents do it: what is assigned, run, reported, judged and shown.

use groundcontrol_testkit::server::{
    Agent, Api, Said, Satellite, Server, Site, Socket, eventually, within,
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A server, with one satellite and one system.
struct Place {
    site: Site,
    server: Server,
    api: Api,
    satellite: Satellite,
    system: String,
}

impl Place {
    async fn new() -> Self {
        let site = Site::new();
        let server = site.serve().await;
        let api = site.api(&server);
        let satellite = api.create(&site).await;
        let system = make(&api, "/api/v1/systems", json!({"name": "target"})).await;
        Self { site, server, api, satellite, system }
    }

    /// The real agent, online: nobody else speaks for the satellite.
    async fn agent(&self) -> Agent {
        let agent = Agent::start(&self.site, self.server.url(), &self.satellite);
        eventually("the agent is online", async || {
            (self.api.status(&self.satellite.id).await == "online").then_some(())
        })
        .await;
        agent
    }

    /// Makes a check, named after its strategy, which the satellite is assigned.
    async fn assigned(&self, check: Value) -> String {
        let check = self.check(check).await;
        self.assign(&check, json!({"satelliteIds": [self.satellite.id]})).await;
        check
    }

    async fn check(&self, mut check: Value) -> String {
        check["name"] = json!(format!("check {}", uuid::Uuid::new_v4()));
        make(&self.api, "/api/v1/checks", check).await
    }

    async fn assign(&self, check: &str, to: Value) -> String {
        let mut order = json!({"checkId": check, "systemId": self.system});
        add(&mut order, &to);
        make(&self.api, "/api/v1/assignments", order).await
    }

    /// Results, newest first.
    async fn results(&self, query: &str) -> Vec<Value> {
        let path = format!("/api/v1/results?{query}");
        let found = self.api.get(&path).await.expect(StatusCode::OK);
        found["items"].as_array().expect("items are a list").clone()
    }

    /// The first result of a check.
    async fn first_result(&self, check: &str) -> Value {
        eventually("a result is stored", async || {
            self.results(&format!("configId={check}")).await.pop()
        })
        .await
    }

    /// A connection that says exactly what a test wants, with what it was told to run.
    async fn connect(&self) -> (Socket, Value) {
        let mut socket = Socket::open(&self.server).await;
        let told = socket.authenticate(&self.satellite).await;
        (socket, told)
    }

    async fn shown(&self) -> Value {
        self.api.satellite(&self.satellite.id).await
    }
}

async fn make(api: &Api, path: &str, body: Value) -> String {
    let made = api.post(path, &body).await.expect(StatusCode::CREATED);
    made["id"].as_str().expect("an id is text").to_owned()
}

fn add(to: &mut Value, more: &Value) {
    let more = more.as_object().into_iter().flatten();
    for (name, value) in more {
        to[name] = value.clone();
    }
}

/// A check that no agent of these tests runs by itself.
fn quiet() -> Value {
    json!({"strategyId": "healthcheck-tcp.tcp", "intervalSeconds": 3600,
        "config": {"host": "127.0.0.1", "port": 9}})
}

fn result(check: &str, system: &str, more: Value) -> Value {
    let mut result = json!({
        "type": "result", "configId": check, "systemId": system, "status": "healthy",
        "latencyMs": 1.5, "executedAt": now(), "result": {"status": "healthy"},
    });
    add(&mut result, &more);
    result
}

/// The time as agents write it.
fn now() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let since = since.expect("it is after 1970");
    groundcontrol_core::time::Timestamp::from_millis(since.as_millis() as i64).to_string()
}

/// What the server says of the result `id`, whatever else it says before.
async fn acknowledged(socket: &mut Socket, id: &str) -> Value {
    loop {
        match socket.next().await {
            Said::Message(said) if said["type"] == "result_ack" && said["resultId"] == id => {
                return said;
            }
            Said::Message(_) => {}
            Said::Closed(code) => panic!("closed with {code:?} before {id} was acknowledged"),
        }
    }
}

/// An HTTP server that answers every request with this body.
async fn http_target(body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it has an address");
    let url = format!("http://{address}/health");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    url
}

#[tokio::test]
async fn a_check_that_is_made_over_the_api_is_run_by_a_real_agent() {
    let place = Place::new().await;
    let agent = place.agent().await;
    let target = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = target.local_addr().unwrap().port();
    place
        .assigned(json!({
            "strategyId": "healthcheck-tcp.tcp", "intervalSeconds": 1,
            "config": {"host": "127.0.0.1", "port": port},
        }))
        .await;
    for _ in 0..2 {
        within("the agent connects to what it checks", target.accept()).await.unwrap();
    }
    assert_eq!(agent.stop().await, Some(0));
}

#[tokio::test]
async fn a_real_agents_http_check_is_judged_by_its_assertions_and_shown_by_api_and_cli() {
    let place = Place::new().await;
    let agent = place.agent().await;
    let url = http_target(r#"{"queue":{"length":7}}"#).await;
    let request = |operator: &str| {
        json!([{"id": "get", "collectorId": "healthcheck-http.request",
        "config": {"url": url},
        "assertions": [
            {"field": "statusCode", "operator": "equals", "value": 200},
            {"field": "body", "jsonPath": "$.queue.length", "operator": operator, "value": 5},
        ]}])
    };
    let check = |operator| {
        json!({"strategyId": "healthcheck-http.http", "intervalSeconds": 1,
            "config": {}, "collectors": request(operator)})
    };
    let (good, bad) =
        (place.assigned(check("greaterThan")).await, place.assigned(check("lessThan")).await);
    let healthy = place.first_result(&good).await;
    assert_eq!(healthy["status"], "healthy", "{healthy}");
    assert_eq!(healthy["satelliteId"], place.satellite.id.as_str());
    assert_eq!(healthy["result"]["metadata"]["collectors"]["get"]["statusCode"], 200);
    let judged = place.first_result(&bad).await;
    assert_eq!(judged["status"], "unhealthy", "{judged}");
    let failed = &judged["failedAssertion"];
    assert_eq!((&failed["entryId"], &failed["field"]), (&json!("get"), &json!("body")));
    assert_eq!((&failed["expected"], &failed["actual"]), (&json!(5), &json!(7)), "{failed}");

    let listed = place.site.run(&place.server, &["results", "list", "--check", &bad]).await;
    assert!(listed.output.contains("unhealthy"), "{listed:?}");
    assert!(listed.output.contains(&place.satellite.name), "{listed:?}");
    let latest = ["results", "latest", "--system", "target", "--output", "json"];
    let latest = place.site.run(&place.server, &latest).await;
    let latest: Value = serde_json::from_str(&latest.output).unwrap();
    let statuses: Vec<_> = latest.as_array().unwrap().iter().map(|one| &one["status"]).collect();
    assert_eq!(statuses.len(), 2, "one latest result of each check: {latest}");
    assert!(statuses.contains(&&json!("healthy")) && statuses.contains(&&json!("unhealthy")));
    assert_eq!(agent.stop().await, Some(0));
}

#[tokio::test]
async fn a_real_agents_script_check_reports_what_the_script_said() {
    let place = Place::new().await;
    let agent = place.agent().await;
    let script = |command: &str, arguments: Value| {
        json!({"strategyId": "healthcheck-script.script", "intervalSeconds": 1, "config": {},
            "collectors": [{"id": "run", "collectorId": "healthcheck-script.execute",
                "config": {"command": command, "args": arguments}}]})
    };
    let good = place.assigned(script("sh", json!(["-c", "echo it works"]))).await;
    let bad = place.assigned(script("sh", json!(["-c", "echo no >&2; exit 3"]))).await;
    let (good, bad) = (place.first_result(&good).await, place.first_result(&bad).await);
    let said = |result: &Value| result["result"]["metadata"]["collectors"]["run"].clone();
    assert_eq!(good["status"], "healthy", "{good}");
    assert!(said(&good)["stdout"].as_str().unwrap().contains("it works"), "{good}");
    assert_eq!(bad["status"], "unhealthy", "{bad}");
    assert_eq!(said(&bad)["exitCode"], 3, "{bad}");
    assert_eq!(agent.stop().await, Some(0));
}

#[tokio::test]
async fn a_selector_follows_a_tag_that_changes_and_the_lag_is_shown() {
    let place = Place::new().await;
    let check = place.check(quiet()).await;
    place.assign(&check, json!({"selector": {"tags": "tier in (edge)"}})).await;
    let (mut socket, told) = place.connect().await;
    assert_eq!(told["assignments"], json!([]));
    let path = format!("/api/v1/satellites/{}", place.satellite.id);
    place.api.patch(&path, &json!({"tags": {"tier": "edge"}})).await.expect(StatusCode::OK);
    let Said::Message(told) = socket.next().await else { panic!("closed") };
    assert_eq!((&told["type"], &told["revision"]), (&json!("config_updated"), &json!(1)));
    assert_eq!(told["assignments"][0]["configId"], check.as_str());
    let shown = place.shown().await;
    assert_eq!((&shown["configRevision"], shown.get("appliedRevision")), (&json!(1), None));
    socket.send(json!({"type": "config_applied", "revision": 1})).await;
    eventually("what the agent runs is shown", async || {
        (place.shown().await["appliedRevision"] == 1).then_some(())
    })
    .await;
    place.api.patch(&path, &json!({"tags": {}})).await.expect(StatusCode::OK);
    let Said::Message(told) = socket.next().await else { panic!("closed") };
    assert_eq!((&told["assignments"], &told["revision"]), (&json!([]), &json!(2)));
    let shown = place.shown().await;
    let lag = (&shown["configRevision"], &shown["appliedRevision"]);
    assert_eq!(lag, (&json!(2), &json!(1)), "an agent that says nothing lags");
}

#[tokio::test]
async fn a_result_counts_only_where_it_is_assigned_has_a_time_and_keeps_to_its_size() {
    let place = Place::new().await;
    let check = place.assigned(quiet()).await;
    let foreign = place.check(quiet()).await;
    let (mut socket, _) = place.connect().await;
    let megabyte = "x".repeat(1024 * 1024 - r#"{"m":""}"#.len());
    let system = place.system.as_str();
    let far = "2999-01-01T00:00:00.000Z";
    for (id, sent, accepted) in [
        ("foreign check", result(&foreign, system, json!({})), false),
        ("foreign system", result(&check, &foreign, json!({})), false),
        ("no time", result(&check, system, json!({"executedAt": "yesterday"})), false),
        ("far future", result(&check, system, json!({"executedAt": far})), false),
        (
            "too large",
            result(&check, system, json!({"result": {"m": format!("{megabyte}x")}})),
            false,
        ),
        ("just fits", result(&check, system, json!({"result": {"m": megabyte}})), true),
        ("plain", result(&check, system, json!({})), true),
    ] {
        let mut sent = sent;
        sent["resultId"] = json!(id);
        socket.send(sent).await;
        let ack = acknowledged(&mut socket, id).await;
        assert_eq!(ack["accepted"], accepted, "{id}: {ack}");
        assert_eq!(ack.get("reason").is_some(), !accepted, "{id}: {ack}");
    }
    let kept = place.results("limit=10").await;
    assert_eq!(kept.len(), 2, "only what was accepted is stored");
    let sizes = kept.iter().filter(|run| run["result"]["m"] == megabyte.as_str()).count();
    assert_eq!(sizes, 1, "the result of a megabyte is stored as it came");
    eventually("the connection stays", async || {
        socket.heartbeat().await;
        (place.api.status(&place.satellite.id).await == "online").then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_old_agent_that_sends_no_result_id_is_heard_and_its_resends_are_stored_once() {
    let place = Place::new().await;
    let check = place.assigned(quiet()).await;
    let (mut socket, _) = place.connect().await;
    let first = result(&check, &place.system, json!({"environmentId": null}));
    let environment = json!({"environmentId": "prod", "executedAt": first["executedAt"]});
    let elsewhere = result(&check, &place.system, environment);
    for sent in [&first, &first, &elsewhere, &first, &elsewhere] {
        socket.send(sent.clone()).await;
    }
    // What is acknowledged last was sent last, and results are taken in their order.
    let mut last = result(&check, &place.system, json!({"resultId": "last"}));
    last["executedAt"] = json!("2020-01-01T00:00:00.000Z");
    socket.send(last).await;
    acknowledged(&mut socket, "last").await;
    let kept = place.results("limit=10").await;
    assert_eq!(kept.len(), 3, "{kept:?}");
    let environments = kept.iter().filter(|run| run["environmentId"] == "prod").count();
    assert_eq!(environments, 1, "{kept:?}");
}

#[tokio::test]
async fn what_an_agent_says_of_a_strategy_that_it_lacks_is_shown() {
    let place = Place::new().await;
    let path = format!("/api/v1/satellites/{}/strategy-errors", place.satellite.id);
    place
        .assigned(json!({"strategyId": "of-another-agent.dance", "intervalSeconds": 1,
            "config": {}}))
        .await;
    let agent = Agent::start(&place.site, place.server.url(), &place.satellite);
    let shown = eventually("the strategy error is shown", async || {
        place.api.get(&path).await.expect(StatusCode::OK)["items"].as_array()?.first().cloned()
    })
    .await;
    assert_eq!(shown["strategyId"], "of-another-agent.dance", "{shown}");
    assert!(!shown["message"].as_str().unwrap().is_empty(), "{shown}");
    assert_eq!(agent.stop().await, Some(0));
}

#[tokio::test]
async fn an_agent_says_once_that_it_enforces_no_sandbox_policy() {
    let place = Place::new().await;
    let path = "/api/v1/sandbox-policy";
    let set = async |policy: Value| {
        let request = place.api.request(reqwest::Method::PUT, path).json(&policy);
        place.api.send(request).await.expect(StatusCode::OK);
    };
    set(json!({"network": false})).await;
    let agent = Agent::start(&place.site, place.server.url(), &place.satellite);
    let said = "which this agent does not enforce";
    eventually("the agent says so", async || agent.logged().contains(said).then_some(())).await;
    set(json!({"network": true})).await;
    // The agent has heard of the policy once it runs what it was told after it.
    place.assigned(quiet()).await;
    eventually("the agent runs what it was told", async || {
        (place.shown().await["appliedRevision"] == 1).then_some(())
    })
    .await;
    assert_eq!(agent.logged().matches(said).count(), 1, "{}", agent.logged());
    assert_eq!(agent.stop().await, Some(0));
}

#[tokio::test]
async fn a_check_that_nobody_watches_is_degraded_until_a_satellite_reports() {
    let place = Place::new().await;
    let check = place
        .assigned(json!({"strategyId": "healthcheck-tcp.tcp", "intervalSeconds": 1,
            "config": {"host": "127.0.0.1", "port": 9}}))
        .await;
    let first = place.first_result(&check).await;
    assert_eq!(
        (&first["source"], &first["status"]),
        (&json!("ground-control"), &json!("degraded"))
    );
    assert_eq!(first.get("satelliteId"), None, "{first}");
    assert_eq!(first["result"]["message"], "No assigned satellite is online", "{first}");
    let listed = ["results", "latest", "--check", &check];
    let listed = place.site.run(&place.server, &listed).await;
    assert!(listed.output.contains("ground-control"), "{listed:?}");
    let agent = Agent::start(&place.site, place.server.url(), &place.satellite);
    let from = |run: &Value| run["source"].as_str().unwrap().to_owned();
    eventually("the satellite reports twice", async || {
        let newest = place.results("limit=2").await;
        newest.iter().all(|run| from(run) != "ground-control").then_some(())
    })
    .await;
    assert_eq!(agent.stop().await, Some(0));
}
