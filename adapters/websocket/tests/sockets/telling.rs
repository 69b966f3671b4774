//! What the sockets tell operators: figures, and logs without content.

use std::io;
use std::sync::Arc;

use groundcontrol_core::connection::CloseReason;
use groundcontrol_websocket::SocketSettings;
use metrics_exporter_prometheus::PrometheusBuilder;
use parking_lot::Mutex;
use tokio_tungstenite::tungstenite::Message;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::support::{AUTHENTICATE, HEARTBEAT, serve};

const RESULT: &str = r#"{"type":"result","configId":"csat_hush","systemId":"s",
    "status":"healthy","executedAt":"now"}"#;

#[tokio::test]
async fn figures_count_messages_by_type_what_was_dropped_and_how_sockets_ended() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let figures = recorder.handle();
    let scope = metrics::set_default_local_recorder(&recorder);
    let server = serve(SocketSettings::default()).await;
    drop(scope);

    let mut satellite = server.connect().await;
    for text in [HEARTBEAT, HEARTBEAT, RESULT, "no JSON", r#"{"type":"later"}"#, HEARTBEAT] {
        satellite.say(text).await;
    }
    server.until("the last", |seen| seen.beats.len() == 3).await;
    let shown = figures.render();
    for line in [
        "groundcontrol_websocket_connections 1",
        "groundcontrol_websocket_messages_total{type=\"authenticate\"} 1",
        "groundcontrol_websocket_messages_total{type=\"heartbeat\"} 3",
        "groundcontrol_websocket_messages_total{type=\"unknown\"} 1",
        "groundcontrol_websocket_malformed_total 1",
        "groundcontrol_websocket_unauthorised_results_total 1",
    ] {
        assert!(shown.contains(line), "{line} is not in\n{shown}");
    }

    satellite.send(Message::binary(vec![1])).await;
    assert_eq!(server.recorded().await, [CloseReason::ProtocolError]);
    let shown = figures.render();
    for line in [
        "groundcontrol_websocket_connections 0",
        "groundcontrol_websocket_closed_total{code=\"1003\"} 1",
    ] {
        assert!(shown.contains(line), "{line} is not in\n{shown}");
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn logs_never_show_a_token_or_what_a_message_says_not_even_the_most_detailed_ones() {
    let log = Log::default();
    let _logging = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish()
        .set_default();
    let server = serve(SocketSettings::default()).await;
    for first in [
        r#"{"type":"authenticate","clientId":"x","token":["csat_hush"]}"#,
        r#"{"type":"authenticate","token":"csat_hush"}"#,
        "csat_hush",
    ] {
        let mut satellite = server.dial().await;
        satellite.say(first).await;
        assert_eq!(satellite.close_code().await, Some(4401));
    }
    let mut satellite = server.dial().await;
    satellite.say(AUTHENTICATE.replace("csat_x", "csat_hush")).await;
    satellite.hear().await;
    satellite.say(HEARTBEAT.replace("1.0.0", "csat_hush")).await;
    satellite.say(HEARTBEAT.replace("15", r#""csat_hush""#)).await;
    satellite.say(RESULT).await;
    satellite.say(HEARTBEAT).await;
    server.until("the last", |seen| seen.beats.len() == 2).await;
    drop(satellite);
    server.recorded().await;

    let log = String::from_utf8(log.0.lock().clone()).unwrap();
    assert_eq!(log.matches("message dropped").count(), 4, "{log}");
    assert!(log.contains("refused") && log.contains("tungstenite"), "{log}");
    assert!(!log.contains("hush"), "{log}");
}
