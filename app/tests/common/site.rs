//! Pods that share a store and a receiver of webhooks, which a test plays.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use groundcontrol::pod::{GroundControl, RulePorts, WebhookPorts};
use groundcontrol_core::automation::{
    AlertNotice, Answer, ContentMode, EventFilter, Notice, RegionLossSettings, Webhook,
    WebhookHeaders, WebhookUrl,
};
use groundcontrol_core::ports::{
    AttemptSeen, OutgoingWebhook, SendReport, WebhookRequest, WebhookSender, WebhookService as _,
};
use groundcontrol_core::satellite::SatelliteId;
use groundcontrol_core::time::Millis;
use parking_lot::Mutex;
use tokio::time::sleep;

use super::World;

pub type Told = Arc<Mutex<Vec<OutgoingWebhook>>>;
pub type Judge = Arc<Mutex<Box<dyn Fn(&OutgoingWebhook) -> Answer + Send>>>;

pub const FAILED: Answer = Answer::Failed { retry_after: None };

/// A receiver that answers as a test says, and keeps what it was told.
pub struct Receiver {
    pub told: Told,
    pub judge: Judge,
    pub takes: Mutex<Duration>,
}

#[async_trait]
impl WebhookSender for Receiver {
    fn refuses(&self, url: &WebhookUrl) -> Option<String> {
        url.as_str().contains("refused").then(|| "is not allowed".to_owned())
    }

    async fn send(&self, request: OutgoingWebhook) -> SendReport {
        let takes = *self.takes.lock();
        sleep(takes).await;
        let answer = self.judge.lock()(&request);
        self.told.lock().push(request);
        SendReport { answer, seen: AttemptSeen { status: Some(200), ..AttemptSeen::default() } }
    }
}

/// Pods that share a store and a receiver.
pub struct Site {
    pub world: World,
    pub receiver: Arc<Receiver>,
    /// When the loss of a region is suspected.
    pub region_loss: RegionLossSettings,
}

impl Site {
    pub fn new() -> Self {
        let judge: Judge = Arc::new(Mutex::new(Box::new(|_| Answer::Accepted)));
        let takes = Mutex::new(Duration::from_millis(1));
        let receiver = Arc::new(Receiver { told: Told::default(), judge, takes });
        let window = Millis::from_secs(120);
        let region_loss = RegionLossSettings { share_percent: 50, window };
        Self { world: World::new(), receiver, region_loss }
    }

    pub async fn pod(&self, name: &str) -> GroundControl {
        let store = Arc::new(self.world.memory.clone());
        let ports = WebhookPorts { store: store.clone(), sender: self.receiver.clone() };
        let rules = RulePorts { store, region_loss: self.region_loss };
        self.world.pod_with(name, |pod| pod.webhooks(ports).rules(rules)).await
    }

    /// What was told of alerts, in order.
    pub fn alerts(&self) -> Vec<AlertNotice> {
        let told = self.receiver.told.lock();
        let alert = |one: &OutgoingWebhook| match &one.notice {
            Notice::Alert(notice) => Some(notice.clone()),
            Notice::Event(_) => None,
        };
        told.iter().filter_map(alert).collect()
    }

    pub fn answer(&self, judge: impl Fn(&OutgoingWebhook) -> Answer + Send + 'static) {
        *self.receiver.judge.lock() = Box::new(judge);
    }

    pub fn told(&self) -> Vec<(SatelliteId, u64)> {
        let told = self.receiver.told.lock();
        told.iter().map(told_of).collect()
    }

    pub async fn until_told(&self, count: usize) {
        self.world.until(|| async { self.told().len() >= count }).await;
    }
}

/// Which event of which satellite a request tells.
pub fn told_of(request: &OutgoingWebhook) -> (SatelliteId, u64) {
    match &request.notice {
        Notice::Event(event) => (SatelliteId(event.context().0), event.seq().0),
        Notice::Alert(notice) => (SatelliteId(notice.alert.0.0), notice.call.seq().0),
    }
}

pub async fn make(pod: &GroundControl, name: &str, filter: EventFilter) -> Webhook {
    let request = WebhookRequest {
        name: name.parse().unwrap(),
        url: "https://example.org/hook".parse().unwrap(),
        filter,
        headers: WebhookHeaders::default(),
        mode: ContentMode::Structured,
        alerts_only: false,
        active: true,
    };
    pod.create_webhook(request).await.unwrap().0
}
