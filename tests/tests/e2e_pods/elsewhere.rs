//! Another pod than the one that holds the socket serves the call.

use groundcontrol_testkit::fleet::Queue;
use groundcontrol_testkit::server::{
    Beating, EventStream, Said, Satellite, Socket, edges, eventually,
};
use reqwest::StatusCode;
use serde_json::json;
use tokio::time::Instant;

use crate::support::{QUEUES, figure, two_pods};

/// The close code of a revoked session: where the nudge is lost, its next heartbeat is fenced.
fn code(queue: Queue) -> u16 {
    if queue == Queue::Deaf { 4409 } else { 4403 }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_takeover_on_another_pod_closes_the_old_socket_with_4409_and_changes_nothing_later() {
    for queue in QUEUES {
        let stage = two_pods(queue).await;
        let api = stage.api(1);
        let satellite = api.create_anywhere().await;
        let old = Socket::at(&stage.pods[0].url(), &satellite).await;
        let old = Beating::new(old);
        let begun = Instant::now();
        let _new = Beating::new(Socket::at(&stage.pods[1].url(), &satellite).await);

        assert_eq!(old.ended().await.code, Some(4409), "{queue:?}");
        println!("{queue:?}: the old socket was closed after {:?}", begun.elapsed());
        let expected = ["connected authenticated", "connected took_over"];
        assert_eq!(edges(&api.transitions(&satellite.id).await), expected, "{queue:?}");
        assert_eq!(stage.api(0).status(&satellite.id).await, "online");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_agents_that_fight_through_different_pods_are_noticed_by_both() {
    for queue in [Queue::Postgres, Queue::Nats] {
        let stage = two_pods(queue).await;
        let satellite = stage.api(0).create_anywhere().await;
        let url = |round: usize| stage.pods[round % 2].url();
        let mut holder = Beating::new(Socket::at(&url(0), &satellite).await);
        for round in 1..=5 {
            let newer = Beating::new(Socket::at(&url(round), &satellite).await);
            assert_eq!(holder.ended().await.code, Some(4409), "{queue:?}");
            holder = newer;
        }
        for pod in 0..2 {
            eventually("the pod notices the fight", async || {
                figure(&stage, pod, "groundcontrol_credential_fights_total").await
            })
            .await;
            let mut newest = Socket::open_at(&url(pod)).await;
            let answer = newest.present(&satellite).await;
            assert!(matches!(answer, Said::Closed(Some(4429))), "{queue:?}: {answer:?}");
        }
        let _holder = holder.stop().await;
        assert_eq!(stage.api(0).transitions(&satellite.id).await.len(), 6, "{queue:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_on_another_pod_ends_the_session_there() {
    for queue in QUEUES {
        let stage = two_pods(queue).await;
        let api = stage.api(1);
        let satellite = api.create_anywhere().await;
        let beating = Beating::new(Socket::at(&stage.pods[0].url(), &satellite).await);
        let path = format!("/api/v1/satellites/{}/rotate-token", satellite.id);
        let rotated = api.post(&path, &json!({})).await.expect(StatusCode::OK);

        assert_eq!(beating.ended().await.code, Some(code(queue)), "{queue:?}");
        let mut again = Socket::open_at(&stage.pods[0].url()).await;
        let refused = again.present(&satellite).await;
        assert!(matches!(&refused, Said::Message(said) if said["type"] == "auth_failed"));
        let renewed = Satellite::read(&rotated);
        let _renewed = Socket::at(&stage.pods[0].url(), &renewed).await;
        let expected =
            ["connected authenticated", "disconnected revoked", "connected authenticated"];
        assert_eq!(edges(&api.transitions(&satellite.id).await), expected, "{queue:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn disabling_on_another_pod_ends_the_session_there() {
    for queue in QUEUES {
        let stage = two_pods(queue).await;
        let api = stage.api(1);
        let satellite = api.create_anywhere().await;
        let beating = Beating::new(Socket::at(&stage.pods[0].url(), &satellite).await);
        let path = format!("/api/v1/satellites/{}", satellite.id);
        api.patch(&path, &json!({"enabled": false})).await.expect(StatusCode::OK);

        assert_eq!(beating.ended().await.code, Some(code(queue)), "{queue:?}");
        let expected = ["connected authenticated", "disconnected revoked"];
        assert_eq!(edges(&api.transitions(&satellite.id).await), expected, "{queue:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_on_another_pod_ends_the_session_there_and_is_told_everywhere() {
    for queue in QUEUES {
        let stage = two_pods(queue).await;
        let api = stage.api(1);
        let satellite = api.create_anywhere().await;
        let mut events = EventStream::open(&stage.api(0), None).await;
        let beating = Beating::new(Socket::at(&stage.pods[0].url(), &satellite).await);
        let path = format!("/api/v1/satellites/{}", satellite.id);
        api.delete(&path).await.expect(StatusCode::NO_CONTENT);

        assert_eq!(beating.ended().await.code, Some(4403), "{queue:?}");
        let told = [events.event().await, events.event().await];
        let kinds: Vec<_> = told.iter().map(|event| (event.kind(), event.seq())).collect();
        assert_eq!(kinds, [("satellite.connected", 1), ("satellite.removed", 2)], "{queue:?}");
        assert_eq!(stage.api(0).get(&path).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_reaches_the_streams_of_all_pods_and_a_stream_goes_on_at_another() {
    for queue in QUEUES {
        let stage = two_pods(queue).await;
        let (here, there) = (stage.api(0), stage.api(1));
        let satellite = here.create_anywhere().await;
        let mut stream = EventStream::open(&there, None).await;
        let begun = Instant::now();
        let socket = Socket::at(&stage.pods[0].url(), &satellite).await;
        let connected = stream.event().await;
        println!("{queue:?}: from connect on pod A to the event on pod B {:?}", begun.elapsed());
        assert_eq!((connected.kind(), connected.seq()), ("satellite.connected", 1));
        socket.close().await;
        eventually("the close is recorded", async || {
            (there.transitions(&satellite.id).await.len() == 2).then_some(())
        })
        .await;

        let mut resumed = EventStream::open(&here, connected.id.as_deref()).await;
        let next = resumed.event().await;
        assert_eq!((next.kind(), next.seq()), ("satellite.disconnected", 2), "{queue:?}");
    }
}
