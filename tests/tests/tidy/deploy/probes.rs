//! What probes ask, a pod answers.

use std::collections::BTreeSet;

use groundcontrol::config::Options;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::places::{self, pods, text, value, yaml};

/// The paths that orchestrators and the proxy ask.
fn asked() -> BTreeSet<String> {
    let container = places::container();
    let probe = |kind: &str| {
        assert_eq!(container[kind]["httpGet"]["port"], container["ports"][0]["name"], "{kind}");
        text(&container[kind]["httpGet"]["path"])
    };
    assert_eq!(probe("livenessProbe"), "/healthz", "which asks nothing of the store");
    assert_eq!(probe("readinessProbe"), "/readyz", "which does");
    let template = &yaml("kubernetes/deployment.yaml")["spec"]["template"];
    let metrics = text(&template["metadata"]["annotations"]["prometheus.io/path"]);
    let proxy = value("haproxy.cfg", "    http-check send meth GET uri ");
    let probes = ["startupProbe", "livenessProbe", "readinessProbe"].map(probe);
    probes.into_iter().chain([metrics, proxy]).collect()
}

/// The status line that a pod answers to a request as short as a proxy's.
async fn status(address: std::net::SocketAddr, path: &str) -> String {
    let mut socket = TcpStream::connect(address).await.expect("the pod listens");
    let request = format!("GET {path} HTTP/1.0\r\n\r\n");
    socket.write_all(request.as_bytes()).await.expect("the pod reads");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.expect("the pod answers");
    answer.lines().next().unwrap_or_default().to_owned()
}

/// Runs the health check of Compose as in the container of a pod that listens on `port`, with
/// `path` in place of the probe's.
async fn health_check(port: u16, path: &str) -> bool {
    let (name, pod) = pods().pop_first().expect("there are pods");
    let listens = places::image().options().listen.expect("it is told where").port().to_string();
    let test: Vec<String> = super::strings(&pod["healthcheck"]["test"]).collect();
    assert_eq!(test[0], "CMD");
    let place = format!("/127.0.0.1/{listens}");
    assert!(test.join(" ").contains(&place), "{name} asks itself: {test:?}");
    let words: Vec<String> = test[1..]
        .iter()
        .map(|word| word.replace("$$", "$").replace(&place, &format!("/127.0.0.1/{port}")))
        .map(|word| word.replace("GET /readyz ", &format!("GET {path} ")))
        .collect();
    let mut command = tokio::process::Command::new(&words[0]);
    let output = command.args(&words[1..]).output().await.expect("bash is there");
    output.status.success()
}

#[tokio::test]
async fn a_running_pod_answers_every_probe() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options {
        listen: "127.0.0.1:0".parse().ok(),
        data_dir: Some(folder.path().into()),
        ..Options::default()
    };
    let token = "only-for-this-test-and-long-enough".into();
    let settings = options.resolve(Some(token), "x").expect("settings fit");
    let (stop, stopped) = oneshot::channel::<()>();
    let (ready, address) = oneshot::channel();
    let serving = tokio::spawn(groundcontrol::serve::run(
        settings,
        async move { stopped.await.unwrap_or_default() },
        move |address| ready.send(address).unwrap_or_default(),
    ));
    let address = address.await.expect("the pod starts");
    for path in asked() {
        assert_eq!(status(address, &path).await, "HTTP/1.0 200 OK", "{path}");
    }
    assert!(health_check(address.port(), "/readyz").await, "a ready pod is healthy");
    assert!(!health_check(address.port(), "/absent").await, "the answer counts");
    drop(stop);
    serving.await.expect("no panic").expect("the pod stops");
    assert!(!health_check(address.port(), "/readyz").await, "a pod that is gone is not");
}
