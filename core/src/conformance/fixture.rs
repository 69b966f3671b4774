//! One fresh adapter under test, and what can be done with it.

use std::any::Any;
use std::future::Future;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::runner::{Fault, Seen};
use super::{
    RuleAdapter, SecretAdapter, SinkAdapter, SinkStoreAdapter, WebhookAdapter, WorkAdapter,
};
use crate::ports::{
    ApiTokenStore, BlobStore, Broadcast, Clock, RecurringWork, SatelliteStore, SealedStore,
    SecretDeliveryStore,
};
use crate::time::Millis;

/// One fresh adapter of the port `P`.
///
/// An `Arc` of the adapter turns into a fixture with one handle and nothing else.
pub struct Fixture<P: ?Sized> {
    /// Never empty, except between a crash and what opens the adapter again.
    handles: Vec<Arc<P>>,
    reopen: Option<Box<dyn Fn() -> BoxFuture<'static, Arc<P>> + Send + Sync>>,
    limit: Option<Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>>,
    pass: Option<Box<dyn Fn(Millis) -> BoxFuture<'static, ()> + Send + Sync>>,
    kept: Vec<Box<dyn Any + Send + Sync>>,
}

impl<P: ?Sized> Fixture<P> {
    /// The adapter behind one handle.
    pub fn new(handle: Arc<P>) -> Self {
        Self { handles: vec![handle], reopen: None, limit: None, pass: None, kept: Vec::new() }
    }

    /// Another handle to the same adapter, as another pod has it: a connection of its own where
    /// there are connections. What shall happen at once is spread over the handles.
    #[must_use]
    pub fn with_handle(mut self, handle: Arc<P>) -> Self {
        self.handles.push(handle);
        self
    }

    /// How to open the adapter again after a crash. All handles have been dropped by then,
    /// without a word to them. Without this, cases about crashes are skipped.
    #[must_use]
    pub fn reopened_by<F, Fut>(mut self, open: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Arc<P>> + Send + 'static,
    {
        self.reopen = Some(Box::new(move || Box::pin(open())));
        self
    }

    /// A wait after which a case has failed, such as your runtime's `sleep` of ten seconds.
    /// Without this, a case waits for the adapter for ever.
    #[must_use]
    pub fn giving_up_after<F, Fut>(mut self, wait: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.limit = Some(Box::new(move || Box::pin(wait())));
        self
    }

    /// How to let time pass for the adapter: your runtime's `sleep`, or moving on the clock that it
    /// was given. Without this, cases about time are skipped.
    #[must_use]
    pub fn passing_time_by<F, Fut>(mut self, pass: F) -> Self
    where
        F: Fn(Millis) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.pass = Some(Box::new(move |span| Box::pin(pass(span))));
        self
    }

    /// Something that must live as long as the adapter is used, such as its directory.
    #[must_use]
    pub fn keeping(mut self, guard: impl Any + Send + Sync) -> Self {
        self.kept.push(Box::new(guard));
        self
    }

    /// A handle; `number` picks one of those that there are.
    pub(super) fn handle(&self, number: usize) -> Arc<P> {
        Arc::clone(&self.handles[number % self.handles.len()])
    }

    pub(super) fn can_reopen(&self) -> bool {
        self.reopen.is_some()
    }

    /// Lets `span` pass.
    pub(super) async fn pass(&self, span: Millis) -> Seen {
        let pass = self.pass.as_ref().ok_or(Fault::Needs("Fixture::passing_time_by"))?;
        pass(span).await;
        Ok(())
    }

    /// Drops all handles and opens the adapter again.
    pub(super) async fn crash(&mut self) {
        if let Some(reopen) = &self.reopen {
            self.handles.clear();
            self.handles.push(reopen().await);
        }
    }

    /// The wait after which a case has failed.
    pub(super) fn limit(&self) -> Option<BoxFuture<'static, ()>> {
        self.limit.as_ref().map(|wait| wait())
    }
}

macro_rules! from_arc {
    ($($port:ident),+) => {$(
        impl<A: $port + 'static> From<Arc<A>> for Fixture<dyn $port> {
            fn from(adapter: Arc<A>) -> Self {
                Self::new(adapter)
            }
        }

        impl From<Arc<dyn $port>> for Fixture<dyn $port> {
            fn from(adapter: Arc<dyn $port>) -> Self {
                Self::new(adapter)
            }
        }
    )+};
}

from_arc!(
    SatelliteStore,
    ApiTokenStore,
    WorkAdapter,
    WebhookAdapter,
    RuleAdapter,
    SinkAdapter,
    SinkStoreAdapter,
    BlobStore,
    SecretAdapter,
    SealedStore,
    SecretDeliveryStore,
    Broadcast,
    RecurringWork,
    Clock
);
