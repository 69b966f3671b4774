//! Where a command writes, and how: tables for people, JSON for programs.

use std::io::{self, IsTerminal as _, Write};
use std::time::SystemTime;

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};
use groundcontrol_core::time::Timestamp;
use serde::Serialize;

use super::printable::{printable, printable_json};

/// How results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum OutputFormat {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
}

/// Standard output, input and error, and what is known of them.
pub struct Console {
    out: Box<dyn Write>,
    err: Box<dyn Write>,
    input: Box<dyn io::BufRead>,
    is_terminal: bool,
    can_ask: bool,
    now: fn() -> Timestamp,
    /// Tables or JSON.
    pub format: OutputFormat,
}

impl Console {
    /// Those of this process.
    pub fn of_process(format: OutputFormat) -> Self {
        Self {
            out: Box::new(io::stdout()),
            err: Box::new(io::stderr()),
            input: Box::new(io::BufReader::new(io::stdin())),
            is_terminal: io::stdout().is_terminal(),
            can_ask: io::stdin().is_terminal() && io::stderr().is_terminal(),
            now: wall_clock,
            format,
        }
    }

    /// Whether a program reads the results.
    pub fn is_json(&self) -> bool {
        self.format == OutputFormat::Json
    }

    /// Columns and rows of the terminal; none where the output is no terminal.
    pub fn terminal(&self) -> Option<(u16, u16)> {
        self.is_terminal.then(|| {
            let (rows, columns) = console::Term::stdout().size();
            (columns, rows)
        })
    }

    /// The time as this machine has it.
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// Writes a line. What came from elsewhere must be [`printable`] already.
    pub fn line(&mut self, line: impl AsRef<str>) -> io::Result<()> {
        writeln!(self.out, "{}", line.as_ref())?;
        self.out.flush()
    }

    /// Writes a line for people beside the results.
    pub fn note(&mut self, line: impl AsRef<str>) -> io::Result<()> {
        writeln!(self.err, "{}", line.as_ref())
    }

    /// Writes a result for programs, over several lines.
    pub fn json(&mut self, value: &impl Serialize) -> anyhow::Result<()> {
        let json = serde_json::to_string_pretty(value)?;
        self.line(printable_json(&json))?;
        Ok(())
    }

    /// Writes one of many results for programs: JSON on one line.
    pub fn json_line(&mut self, json: &str) -> io::Result<()> {
        self.line(printable_json(json))
    }

    /// Writes a table, fitted to the terminal where there is one.
    pub fn table(&mut self, header: &[&str], rows: Vec<Vec<String>>) -> io::Result<()> {
        let text = self.table_text(header, rows);
        self.line(text)
    }

    /// The text of a table, every cell made printable.
    pub fn table_text(&self, header: &[&str], rows: Vec<Vec<String>>) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).force_no_tty();
        match self.terminal() {
            Some((columns, _)) => {
                table.set_width(columns).set_content_arrangement(ContentArrangement::Dynamic)
            }
            None => table.set_content_arrangement(ContentArrangement::Disabled),
        };
        if !header.is_empty() {
            table.set_header(header.iter().copied());
        }
        for row in rows {
            table.add_row(row.iter().map(|cell| printable(cell).into_owned()));
        }
        for (index, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, 2));
            // An id that is broken over lines cannot be copied.
            if header.get(index) == Some(&"ID") {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        let lines = table.lines().map(|line| line.trim_end().to_owned());
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Asks a person, who must answer `yes`; none where nobody can be asked.
    pub fn confirm(&mut self, question: &str) -> io::Result<Option<bool>> {
        if !self.can_ask {
            return Ok(None);
        }
        write!(self.err, "{question} Type yes to go on: ")?;
        self.err.flush()?;
        let mut answer = String::new();
        self.input.read_line(&mut answer)?;
        Ok(Some(answer.trim().eq_ignore_ascii_case("yes")))
    }
}

fn wall_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
pub(crate) mod captured {
    //! A console whose output a test reads.

    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    pub(crate) struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl Buffer {
        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A console that is no terminal, at 2026-01-31T12:00:00Z, with its output and its notes.
    pub(crate) fn console(format: OutputFormat) -> (Console, Buffer, Buffer) {
        let (out, err) = (Buffer::default(), Buffer::default());
        let console = Console {
            out: Box::new(out.clone()),
            err: Box::new(err.clone()),
            input: Box::new(io::empty()),
            is_terminal: false,
            can_ask: false,
            now: || Timestamp::from_millis(1_769_860_800_000),
            format,
        };
        (console, out, err)
    }

    impl Console {
        /// The same, with a person who answers `answer`.
        pub(crate) fn answering(mut self, answer: &'static str) -> Self {
            self.input = Box::new(answer.as_bytes());
            self.can_ask = true;
            self
        }
    }
}
