//! The web console at `/`: its files are built in, and come from nowhere else.
//!
//! They are plain HTML, CSS and JavaScript modules in `console/` beside this folder; nothing is built
//! from them. A browser keeps them, and asks each time whether they changed.

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use sha2::{Digest as _, Sha256};

/// Nothing but its own files and this server's API; no script or style in the page itself, and no text
/// that becomes either.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// The page itself.
const PAGE: &str = "index.html";

#[derive(Clone, Copy)]
struct File {
    name: &'static str,
    bytes: &'static [u8],
}

macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        &[$(File { name: $name, bytes: include_bytes!(concat!("../console/", $name)) }),+]
    };
}

const FILES: &[File] = files![
    "index.html",
    "icon.svg",
    "console.css",
    "theme.js",
    "app.js",
    "sign-in.js",
    "fleet-page.js",
    "fleet-table.js",
    "satellite-page.js",
    "explanation.js",
    "timeline.js",
    "satellite-dialogs.js",
    "commands.js",
    "event-views.js",
    "events-page.js",
    "webhooks-page.js",
    "webhook-page.js",
    "deliveries.js",
    "webhook-dialogs.js",
    "webhook-words.js",
    "dialogs.js",
    "fleet.js",
    "stream.js",
    "api.js",
    "words.js",
    "time.js",
    "parts.js",
    "dom.js",
];

/// The page at `/`, and what it loads at `/console/…`.
pub(crate) fn page() -> Router {
    FILES.iter().fold(Router::new(), |router, file| {
        let path = match file.name {
            PAGE => "/".to_owned(),
            name => format!("/console/{name}"),
        };
        let tag = tag(file.bytes);
        router.route(&path, get(async move |headers: HeaderMap| answer(file, &tag, &headers)))
    })
}

fn answer(file: &File, tag: &HeaderValue, headers: &HeaderMap) -> Response {
    let kept = [
        (ETAG, tag.clone()),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    ];
    if has(headers, tag) {
        return (StatusCode::NOT_MODIFIED, kept).into_response();
    }
    (kept, [(CONTENT_TYPE, media_type(file.name))], file.bytes).into_response()
}

/// Whether the browser has the file with this tag.
fn has(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let mut known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    // A proxy that compresses makes a tag a weak one.
    let same = |known: &str| known.trim().trim_start_matches("W/").as_bytes() == tag.as_bytes();
    known.any(|list| list.trim() == "*" || list.split(',').any(same))
}

fn tag(bytes: &[u8]) -> HeaderValue {
    let text = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&Sha256::digest(bytes)[..12]));
    HeaderValue::from_str(&text).expect("base64 may stand in a header")
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    fn on_disk(folder: &Path, within: &str, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let name = format!("{within}{}", entry.file_name().to_str().unwrap());
            match entry.path().is_dir() {
                true => on_disk(&entry.path(), &format!("{name}/"), found),
                false => drop(found.insert(name)),
            }
        }
    }

    #[test]
    fn every_file_of_the_folder_is_built_in() {
        let mut found = BTreeSet::new();
        on_disk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("console"), "", &mut found);
        let built_in = FILES.iter().map(|file| file.name.to_owned()).collect();
        assert_eq!(found, built_in);
    }

    #[test]
    fn every_file_has_a_media_type() {
        for file in FILES {
            assert_ne!(media_type(file.name), "application/octet-stream", "{}", file.name);
        }
    }

    /// Whatever is loaded is named in a text of ours.
    #[test]
    fn no_file_names_another_origin() {
        for file in FILES {
            let text = std::str::from_utf8(file.bytes).unwrap();
            // The name of a language, and a place in the page itself.
            let rest = text.replace("http://www.w3.org/", "").replace("url(\"#", "");
            for scheme in ["\"http://", "\"https://", "\"//", "'//", "url(", "@import"] {
                assert!(!rest.contains(scheme), "{} has {scheme}", file.name);
            }
        }
    }

    /// They would be refused by the policy, in the middle of the night.
    #[test]
    fn nothing_makes_text_into_html_or_style() {
        for file in FILES {
            let text = std::str::from_utf8(file.bytes).unwrap();
            for way in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                " style=",
                " onclick=",
            ] {
                assert!(!text.contains(way), "{} has {way}", file.name);
            }
        }
    }
}
