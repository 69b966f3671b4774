//! What the screen shows of the fleet, and what a key changes about it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use groundcontrol_core::connection::Status as CoreStatus;
use groundcontrol_http::dto::{Satellite, Status, Transition};
use uuid::Uuid;

use super::follow::{Known, by_name};

/// Characters of a search that are taken.
const SEARCH: usize = 100;

/// The screen's state beside the fleet's.
#[derive(Clone, Debug, Default)]
pub(super) struct Picture {
    /// Those that are shown, by name.
    pub(super) rows: Vec<Satellite>,
    /// Of how many, and how many of those are online.
    pub(super) all: usize,
    pub(super) online: usize,
    pub(super) selected: Option<Uuid>,
    /// The first row on the screen.
    pub(super) top: usize,
    /// Rows that fit, as they were drawn last.
    pub(super) page: usize,
    pub(super) search: String,
    pub(super) is_typing: bool,
    pub(super) status: Option<CoreStatus>,
    pub(super) details: Option<Details>,
    pub(super) latest: Option<String>,
    pub(super) stale: Option<String>,
}

/// One satellite, in full.
#[derive(Clone, Debug)]
pub(super) struct Details {
    pub(super) satellite: Uuid,
    pub(super) history: History,
}

/// What happened to it.
#[derive(Clone, Debug)]
pub(super) enum History {
    Asked,
    Read(Vec<Transition>),
    Failed(String),
}

/// What the screen does after a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Draw,
    /// Read the history of the satellite that is shown in full.
    ReadHistory(Uuid),
    Quit,
}

impl Picture {
    /// Takes over what is known. The selection stays on its satellite.
    pub(super) fn update(&mut self, known: &Known) {
        self.all = known.satellites.len();
        self.online = known.satellites.values().filter(|one| is(one, CoreStatus::Online)).count();
        let sorted = by_name(&known.satellites).into_iter();
        self.rows = sorted.filter(|one| self.matches(one)).cloned().collect();
        self.latest = known.latest.front().cloned();
        self.stale = known.stale.clone();
        let there = |id| self.rows.iter().any(|row| row.id == id);
        if !self.selected.is_some_and(there) {
            let at = self.top.min(self.rows.len().saturating_sub(1));
            self.selected = self.rows.get(at).map(|row| row.id);
        }
        if self.shown().is_none() {
            self.details = None;
        }
        self.scroll();
    }

    /// The place of the selected row.
    pub(super) fn place(&self) -> Option<usize> {
        let selected = self.selected?;
        self.rows.iter().position(|row| row.id == selected)
    }

    /// The satellite that is shown in full.
    pub(super) fn shown(&self) -> Option<&Satellite> {
        let details = self.details.as_ref()?;
        self.rows.iter().find(|row| row.id == details.satellite)
    }

    /// `rows` rows fit on the screen.
    pub(super) fn fit(&mut self, rows: usize) {
        self.page = rows;
        self.scroll();
    }

    /// What a key does. A search or status that narrows the list takes effect with the next
    /// [`update`](Self::update).
    pub(super) fn press(&mut self, key: KeyEvent) -> Answer {
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c') if is_control => return Answer::Quit,
            _ if self.is_typing => self.type_key(key.code),
            KeyCode::Char('q') => return Answer::Quit,
            KeyCode::Char('/') => self.is_typing = true,
            KeyCode::Char('s') => self.status = next_status(self.status),
            KeyCode::Down | KeyCode::Char('j') => self.step(1),
            KeyCode::Up | KeyCode::Char('k') => self.step(-1),
            KeyCode::PageDown => self.step(self.page.max(1) as isize),
            KeyCode::PageUp => self.step(-(self.page.max(1) as isize)),
            KeyCode::Home | KeyCode::Char('g') => self.step(isize::MIN),
            KeyCode::End | KeyCode::Char('G') => self.step(isize::MAX),
            KeyCode::Enter => return self.toggle_details(),
            KeyCode::Esc if self.details.is_some() => self.details = None,
            KeyCode::Esc => {
                self.search.clear();
                self.status = None;
            }
            _ => {}
        }
        self.follow_details()
    }

    fn type_key(&mut self, code: KeyCode) {
        match code {
            KeyCode::Enter => self.is_typing = false,
            KeyCode::Esc => {
                self.is_typing = false;
                self.search.clear();
            }
            KeyCode::Backspace => {
                self.search.pop();
            }
            KeyCode::Char(c) if self.search.chars().count() < SEARCH => self.search.push(c),
            _ => {}
        }
    }

    fn toggle_details(&mut self) -> Answer {
        if self.details.take().is_some() {
            return Answer::Draw;
        }
        self.show_selected()
    }

    /// The satellite that is shown in full is the selected one.
    fn follow_details(&mut self) -> Answer {
        let shown = self.details.as_ref().map(|details| details.satellite);
        match shown.is_some() && shown != self.selected {
            true => self.show_selected(),
            false => Answer::Draw,
        }
    }

    fn show_selected(&mut self) -> Answer {
        let Some(satellite) = self.selected else { return Answer::Draw };
        self.details = Some(Details { satellite, history: History::Asked });
        Answer::ReadHistory(satellite)
    }

    fn step(&mut self, by: isize) {
        let Some(last) = self.rows.len().checked_sub(1) else { return };
        let place = self.place().unwrap_or(0).saturating_add_signed(by).min(last);
        self.selected = Some(self.rows[place].id);
        self.scroll();
    }

    /// Keeps the selection on the screen, and no room empty that rows could fill.
    fn scroll(&mut self) {
        let (Some(place), 1..) = (self.place(), self.page) else {
            self.top = 0;
            return;
        };
        let lowest = (place + 1).saturating_sub(self.page);
        let fullest = self.rows.len().saturating_sub(self.page);
        self.top = self.top.clamp(lowest, place.max(lowest)).min(fullest.max(lowest));
    }

    fn matches(&self, satellite: &Satellite) -> bool {
        if self.status.is_some_and(|status| !is(satellite, status)) {
            return false;
        }
        let wanted = self.search.to_lowercase();
        let holds = |text: &str| text.to_lowercase().contains(&wanted);
        wanted.is_empty()
            || holds(&satellite.name)
            || holds(&satellite.region)
            || satellite.tags.iter().any(|(key, value)| holds(&format!("{key}={value}")))
    }
}

fn is(satellite: &Satellite, status: CoreStatus) -> bool {
    satellite.status == Status(status)
}

fn next_status(status: Option<CoreStatus>) -> Option<CoreStatus> {
    match status {
        None => Some(CoreStatus::Offline),
        Some(CoreStatus::Offline) => Some(CoreStatus::Online),
        Some(CoreStatus::Online) => None,
    }
}
