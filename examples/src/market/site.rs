//! The page over HTTP: a handful of files, and where the relay is.

use std::path::Path;
use std::{fs, io};

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::routing::get;

/// What the page consists of, and what each part is.
const FILES: [(&str, &str, &str); 4] = [
    ("/", "index.html", "text/html; charset=utf-8"),
    ("/style.css", "style.css", "text/css; charset=utf-8"),
    ("/page.js", "page.js", "text/javascript; charset=utf-8"),
    ("/icon.svg", "icon.svg", "image/svg+xml"),
];

/// The files of a folder, read once.
///
/// The policy lets the page run its own script and compile wasm, talk to this server and to the relay, and nothing else:
/// whatever somebody writes into the shared data can't make it load a thing.
pub fn site(folder: &Path, relay: &str, document: &str) -> io::Result<Router> {
    let policy = format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; \
         connect-src 'self' ws://{relay}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let settings = serde_json::json!({ "relay": format!("ws://{relay}"), "document": document }).to_string();
    let mut site = Router::new();
    for (path, file, kind) in FILES {
        let file = folder.join(file);
        let text = fs::read_to_string(&file)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", file.display())))?;
        site = route(site, path, kind, &policy, text);
    }
    Ok(route(site, "/settings.json", "application/json", &policy, settings))
}

fn route(site: Router, path: &str, kind: &'static str, policy: &str, body: String) -> Router {
    let headers = [
        (CONTENT_TYPE, kind.to_owned()),
        (CONTENT_SECURITY_POLICY, policy.to_owned()),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        // The next start may have built another page.
        (CACHE_CONTROL, "no-cache".to_owned()),
    ];
    site.route(path, get(move || std::future::ready((headers.clone(), body.clone()))))
}
