//! The end of a run: all faults are over, and everything must come right (P4, P8, P9).

use super::task::Work;
use super::{Action, Pods};
use crate::connection::{LifecycleEvent, Status, TransitionKind};
use crate::model::{ERROR, Fault, Property, SETTLE};
use crate::ports::CredentialAction;
use crate::time::Millis;

/// More steps than any tasks need that nothing disturbs.
const ENOUGH: usize = 10_000;
/// More events than a run records.
const ALL: usize = 10_000;

impl Pods {
    pub(super) async fn come_to_rest(&mut self) -> Result<(), Fault> {
        self.finish_tasks().await?;
        self.begin(0, Work::Change(CredentialAction::SetEnabled(true), None));
        self.finish_tasks().await?;
        if !self.truth.oracle.is_removed() {
            self.must_recover().await?;
            self.must_be_lost_once().await?;
            self.must_recover_on_its_socket().await?;
            self.must_be_lost_once().await?;
        }
        self.look().await?;
        self.must_have_told_everything().await
    }

    async fn finish_tasks(&mut self) -> Result<(), Fault> {
        for _ in 0..ENOUGH {
            if self.tasks.is_empty() {
                return Ok(());
            }
            self.step(0, true).await?;
        }
        Err(Fault::new(Property::P9, "tasks that nothing disturbs do not come to an end"))
    }

    /// The satellite dials anew.
    async fn must_recover(&mut self) -> Result<(), Fault> {
        self.sockets.clear();
        self.pass(ERROR.times(2) + Millis::new(1));
        self.perform(Action::Dial { pod: 0, old_token: false }).await?;
        self.finish_tasks().await?;
        self.must_be_online("after a connect").await
    }

    /// It is heard on the socket that it has.
    async fn must_recover_on_its_socket(&mut self) -> Result<(), Fault> {
        self.pass(ERROR.times(2) + Millis::new(1));
        self.perform(Action::Beat(0)).await?;
        self.flush(0).await?;
        self.finish_tasks().await?;
        self.must_be_online("after a heartbeat").await
    }

    async fn must_be_online(&mut self, when: &str) -> Result<(), Fault> {
        self.look().await?;
        let stamp = self.stamp(0);
        let stored = Self::answer(self.store().get(self.satellite).await)?;
        if stored.as_ref().is_some_and(|stored| stored.status(stamp) == Status::Online) {
            return Ok(());
        }
        Err(Fault::new(Property::P9, format!("{when} at {stamp}: {stored:?}")))
    }

    /// Every pod watches while nothing is heard.
    async fn must_be_lost_once(&mut self) -> Result<(), Fault> {
        let before = self.truth.history.len();
        let silence = self.truth.threshold + SETTLE + ERROR.times(2) + Millis::new(1);
        for _ in 0..2 {
            self.watch(0, silence).await?;
            for pod in 1..self.pods.len() {
                self.renew(pod).await?;
                self.sweep(pod).await?;
            }
            self.finish_tasks().await?;
        }
        let lost = Some(TransitionKind::Edge(LifecycleEvent::HeartbeatLost));
        match &self.truth.history[before..] {
            [one] if one.kind == lost => Ok(()),
            other => Err(Fault::new(Property::P4, format!("a watched silence gave {other:?}"))),
        }
    }

    /// E3: every transition is an event, in the order of its seq, once.
    async fn must_have_told_everything(&mut self) -> Result<(), Fault> {
        let told = Self::answer(self.store().events_after(None, ALL).await)?;
        let told = told.into_iter().filter_map(|event| event.recorded.into_transition());
        let told: Vec<_> = told.filter(|edge| edge.satellite == self.satellite).collect();
        if told == self.truth.history {
            return Ok(());
        }
        let seqs: Vec<_> = told.iter().map(|transition| transition.seq.0).collect();
        Err(Fault::new(Property::P8, format!("the events are {seqs:?}")))
    }
}
