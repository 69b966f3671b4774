//! A process whose tasks can be stopped, as by SIGSTOP, and killed, as by SIGKILL, between any
//! two of their steps.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

/// A simulated process. Clones are the same process.
#[derive(Clone, Default)]
pub(super) struct Process(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    state: State,
    wakers: BTreeMap<u64, Waker>,
    tasks: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Running,
    Paused,
    Dead,
}

impl Process {
    /// `future` as a part of this process; it answers none when the process is killed.
    pub(super) fn run<F: Future>(&self, future: F) -> Running<F> {
        let mut inner = self.0.lock();
        inner.tasks += 1;
        Running { process: self.clone(), key: inner.tasks, future: Some(Box::pin(future)) }
    }

    /// Nothing of it runs until it is resumed; time passes meanwhile.
    pub(super) fn pause(&self) {
        let mut inner = self.0.lock();
        if inner.state == State::Running {
            inner.state = State::Paused;
        }
    }

    /// Ends a pause.
    pub(super) fn resume(&self) {
        self.become_(State::Running, |state| state == State::Paused);
    }

    /// Nothing of it ever runs again, and what it held is gone.
    pub(super) fn kill(&self) {
        self.become_(State::Dead, |_| true);
    }

    /// Whether it was killed.
    pub(super) fn is_dead(&self) -> bool {
        self.0.lock().state == State::Dead
    }

    /// Whether it runs: neither killed nor paused.
    pub(super) fn is_running(&self) -> bool {
        self.0.lock().state == State::Running
    }

    fn become_(&self, state: State, from: impl Fn(State) -> bool) {
        let mut inner = self.0.lock();
        if !from(inner.state) {
            return;
        }
        inner.state = state;
        let woken: Vec<_> = inner.wakers.values().cloned().collect();
        drop(inner);
        woken.into_iter().for_each(Waker::wake);
    }
}

/// A part of a process.
pub(super) struct Running<F> {
    process: Process,
    key: u64,
    future: Option<Pin<Box<F>>>,
}

impl<F: Future> Future for Running<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let state = {
            let mut inner = self.process.0.lock();
            let (state, waker) = (inner.state, context.waker());
            match inner.wakers.get_mut(&self.key) {
                Some(known) => known.clone_from(waker),
                None => drop(inner.wakers.insert(self.key, waker.clone())),
            }
            state
        };
        let Some(future) = &mut self.future else { return Poll::Ready(None) };
        match state {
            State::Running => future.as_mut().poll(context).map(Some),
            State::Paused => Poll::Pending,
            State::Dead => {
                self.future = None;
                Poll::Ready(None)
            }
        }
    }
}

impl<F> Drop for Running<F> {
    fn drop(&mut self) {
        // The waker is dropped outside of the lock: it may own a task of this very process.
        let waker = self.process.0.lock().wakers.remove(&self.key);
        drop(waker);
    }
}
