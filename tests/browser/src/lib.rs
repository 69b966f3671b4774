//! A real browser for tests: one Chromium, headless, which all tests of a process share, each in a
//! context of its own, with its own cookies and storage.
//!
//! It is found on the path, or named by `GROUNDCONTROL_TEST_CHROMIUM`. It ends with the tests' process,
//! however that ends. What goes wrong here is a panic that says what was waited for, and what the page
//! showed.

mod chromium;
mod tab;

pub use tab::{Look, Tab};
