//! Secrets for satellites: read which a place declares, look only those up, put the delivery on
//! record, answer, forget. What cannot be put on record is not delivered.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use groundcontrol_core::assignment::{Configuration, Json, Value};
use groundcontrol_core::limits::SECRETS_WITHIN;
use groundcontrol_core::ports::{
    FieldError, FleetError, Order, SecretDeliveryQuery, SecretError, SecretService, SessionRef,
    StoreResult,
};
use groundcontrol_core::secrets::{
    ConfigPlace, ConfigValues, Delivery, DeliveryPlace, PlaceError, RunPlace, SecretName,
    SecretValue, Secrets, StoredDelivery, Values,
};
use groundcontrol_core::session::{Answer, Request};
use metrics::counter;
use tokio::time::timeout;
use tracing::{info, warn};

use super::prune::{PRUNE_STEP, in_steps};
use crate::json;
use crate::pod::{GroundControl, Pod, SecretDesk, SecretPorts};

const UNAVAILABLE: &str = "Secrets cannot be looked up just now; try again later.";
const NOT_RECORDED: &str = "The delivery cannot be put on record just now; try again later.";
const FAULT: &str = "Secrets could not be delivered: a fault of this server.";

/// Texts with secrets in them.
enum Found {
    Run(Values),
    Config(ConfigValues),
}

/// A place that a satellite asks for.
enum Place {
    Run(RunPlace),
    Config(ConfigPlace),
}

/// What is known of a delivery so far.
struct Outcome {
    names: Vec<SecretName>,
    found: Result<Found, String>,
    counted: &'static str,
}

/// An answer that is owed, whatever becomes of the task that looks for it.
struct Owed {
    pod: Arc<Pod>,
    session: SessionRef,
    request: Option<Request>,
}

impl Owed {
    fn give(mut self, answer: Answer) {
        self.request = None;
        self.send(answer);
    }

    /// Only to the session that asked.
    fn send(&self, answer: Answer) {
        let SessionRef { satellite, epoch, .. } = self.session;
        let order = Order::Answer(Box::new(answer));
        self.pod.sessions.order(satellite, order, |held| held == epoch);
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        if let Some(request) = self.request.take() {
            self.send(request.failed(FAULT));
        }
    }
}

impl Pod {
    /// Takes a request for secrets. Answers at once where this pod has none.
    pub(crate) fn take_secret_request(
        self: &Arc<Self>,
        session: SessionRef,
        request: Request,
    ) -> Option<Answer> {
        if self.secrets.is_none() {
            return Some(request.unserved());
        }
        let owed = Owed { pod: self.clone(), session, request: Some(request.clone()) };
        let pod = self.clone();
        self.spawn(async move {
            let answer = pod.deliver(session, request).await;
            owed.give(answer);
        });
        None
    }

    async fn deliver(&self, session: SessionRef, request: Request) -> Answer {
        let Some(desk) = &self.secrets else { return request.unserved() };
        let told = self.sessions.configured(session).map(|told| told.configuration);
        let outcome = outcome(desk, told.as_deref(), &request).await;
        let Some(delivery) = self.delivery(session, &request, &outcome) else {
            return request.unserved();
        };
        let recorded = desk.push(delivery).await.is_ok();
        let counted = if recorded { outcome.counted } else { "not_recorded" };
        counter!("groundcontrol_secret_deliveries_total", "outcome" => counted).increment(1);
        match (recorded, outcome.found) {
            (true, Ok(found)) => delivered(request, found),
            (true, Err(why)) => request.failed(&why),
            (false, _) => request.failed(NOT_RECORDED),
        }
    }

    fn delivery(
        &self,
        session: SessionRef,
        request: &Request,
        outcome: &Outcome,
    ) -> Option<Delivery> {
        let (place, run_id) = match request {
            Request::RunSecrets { config_id, collector_id, run_id, .. } => {
                (DeliveryPlace::new(config_id, Some(collector_id)), run_id)
            }
            Request::ConfigSecrets { config_id, run_id, .. } => {
                (DeliveryPlace::new(config_id, None), run_id)
            }
            Request::ScriptPackageManifest { .. } | Request::ScriptPackageBlob { .. } => {
                return None;
            }
        };
        Some(Delivery {
            satellite: session.satellite,
            place,
            run_id: Delivery::kept(run_id),
            names: outcome.names.clone(),
            error: outcome.found.as_ref().err().map(|why| Delivery::kept(why)),
            at: self.now(),
            pod: self.name.clone(),
        })
    }

    /// The task that puts deliveries on record: what waits together, as one write.
    pub(crate) async fn record_deliveries(self: Arc<Self>) {
        let Some(desk) = &self.secrets else { return };
        loop {
            desk.waiting.notified().await;
            let waiting = desk.take();
            let (deliveries, answers): (Vec<_>, Vec<_>) = waiting.into_iter().unzip();
            match desk.ports.deliveries.record_deliveries(&deliveries).await {
                // Who no longer waits needs no answer.
                Ok(()) => answers.into_iter().for_each(|answer| answer.send(()).unwrap_or(())),
                // Who waits hears it, as the answers are dropped.
                Err(error) => warn!(
                    %error, count = deliveries.len(),
                    "deliveries of secrets cannot be put on record; nothing is delivered"
                ),
            }
        }
    }

    /// Deletes all deliveries beyond the retention of history.
    pub(crate) async fn prune_secret_deliveries(&self) -> StoreResult<()> {
        let Some(desk) = &self.secrets else { return Ok(()) };
        let before = self.now().minus(self.timing.transition_retention);
        in_steps(|| desk.ports.deliveries.prune_deliveries(before, PRUNE_STEP)).await?;
        Ok(())
    }
}

async fn outcome(desk: &SecretDesk, told: Option<&Configuration>, request: &Request) -> Outcome {
    let place = match place(told, request) {
        Ok(place) => place,
        Err(why) => {
            return Outcome { names: Vec::new(), found: Err(why.to_string()), counted: "refused" };
        }
    };
    let names = place.names().iter().cloned().collect();
    let looked_up = look_up(desk, place.names()).await;
    let found = looked_up
        .and_then(|secrets| place.compose(&secrets).map_err(|why| (why.to_string(), "refused")));
    match found {
        Ok(found) => Outcome { names, found: Ok(found), counted: "delivered" },
        Err((why, counted)) => Outcome { names, found: Err(why), counted },
    }
}

fn place(told: Option<&Configuration>, request: &Request) -> Result<Place, PlaceError> {
    let read = |json: &Json| -> Option<Value> { json::parse(json.as_str()).ok() };
    match request {
        Request::RunSecrets { config_id, collector_id, .. } => {
            RunPlace::find(told, config_id, collector_id, &read).map(Place::Run)
        }
        Request::ConfigSecrets { config_id, .. }
        | Request::ScriptPackageManifest { lockfile_hash: config_id }
        | Request::ScriptPackageBlob { integrity: config_id } => {
            ConfigPlace::find(told, config_id, &read).map(Place::Config)
        }
    }
}

impl Place {
    const fn names(&self) -> &BTreeSet<SecretName> {
        match self {
            Self::Run(place) => place.names(),
            Self::Config(place) => place.names(),
        }
    }

    fn compose(&self, secrets: &Secrets) -> Result<Found, PlaceError> {
        match self {
            Self::Run(place) => place.compose(secrets).map(Found::Run),
            Self::Config(place) => place.compose(secrets).map(Found::Config),
        }
    }
}

/// The secrets, or what the satellite is told, and how that is counted. What the source says of
/// itself goes to the log only.
async fn look_up(
    desk: &SecretDesk,
    names: &BTreeSet<SecretName>,
) -> Result<Secrets, (String, &'static str)> {
    if names.is_empty() {
        return Ok(Secrets::new());
    }
    let looked_up = timeout(SECRETS_WITHIN.into(), desk.ports.source.resolve(names)).await;
    let looked_up = looked_up
        .unwrap_or_else(|_| Err(SecretError::Unavailable("it did not answer in time".to_owned())));
    looked_up.map_err(|error| match error {
        SecretError::NotFound(name) => {
            (PlaceError::NotFound(name.to_string()).to_string(), "refused")
        }
        SecretError::Unusable { name, why } => (format!("The secret {name} {why}."), "refused"),
        error @ (SecretError::Unavailable(_)
        | SecretError::ReadOnly { .. }
        | SecretError::Store(_)) => {
            warn!(%error, "secrets cannot be looked up");
            (UNAVAILABLE.to_owned(), "unavailable")
        }
    })
}

fn delivered(request: Request, found: Found) -> Answer {
    match (request, found) {
        (Request::RunSecrets { request_id, .. }, Found::Run(env)) => {
            Answer::RunSecrets { request_id, env: Ok(env) }
        }
        (Request::ConfigSecrets { request_id, .. }, Found::Config(values)) => {
            Answer::ConfigSecrets { request_id, values: Ok(values) }
        }
        (request, Found::Run(_) | Found::Config(_)) => request.failed(FAULT),
    }
}

impl GroundControl {
    fn secrets(&self) -> Result<&SecretPorts, FleetError> {
        let desk = self.pod.secrets.as_ref().map(|desk| &desk.ports);
        desk.ok_or(FleetError::NotOffered { what: "secrets; give --secrets" })
    }
}

fn refused(error: SecretError) -> FleetError {
    match error {
        SecretError::NotFound(_) => FleetError::NotFound { what: "secret" },
        SecretError::Unusable { why, .. } => FleetError::Invalid(vec![FieldError {
            pointer: "/value".to_owned(),
            detail: why.to_owned(),
        }]),
        SecretError::ReadOnly { how } => FleetError::ReadOnly { what: "secrets", how },
        SecretError::Unavailable(why) => {
            FleetError::OutOfReach { what: "the source of secrets", why }
        }
        SecretError::Store(error) => error.into(),
    }
}

#[async_trait]
impl SecretService for GroundControl {
    async fn secret_names(&self) -> Result<BTreeSet<SecretName>, FleetError> {
        self.secrets()?.source.names().await.map_err(refused)
    }

    async fn put_secret(&self, name: SecretName, value: SecretValue) -> Result<(), FleetError> {
        self.secrets()?.source.put(&name, &value).await.map_err(refused)?;
        info!(%name, "a secret was set");
        Ok(())
    }

    async fn delete_secret(&self, name: SecretName) -> Result<(), FleetError> {
        if !self.secrets()?.source.delete(&name).await.map_err(refused)? {
            return Err(FleetError::NotFound { what: "secret" });
        }
        info!(%name, "a secret was deleted");
        Ok(())
    }

    async fn reseal_secrets(&self) -> Result<u64, FleetError> {
        let resealed = self.secrets()?.source.reseal().await.map_err(refused)?;
        info!(resealed, "secrets were sealed again under the current key");
        Ok(resealed)
    }

    async fn secret_deliveries(
        &self,
        query: SecretDeliveryQuery,
    ) -> Result<Vec<StoredDelivery>, FleetError> {
        Ok(self.secrets()?.deliveries.deliveries(&query).await?)
    }
}
