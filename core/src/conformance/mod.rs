//! The suite of each driven port, for the author of any adapter.
//!
//! An adapter is right when its suite passes; what a port's documentation promises has a case
//! here. Hand a suite a function that makes a *fresh* adapter and look at the [`Report`]:
//!
//! ```
//! # use std::sync::Arc;
//! # use groundcontrol_core::conformance;
//! # use groundcontrol_core::ports::Clock;
//! # use groundcontrol_core::time::{Millis, Timestamp};
//! struct Stopped;
//! impl Clock for Stopped {
//!     fn now(&self) -> Timestamp { Timestamp::from_millis(1) }
//!     fn error(&self) -> Millis { Millis::ZERO }
//! }
//! # futures_util::FutureExt::now_or_never(async {
//! let report = conformance::clock(|| async { Arc::new(Stopped) }).await;
//! report.assert_passed();
//! # }).unwrap();
//! ```
//!
//! The function is called once for each case. It answers an `Arc` of the adapter, or a
//! [`Fixture`] where the adapter can do more: several handles to one store (other connections,
//! as other pods have them), a way to open it again after a crash, a limit to the time that a
//! case may take.
//!
//! The suites need no particular runtime: they wait for the adapter and for nothing else, and
//! run what shall happen at once as futures that are polled together. A case that panics, or
//! whose adapter answers an error, is a failed case and ends no other.

#[macro_use]
mod runner;
mod report;
mod fixture;
mod satellite_store;
mod api_token_store;
mod work;
mod packages;
mod secret_source;
mod sealed_store;
mod secret_delivery_store;
mod webhook_store;
mod rule_store;
mod event_sink;
mod sink_store;
mod broadcast;
mod recurring_work;
mod clock;

pub use event_sink::SinkAdapter;
pub use fixture::Fixture;
pub use report::{CaseReport, Outcome, Report};
pub use secret_source::SecretAdapter;

use crate::ports::{
    ApiTokenStore, AssignmentSource, BlobStore, Broadcast, Clock, PackageStore, RecurringWork,
    RevisionStore, RuleStore, RunSink, RunStore, SatelliteStore, SealedStore, SecretDeliveryStore,
    SinkStore, WebhookStore, WorkStore,
};

/// A store of satellites and of their work. The suites of the work's ports need all of it: what
/// one port writes shows in what another reads.
pub trait WorkAdapter:
    SatelliteStore + WorkStore + AssignmentSource + RevisionStore + RunSink + RunStore + PackageStore
{
}

impl<A> WorkAdapter for A where
    A: SatelliteStore
        + WorkStore
        + AssignmentSource
        + RevisionStore
        + RunSink
        + RunStore
        + PackageStore
{
}

/// A store of satellites and of webhooks: what happens to the ones is what the others are told.
pub trait WebhookAdapter: SatelliteStore + WebhookStore {}

impl<A> WebhookAdapter for A where A: SatelliteStore + WebhookStore {}

/// A store of satellites, of webhooks and of rules: what happens to the first is what the last tell
/// those between.
pub trait RuleAdapter: SatelliteStore + WebhookStore + RuleStore {}

impl<A> RuleAdapter for A where A: SatelliteStore + WebhookStore + RuleStore {}

/// A store of events and of how far they have come on their way to sinks; rules are what records
/// some.
pub trait SinkStoreAdapter: SatelliteStore + RuleStore + SinkStore {}

impl<A> SinkStoreAdapter for A where A: SatelliteStore + RuleStore + SinkStore {}

/// Whether what `make` makes keeps the promises of [`SatelliteStore`]. Each store must be empty.
pub async fn satellite_store<T>(make: impl AsyncFn() -> T) -> Report
where
    T: Into<Fixture<dyn SatelliteStore>>,
{
    runner::run("satellite_store", satellite_store::cases(), make).await
}

/// Whether what `make` makes keeps the promises of [`ApiTokenStore`]. Each store must be empty.
pub async fn api_token_store<T>(make: impl AsyncFn() -> T) -> Report
where
    T: Into<Fixture<dyn ApiTokenStore>>,
{
    runner::run("api_token_store", api_token_store::cases(), make).await
}

/// Whether what `make` makes keeps the promises of [`WorkStore`]. Each store must be empty.
pub async fn work_store<T>(make: impl AsyncFn() -> T) -> Report
where
    T: Into<Fixture<dyn WorkAdapter>>,
{
    runner::run("work_store", work::store::cases(), make).await
}

/// Whether what `make` makes keeps the promises of [`AssignmentSource`]. Each store must be empty.
pub async fn assignment_source<T>(make: impl AsyncFn() -> T) -> Report
where
    T: Into<Fixture<dyn WorkAdapter>>,
{
    runner::run("assignment_source", work::source::cases(), make).await
}

/// Whether what `make` makes keeps the promises of [`RevisionStore`]. Each store must be empty.
pub async fn revision_store<T>(make: impl AsyncFn() -> T) -> Report
where
    T: Into<Fixture<dyn WorkAdapter>>,
{
    runner::run("revision_store", work::revisions::cases(), make).await
}

/// Whether what `make` makes keeps the promises of [`RunSink`] and [`RunStore`]. Each store must be
/// empty.
pub async fn run_store<T>(make: impl AsyncFn() -> T) -> Report
where
    T: Into<Fixture<dyn WorkAdapter>>,
{
    let cases = work::runs::cases().into_iter().chain(work::quiet::cases()).collect();
    runner::run("run_store", cases, make).await
}

/// Whether what `make` makes keeps the promises of [`PackageStore`]. Each store must be empty.
pub async fn package_store<T>(make: impl AsyncFn() -> T) -> Report
where
    T: Into<Fixture<dyn WorkAdapter>>,
{
    runner::run("package_store", packages::store::cases(), make).await
}

/// Whether what `make` makes keeps the promises of [`BlobStore`]. Each store must be empty.
pub async fn blob_store<T>(make: impl AsyncFn() -> T) -> Report
where
    T: Into<Fixture<dyn BlobStore>>,
{
    runner::run("blob_store", packages::blobs::cases(), make).await
}

/// Whether what `make` makes keeps the promises of
/// [`SecretSource`](crate::ports::SecretSource). Each source must be empty.
pub async fn secret_source<T>(make: impl AsyncFn() -> T) -> Report
where
    T: Into<Fixture<dyn SecretAdapter>>,
{
    runner::run("secret_source", secret_source::cases(), make).await
}

/// Whether what `make` makes keeps the promises of [`SealedStore`]. Each store must be empty.
pub async fn sealed_store<T>(make: impl AsyncFn() -> T) -> Report
where
    T: Into<Fixture<dyn SealedStore>>,
{
    runner::run("sealed_store", sealed_store::cases(), make).await
}

/// Whether what `make` makes keeps the promises of [`SecretDeliveryStore`]. Each store must be empty.
pub async fn secret_delivery_store<T>(make: impl AsyncFn() -> T) -> Report
where
    T: Into<Fixture<dyn SecretDeliveryStore>>,
{
    runner::run("secret_delivery_store", secret_delivery_store::cases(), make).await
}

/// Whether what `make` makes keeps the promises of [`WebhookStore`]. Each store must be empty.
pub async fn webhook_store<T>(make: impl AsyncFn() -> T) -> Report
where
    T: Into<Fixture<dyn WebhookAdapter>>,
{
    runner::run("webhook_store", webhook_store::cases(), make).await
}

/// Whether what `make` makes keeps the promises of [`RuleStore`]. Each store must be empty.
pub async fn rule_store<T>(make: impl AsyncFn() -> T) -> Report
where
    T: Into<Fixture<dyn RuleAdapter>>,
{
    runner::run("rule_store", rule_store::cases(), make).await
}

/// Whether what `make` makes keeps the promises of [`EventSink`](crate::ports::EventSink). Nothing
/// must have arrived on its other side yet.
pub async fn event_sink<T>(make: impl AsyncFn() -> T) -> Report
where
    T: Into<Fixture<dyn SinkAdapter>>,
{
    runner::run("event_sink", event_sink::cases(), make).await
}

/// Whether what `make` makes keeps the promises of [`SinkStore`]. Each store must be empty.
pub async fn sink_store<T>(make: impl AsyncFn() -> T) -> Report
where
    T: Into<Fixture<dyn SinkStoreAdapter>>,
{
    runner::run("sink_store", sink_store::cases(), make).await
}

/// Whether what `make` makes keeps the promises of [`Broadcast`]. Give the fixture several handles,
/// each with a connection of its own, as pods have them. Where nudges take a network, give it a
/// [time limit](Fixture::giving_up_after): a lost nudge is waited for.
pub async fn broadcast<T>(make: impl AsyncFn() -> T) -> Report
where
    T: Into<Fixture<dyn Broadcast>>,
{
    runner::run("broadcast", broadcast::cases(), make).await
}

/// Whether what `make` makes keeps the promises of [`RecurringWork`]. Each queue must be empty.
/// Give the fixture [a way to let time pass](Fixture::passing_time_by), a [time
/// limit](Fixture::giving_up_after), and at least two handles, each a member of its own; where
/// yours reads a clock, let theirs be hours apart.
pub async fn recurring_work<T>(make: impl AsyncFn() -> T) -> Report
where
    T: Into<Fixture<dyn RecurringWork>>,
{
    runner::run("recurring_work", recurring_work::cases(), make).await
}

/// Whether what `make` makes keeps the promises of [`Clock`], as far as they show without a
/// second clock to compare with.
pub async fn clock<T>(make: impl AsyncFn() -> T) -> Report
where
    T: Into<Fixture<dyn Clock>>,
{
    runner::run("clock", clock::cases(), make).await
}
