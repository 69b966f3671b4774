//! The picture as a frame of the terminal. Colour repeats what words say.

use groundcontrol_core::connection::Status as CoreStatus;
use groundcontrol_core::time::Timestamp;
use groundcontrol_http::dto::{Satellite, Status};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Cell, Paragraph, Row, Table};

use super::picture::{History, Picture};
use crate::command::printable::printable;
use crate::command::view;

/// All columns of the list but the id, for which a terminal seldom has room; it is in the details.
const COLUMNS: usize = view::SATELLITES.len() - 1;
const STATUS: usize = 2;
/// Columns, from what is needed most: name and status, when it was last seen, its last
/// event, region, version, tags. Where not all fit, the last go first.
const BY_NEED: [usize; COLUMNS] = [0, STATUS, 4, 3, 1, 5, 6];
const BETWEEN: u16 = 2;
/// The width of a satellite's description: its id, with the label before it.
const DESCRIPTION: u16 = 56;
/// A column is no wider: one long name leaves room for the others.
const WIDEST: u16 = 32;
const KEYS: &str = "↑↓ select   enter details   / search   s status   esc back   q quit";

/// Draws `picture`, as `server` tells it, at `now`.
pub(super) fn draw(picture: &mut Picture, server: &str, now: Timestamp, frame: &mut Frame<'_>) {
    let details = if picture.details.is_some() { Constraint::Percentage(50) } else { 0.into() };
    let parts = [2.into(), Constraint::Min(2), details, 1.into()];
    let [head, list, full, foot] = Layout::vertical(parts).areas(frame.area());
    picture.fit(usize::from(list.height.saturating_sub(1)));
    frame.render_widget(Paragraph::new(heading(picture, server)), head);
    draw_list(picture, now, list, frame);
    if picture.details.is_some() {
        draw_details(picture, now, full, frame);
    }
    frame.render_widget(Paragraph::new(footer(picture)), foot);
}

fn heading(picture: &Picture, server: &str) -> Vec<Line<'static>> {
    let (state, colour) = match &picture.stale {
        None => ("live".to_owned(), Color::Green),
        Some(why) => (why.clone(), Color::Yellow),
    };
    let counts = format!("   {} of {} online   ", picture.online, picture.all);
    let mut first = vec![
        Span::styled(printable(server).into_owned(), Modifier::BOLD),
        Span::raw(counts),
        Span::styled(state, colour),
    ];
    if let Some(status) = picture.status {
        first.push(Span::raw(format!("   only {status}")));
    }
    vec![Line::from(first), Line::from(picture.latest.clone().unwrap_or_default())]
}

fn footer(picture: &Picture) -> Line<'static> {
    match (picture.is_typing, picture.search.is_empty()) {
        (true, _) => Line::from(format!("/{}▏", printable(&picture.search))),
        (false, false) => {
            let search = printable(&picture.search);
            let found = picture.rows.len();
            Line::from(format!("/{search}: {found} found   {KEYS}"))
        }
        (false, true) => Line::from(KEYS).style(Modifier::DIM),
    }
}

fn draw_list(picture: &Picture, now: Timestamp, area: Rect, frame: &mut Frame<'_>) {
    if picture.rows.is_empty() {
        let why = match picture.all {
            0 if picture.stale.is_some() => "",
            0 => "There is no satellite yet: `groundcontrol satellites create` makes one.",
            _ => "No satellite matches.",
        };
        return frame.render_widget(Paragraph::new(why), area);
    }
    let shown = picture.rows.iter().skip(picture.top).take(picture.page);
    let cells: Vec<Vec<String>> = shown
        .map(|satellite| {
            let row = view::satellite_row(satellite, now).into_iter().take(COLUMNS);
            row.map(|cell| printable(&cell).into_owned()).collect()
        })
        .collect();
    let columns = fitting(&cells, area.width);
    let place = picture.place();
    let rows = cells.iter().zip(picture.top..).zip(picture.rows.iter().skip(picture.top)).map(
        |((cells, at), satellite)| {
            let row = Row::new(columns.iter().map(|(column, _)| {
                let style = if *column == STATUS { status(satellite) } else { Style::new() };
                Cell::from(cells[*column].as_str()).style(style)
            }));
            if Some(at) == place { row.style(Modifier::REVERSED) } else { row }
        },
    );
    let header = Row::new(columns.iter().map(|(column, _)| view::SATELLITES[*column]));
    let widths = columns.iter().map(|(_, width)| Constraint::Length(*width));
    let table = Table::new(rows, widths).header(header.style(Modifier::BOLD));
    frame.render_widget(table.column_spacing(BETWEEN), area);
}

/// The columns that fit, in their order, each with its width. The name is always there; what is
/// needed least is cut where it nearly fits.
fn fitting(rows: &[Vec<String>], room: u16) -> Vec<(usize, u16)> {
    let mut room = room;
    let mut columns = Vec::new();
    for column in BY_NEED {
        let head = u16::try_from(view::SATELLITES[column].len()).unwrap_or(u16::MAX);
        let wanted = widest(rows, column).max(head);
        if !columns.is_empty() && room < head.max(wanted / 2) {
            break;
        }
        let width = wanted.min(room);
        columns.push((column, width));
        room = room.saturating_sub(width + BETWEEN);
    }
    columns.sort_unstable();
    columns
}

fn widest(rows: &[Vec<String>], column: usize) -> u16 {
    let cells = rows.iter().filter_map(|row| row.get(column));
    let widest = cells.map(|text| Span::raw(text.as_str()).width()).max().unwrap_or(0);
    u16::try_from(widest).unwrap_or(u16::MAX).min(WIDEST)
}

fn status(satellite: &Satellite) -> Style {
    match satellite.status {
        Status(CoreStatus::Online) => Style::new().fg(Color::Green),
        Status(CoreStatus::Offline) if satellite.last_event.is_none() => Style::new(),
        Status(CoreStatus::Offline) => Style::new().fg(Color::Red),
    }
}

fn draw_details(picture: &Picture, now: Timestamp, area: Rect, frame: &mut Frame<'_>) {
    let (Some(satellite), Some(details)) = (picture.shown(), &picture.details) else { return };
    let title = format!(" {} ", printable(&satellite.name));
    let block = Block::new().borders(Borders::TOP).title(title);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let lines = view::satellite_details(satellite, now);
    let lines = lines.into_iter().map(|line| {
        let [label, value] = line.try_into().unwrap_or_default();
        Line::from(format!("{label:<18} {}", printable(&value)))
    });
    let halves = [Constraint::Max(DESCRIPTION), Constraint::Fill(1)];
    let [left, right] = Layout::horizontal(halves).spacing(BETWEEN).areas(inside);
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()), left);
    frame.render_widget(Paragraph::new(history(&details.history, now)), right);
}

fn history(history: &History, now: Timestamp) -> Vec<Line<'static>> {
    match history {
        History::Asked => vec![Line::from("reading its history")],
        History::Failed(why) => vec![Line::from(why.clone()).style(Color::Yellow)],
        History::Read(transitions) if transitions.is_empty() => {
            vec![Line::from("It never connected.")]
        }
        History::Read(transitions) => transitions
            .iter()
            .map(|transition| {
                let [_, _, event, cause, _, by] =
                    view::transition_row(transition).try_into().unwrap_or_default();
                let when = view::ago(transition.occurred_at.0, now);
                let line = format!("{when:<12}  {event:<14}  {cause}  {by}");
                Line::from(printable(line.trim_end()).into_owned())
            })
            .collect(),
    }
}
