//! What went wrong when, so that the checker knows what it may expect.

use parking_lot::Mutex;

use super::account::{Moment, now};

/// How long the effects of a trouble may last after it: connections are made again, what waited
/// is stored.
pub const AFTERMATH: i64 = 3_000;

/// Who was affected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One pod, or its way to its agents.
    Pod(usize),
    /// All pods.
    All,
}

/// One thing that went wrong.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// What.
    pub what: &'static str,
    /// Who was affected.
    pub scope: Scope,
    /// Since when.
    pub from: Moment,
    /// Until when; none while it goes on.
    pub until: Option<Moment>,
    /// The span in which surely no pod could store anything.
    pub deaf: Option<(Moment, Moment)>,
}

/// All that went wrong.
#[derive(Default)]
pub struct Troubles(Mutex<Vec<Trouble>>);

impl Troubles {
    /// Something begins to go wrong; answers its number.
    pub fn begin(&self, what: &'static str, scope: Scope) -> usize {
        let mut troubles = self.0.lock();
        troubles.push(Trouble { what, scope, from: now(), until: None, deaf: None });
        troubles.len() - 1
    }

    /// It is over; in `deaf`, nobody could store anything.
    pub fn end(&self, number: usize, deaf: Option<(Moment, Moment)>) {
        if let Some(trouble) = self.0.lock().get_mut(number) {
            trouble.until = Some(now());
            trouble.deaf = deaf;
        }
    }

    /// All troubles so far.
    pub fn list(&self) -> Vec<Trouble> {
        self.0.lock().clone()
    }
}

/// Whether nothing was wrong with `pod`, nor with all, from one moment to another.
pub fn sound(troubles: &[Trouble], pod: usize, from: Moment, to: Moment) -> bool {
    !troubles.iter().any(|trouble| {
        let concerns = matches!(trouble.scope, Scope::All) || trouble.scope == Scope::Pod(pod);
        let over = trouble.until.is_some_and(|until| until + AFTERMATH < from);
        concerns && trouble.from <= to && !over
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_sound_where_no_trouble_nor_its_aftermath_touches_it() {
        let trouble = |scope, from, until| Trouble { what: "", scope, from, until, deaf: None };
        let troubles =
            [trouble(Scope::Pod(1), 10_000, Some(11_000)), trouble(Scope::All, 90_000, None)];
        assert!(sound(&troubles, 1, 0, 9_999));
        assert!(!sound(&troubles, 1, 0, 10_000));
        assert!(!sound(&troubles, 1, 11_000 + AFTERMATH, 20_000));
        assert!(sound(&troubles, 1, 11_001 + AFTERMATH, 20_000));
        assert!(sound(&troubles, 0, 0, 89_999));
        assert!(!sound(&troubles, 0, 95_000, 96_000));
    }
}
