//! What an agent makes of its orders: runs, results, secrets, against a server that a test plays.

use async_trait::async_trait;
use groundcontrol_probes::{Connection as Probed, Finding, ProbeError, Strategy, Task};
use groundcontrol_websocket::wire::{
    RequestConfigSecrets, RequestRunSecrets, RunResult, RunStatus,
};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::*;

/// Takes as many milliseconds as its settings say, and shows them with its secret environment.
struct Fake;

#[async_trait]
impl Strategy for Fake {
    fn id(&self) -> &'static str {
        "test.fake"
    }

    fn collectors(&self) -> &'static [&'static str] {
        &["test.look"]
    }

    async fn connect<'a>(
        &'a self,
        config: &'a Value,
        _task: &Task<'a>,
    ) -> Result<Box<dyn Probed + 'a>, ProbeError> {
        let takes = config["takesMs"].as_u64().unwrap_or(0);
        tokio::time::sleep(Duration::from_millis(takes)).await;
        match config["fails"].as_str() {
            Some(why) => Err(ProbeError::Failed(why.to_owned())),
            None => Ok(Box::new(Fake)),
        }
    }
}

#[async_trait]
impl Probed for Fake {
    async fn collect(
        &self,
        _collector: &'static str,
        config: &Value,
        task: &Task<'_>,
    ) -> Result<Finding, ProbeError> {
        let lengths = task.secret_env.values().map(|value| value.expose_secret().len());
        let lengths: Vec<usize> = lengths.collect();
        Ok(Finding::of(&json!({"shows": config, "secretLengths": lengths})))
    }
}

fn start() -> Server {
    Server::start_with(Probes::none().with(Fake), 4)
}

fn assignment(id: &str, strategy: &str, seconds: u64, config: Value) -> Value {
    json!({
        "configId": id, "systemId": "s", "strategyId": strategy, "config": config,
        "intervalSeconds": seconds,
    })
}

fn fake(id: &str, seconds: u64) -> Value {
    assignment(id, "fake", seconds, json!({}))
}

fn ordered(kind: &str, revision: Option<u64>, assignments: &[Value]) -> String {
    let mut message = json!({"type": kind, "satelliteId": CLIENT_ID, "assignments": assignments});
    if let Some(revision) = revision {
        message["revision"] = revision.into();
    }
    message.to_string()
}

impl Server {
    /// The next session, with orders.
    async fn working(&mut self, revision: Option<u64>, assignments: &[Value]) -> Connection {
        let mut connection = self.connection().await;
        connection.say(&ordered("authenticated", revision, assignments)).await;
        connection
    }

    /// Refuses every dial until `end`.
    async fn away(&mut self, end: Instant) {
        while tokio::time::timeout_at(end, self.dial()).await.is_ok() {}
    }
}

impl Connection {
    async fn order(&mut self, revision: u64, assignments: &[Value]) {
        self.say(&ordered("config_updated", Some(revision), assignments)).await;
    }

    /// The next message that is no heartbeat.
    async fn said(&mut self) -> Value {
        loop {
            let text = self.text().await;
            let message: Value = serde_json::from_str(&text).unwrap();
            if message["type"] != "heartbeat" {
                return message;
            }
        }
    }

    /// The next message of one type; others are passed over.
    async fn of(&mut self, kind: &str) -> Value {
        loop {
            let message = self.said().await;
            if message["type"] == kind {
                return message;
            }
        }
    }

    /// The next result; it is not acknowledged.
    async fn result(&mut self) -> Value {
        self.of("result").await
    }

    async fn acknowledge(&mut self, result: &Value) {
        let ack = json!({
            "type": "result_ack", "resultId": result["resultId"], "accepted": true,
        });
        self.say(&ack.to_string()).await;
    }

    /// When, in seconds from `start`, the next `n` results come, and of which configuration.
    async fn results(&mut self, start: Instant, n: usize) -> Vec<(u64, String)> {
        let mut seen = Vec::new();
        while seen.len() < n {
            let result = self.result().await;
            self.acknowledge(&result).await;
            let id = result["configId"].as_str().unwrap().to_owned();
            seen.push((start.elapsed().as_secs(), id));
        }
        seen
    }

    /// No result comes for a minute.
    async fn has_no_result(&mut self) {
        let result = tokio::time::timeout(Duration::from_secs(60), self.result()).await;
        assert!(result.is_err(), "{result:?}");
    }

    /// Nothing but heartbeats comes for so long.
    async fn silent(&mut self, span: Duration) {
        let said = tokio::time::timeout(span, self.said()).await;
        assert!(said.is_err(), "{said:?}");
    }
}

fn at(times: &[(u64, &str)]) -> Vec<(u64, String)> {
    times.iter().map(|&(time, id)| (time, id.to_owned())).collect()
}

#[tokio::test(start_paused = true)]
async fn a_check_runs_at_once_and_then_at_its_interval() {
    let mut server = start();
    let mut session = server.working(Some(1), &[fake("a", 10)]).await;
    let start = Instant::now();
    let seen = session.results(start, 3).await;
    assert_eq!(seen, at(&[(0, "a"), (10, "a"), (20, "a")]));
}

#[tokio::test(start_paused = true)]
async fn a_result_says_what_was_run_when_and_what_was_found() {
    let mut server = start();
    let healthy = assignment("a", "fake", 60, json!({"takesMs": 250}));
    let mut session = server.working(Some(1), &[healthy]).await;
    let text = session.result().await.to_string();
    let Ok(FromSatellite::Result(result)) = FromSatellite::parse(&text) else { panic!("{text}") };
    let RunResult { config_id, system_id, status, latency_ms, executed_at, .. } = &result;
    assert_eq!((&**config_id, &**system_id), ("a", "s"));
    assert_eq!((*status, *latency_ms), (RunStatus::Healthy, Some(250.0)));
    assert!(humantime::parse_rfc3339(executed_at).is_ok(), "{executed_at}");
    assert!(executed_at.ends_with('Z') && executed_at.len() == 24, "{executed_at}");
    assert!(result.result_id.is_some());
    let found: Value = serde_json::from_str(result.result.unwrap().get()).unwrap();
    assert_eq!(found["metadata"]["connected"], true);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_fails_is_unhealthy_and_goes_on() {
    let mut server = start();
    let failing = assignment("a", "fake", 10, json!({"fails": "no route"}));
    let mut session = server.working(Some(1), &[failing]).await;
    for _ in 0..2 {
        let result = session.result().await;
        assert_eq!(result["status"], "unhealthy");
        assert_eq!(result["result"]["message"], "no route");
    }
}

#[tokio::test(start_paused = true)]
async fn the_revision_that_is_run_is_told() {
    let mut server = start();
    let mut session = server.working(Some(7), &[]).await;
    assert_eq!(session.said().await, json!({"type": "config_applied", "revision": 7}));
    session.order(8, &[]).await;
    assert_eq!(session.said().await, json!({"type": "config_applied", "revision": 8}));
}

#[tokio::test(start_paused = true)]
async fn a_server_without_revisions_is_told_none() {
    let mut server = start();
    let mut session = server.working(None, &[]).await;
    session.silent(Duration::from_secs(60)).await;
}

#[tokio::test(start_paused = true)]
async fn a_changed_check_runs_at_once_and_an_unchanged_one_keeps_its_rhythm() {
    let mut server = start();
    let mut session = server.working(Some(1), &[fake("a", 10), fake("b", 10)]).await;
    let start = Instant::now();
    session.results(start, 2).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    let changed = assignment("b", "fake", 10, json!({"other": true}));
    session.order(2, &[fake("a", 10), changed]).await;
    let seen = session.results(start, 3).await;
    assert_eq!(seen, at(&[(4, "b"), (10, "a"), (14, "b")]));
}

#[tokio::test(start_paused = true)]
async fn a_check_that_is_gone_stops_in_the_middle_of_its_run() {
    let mut server = start();
    let slow = assignment("a", "fake", 10, json!({"takesMs": 5_000}));
    let mut session = server.working(Some(1), &[slow]).await;
    session.of("config_applied").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    session.order(2, &[]).await;
    session.of("config_applied").await;
    session.silent(Duration::from_secs(60)).await;
}

#[tokio::test(start_paused = true)]
async fn checks_run_on_without_a_connection_at_their_rhythm_and_nothing_is_lost() {
    let mut server = start();
    let mut session = server.working(Some(1), &[fake("a", 10)]).await;
    let start = Instant::now();
    session.results(start, 1).await;
    drop(session);
    server.away(start + Duration::from_secs(25)).await;
    let mut session = server.working(Some(1), &[fake("a", 10)]).await;
    assert_eq!(start.elapsed().as_secs(), 31);
    let seen = session.results(start, 5).await;
    // Made at 10, 20 and 30, told when there is somebody to tell; then at the old rhythm.
    assert_eq!(seen, at(&[(31, "a"), (31, "a"), (31, "a"), (40, "a"), (50, "a")]));
}

#[tokio::test(start_paused = true)]
async fn what_was_not_acknowledged_is_sent_again_on_the_next_connection() {
    let mut server = start();
    let mut session = server.working(Some(1), &[fake("a", 3_600), fake("b", 3_600)]).await;
    let (first, second) = (session.result().await, session.result().await);
    session.acknowledge(&first).await;
    // The acknowledgement is read before the connection ends.
    session.0.send(Message::Ping("".into())).await.unwrap();
    while !matches!(session.next().await, Some(Ok(Message::Pong(_)))) {}
    drop(session);
    let mut session = server.working(Some(1), &[fake("a", 3_600), fake("b", 3_600)]).await;
    assert_eq!(session.result().await, second);
    session.acknowledge(&second).await;
    session.has_no_result().await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_acknowledge_is_sent_each_result_once() {
    let mut server = start();
    let mut session = server.working(None, &[fake("a", 3_600)]).await;
    session.result().await;
    session.has_no_result().await;
    drop(session);
    let mut session = server.working(None, &[fake("a", 3_600)]).await;
    session.has_no_result().await;
}

#[tokio::test(start_paused = true)]
async fn an_unknown_strategy_is_told_once_until_it_changes() {
    let mut server = start();
    let strange = [assignment("a", "strange", 10, json!({}))];
    let mut session = server.working(Some(1), &strange).await;
    let error = session.of("strategy_error").await;
    assert_eq!(error["strategyId"], "strange");
    let result = session.result().await;
    assert_eq!(result["status"], "unhealthy");
    session.acknowledge(&result).await;
    drop(session);
    let mut session = server.working(Some(1), &strange).await;
    session.of("config_applied").await;
    session.silent(Duration::from_secs(60)).await;
    session.order(2, &[assignment("a", "strange", 10, json!({"now": "other"}))]).await;
    session.of("strategy_error").await;
    assert_eq!(session.result().await["status"], "unhealthy");
}

#[tokio::test(start_paused = true)]
async fn no_more_checks_run_at_the_same_time_than_may() {
    let mut server = Server::start_with(Probes::none().with(Fake), 2);
    let slow = |id| assignment(id, "fake", 3_600, json!({"takesMs": 1_000}));
    let mut session =
        server.working(Some(1), &[slow("a"), slow("b"), slow("c"), slow("d"), slow("e")]).await;
    let start = Instant::now();
    let seen = session.results(start, 5).await;
    let times: Vec<u64> = seen.into_iter().map(|(time, _)| time).collect();
    assert_eq!(times, [1, 1, 2, 2, 3]);
}

fn with_secrets() -> Value {
    let mut assignment = assignment("a", "fake", 60, json!({"auth": "${{ secrets.KEY }}"}));
    assignment["collectors"] = json!([{
        "id": "e1", "collectorId": "look",
        "config": {"url": "https://${{ secrets.KEY }}@h", "secretEnv": {"K": "${{ secrets.K }}"}},
    }]);
    assignment
}

#[tokio::test(start_paused = true)]
async fn secrets_are_asked_for_by_place_for_each_run_and_shown_by_none() {
    let mut server = start();
    let mut session = server.working(Some(1), &[with_secrets()]).await;
    for _ in 0..2 {
        let asked = session.of("request_config_secrets").await;
        let asked: RequestConfigSecrets = serde_json::from_value(asked).unwrap();
        assert_eq!(asked.config_id, "a");
        let answer = json!({
            "type": "config_secrets", "requestId": asked.request_id,
            "strategy": {"auth": "hush"}, "collectors": {"e1": {"url": "https://hush@h"}},
        });
        session.say(&answer.to_string()).await;
        let asked_run = session.of("request_run_secrets").await;
        let asked_run: RequestRunSecrets = serde_json::from_value(asked_run).unwrap();
        assert_eq!(asked_run.collector_id, "e1");
        assert_eq!(asked_run.run_id, asked.run_id, "both are for one run");
        let answer = json!({
            "type": "run_secrets", "requestId": asked_run.request_id, "env": {"K": "five5"},
        });
        session.say(&answer.to_string()).await;
        let result = session.result().await;
        session.acknowledge(&result).await;
        let found = &result["result"]["metadata"]["collectors"]["e1"];
        assert_eq!(found["secretLengths"], json!([5]), "{result}");
        assert_eq!(found["shows"], json!({"url": "***"}), "{result}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_secrets_is_what_the_result_says() {
    let mut server = start();
    let mut session = server.working(Some(1), &[with_secrets()]).await;
    let asked = session.of("request_config_secrets").await;
    let answer = json!({
        "type": "config_secrets", "requestId": asked["requestId"],
        "error": "Secret not found: KEY",
    });
    session.say(&answer.to_string()).await;
    let result = session.result().await;
    assert_eq!(result["status"], "unhealthy");
    let message = result["result"]["message"].as_str().unwrap();
    assert!(message.ends_with("Secret not found: KEY"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_answers_no_question_delays_a_run_by_ten_seconds_only() {
    let mut server = start();
    let mut session = server.working(Some(1), &[with_secrets()]).await;
    let start = Instant::now();
    let result = session.result().await;
    assert_eq!(since(start), 10_000);
    assert_eq!(result["status"], "unhealthy");
}

#[tokio::test(start_paused = true)]
async fn a_question_that_a_connection_took_with_it_is_asked_again_on_the_next() {
    let mut server = start();
    let mut session = server.working(Some(1), &[with_secrets()]).await;
    let asked = session.of("request_config_secrets").await;
    drop(session);
    let mut session = server.working(Some(1), &[with_secrets()]).await;
    assert_eq!(session.of("request_config_secrets").await, asked);
}

#[tokio::test(start_paused = true)]
async fn of_more_results_than_are_kept_the_oldest_are_lost() {
    let mut server = start();
    let many: Vec<Value> = (0..200).map(|n| fake(&n.to_string(), 1)).collect();
    let start = Instant::now();
    let session = server.working(Some(1), &many).await;
    // Half a second apart from the rhythm: no run ends while results are counted.
    tokio::time::sleep(Duration::from_millis(500)).await;
    drop(session);
    server.away(start + Duration::from_secs(55)).await;
    let mut session = server.working(None, &[]).await;
    let mut kept = 0;
    while let Ok(said) = tokio::time::timeout(Duration::from_secs(5), session.said()).await {
        assert_eq!(said["type"], "result");
        kept += 1;
    }
    assert_eq!(kept, 10_000);
}
