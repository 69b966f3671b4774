//! The console: its files, and the headers that they come with.

use axum::body::Body;
use http::Method;
use http::header::IF_NONE_MATCH;

use crate::support::*;

async fn open(path: &str) -> Answer {
    ask(fleet(), request(Method::GET, path).body(Body::empty()).unwrap()).await
}

/// What the page at `/` loads, and what that loads.
async fn loaded() -> Vec<String> {
    let page = open("/").await;
    let mut found: Vec<String> = page
        .text()
        .split('"')
        .filter(|text| text.starts_with("/console/"))
        .map(str::to_owned)
        .collect();
    let mut next = 0;
    while let Some(path) = found.get(next).cloned() {
        next += 1;
        let file = open(&path).await;
        let imports = file.text().split('"').filter_map(|text| text.strip_prefix("./"));
        for import in imports.filter(|name| name.ends_with(".js")) {
            let import = format!("/console/{import}");
            if !found.contains(&import) {
                found.push(import);
            }
        }
    }
    found
}

#[tokio::test]
async fn the_page_is_at_the_root_and_needs_no_token() {
    let page = open("/").await;
    assert_eq!(
        (page.status.as_u16(), page.header("content-type")),
        (200, Some("text/html; charset=utf-8"))
    );
    assert!(page.text().starts_with("<!doctype html>"));
}

#[tokio::test]
async fn whatever_the_page_loads_is_served() {
    let loaded = loaded().await;
    assert!(loaded.len() > 15, "{loaded:?}");
    for path in loaded {
        let file = open(&path).await;
        let kind = match path.rsplit_once('.').unwrap().1 {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            _ => "image/svg+xml",
        };
        assert_eq!(
            (file.status.as_u16(), file.header("content-type")),
            (200, Some(kind)),
            "{path}"
        );
    }
}

#[tokio::test]
async fn nothing_is_allowed_that_does_not_come_from_this_server() {
    for path in ["/", "/console/app.js", "/console/console.css"] {
        let file = open(path).await;
        let policy = file.header("content-security-policy").unwrap();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"),
            "{policy}"
        );
        for part in [
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        for hole in ["unsafe", "http", "*", "data:", "blob:"] {
            assert!(!policy.contains(hole), "{policy}");
        }
        assert_eq!(file.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(file.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(file.header("x-frame-options"), Some("DENY"));
    }
}

#[tokio::test]
async fn a_browser_keeps_files_and_asks_whether_they_changed() {
    let file = open("/console/app.js").await;
    assert_eq!(file.header("cache-control"), Some("no-cache"));
    let tag = file.header("etag").unwrap().to_owned();
    for known in [tag.clone(), format!("\"other\", W/{tag}"), "*".to_owned()] {
        let asking = request(Method::GET, "/console/app.js").header(IF_NONE_MATCH, &known);
        let answer = ask(fleet(), asking.body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (304, 0), "{known}");
        assert_eq!(answer.header("etag"), Some(tag.as_str()));
    }
    let asking = request(Method::GET, "/console/app.js").header(IF_NONE_MATCH, "\"other\"");
    assert_eq!(ask(fleet(), asking.body(Body::empty()).unwrap()).await.status, 200);
}

#[tokio::test]
async fn what_is_no_file_of_it_is_a_problem_as_elsewhere() {
    for path in
        ["/console", "/console/", "/console/index.html", "/console/../src/lib.rs", "/index.html"]
    {
        open(path).await.problem(404, "no-such-path");
    }
    let posted = request(Method::POST, "/").body(Body::empty()).unwrap();
    ask(fleet(), posted).await.problem(405, "method-not-allowed");
}
