//! The console in a real browser, before the real server, with real agents.
//!
//! Every test has a site and a browser context of its own, so they run side by side in one browser.

mod support;
mod receiver;
mod sign_in;
mod life;
mod log;
mod webhooks;
mod stale;
mod table;
mod safety;
mod accessibility;
mod screenshots;
