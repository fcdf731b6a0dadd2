//! The page over HTTP: a handful of files, where the relay is, and how the replicas in this process stand.

use std::path::Path;
use std::{fs, io};

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::routing::get;
use crdt_sync::drive::Node;

use super::goods::Stall;
use super::sum::sum_of;

/// What the page consists of, and what each part is.
const FILES: [(&str, &str, &str); 4] = [
    ("/", "index.html", "text/html; charset=utf-8"),
    ("/style.css", "style.css", "text/css; charset=utf-8"),
    ("/page.js", "page.js", "text/javascript; charset=utf-8"),
    ("/icon.svg", "icon.svg", "image/svg+xml"),
];

const JSON: &str = "application/json";

/// The files of a folder, read once.
///
/// The policy lets the page run its own script and compile wasm, talk to this server and to the relay, and nothing else:
/// whatever somebody writes into the shared data can't make it load a thing.
pub fn site(
    folder: &Path,
    relay: &str,
    document: &str,
    natives: Vec<(&'static str, Node<Stall>)>,
) -> io::Result<Router> {
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
        site = route(site, path, kind, &policy, move || text.clone());
    }
    site = route(site, "/settings.json", JSON, &policy, move || settings.clone());
    // Whether they have the same as a tab is only to be known from them.
    Ok(route(site, "/replicas.json", JSON, &policy, move || {
        let told = natives.iter().map(|(name, node)| serde_json::json!({ "name": name, "sum": sum_of(node) }));
        serde_json::Value::from_iter(told).to_string()
    }))
}

fn route(
    site: Router,
    path: &str,
    kind: &'static str,
    policy: &str,
    body: impl Fn() -> String + Clone + Send + Sync + 'static,
) -> Router {
    let headers = [
        (CONTENT_TYPE, kind.to_owned()),
        (CONTENT_SECURITY_POLICY, policy.to_owned()),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        // The next start may have built another page.
        (CACHE_CONTROL, "no-cache".to_owned()),
    ];
    site.route(path, get(move || std::future::ready((headers.clone(), body()))))
}
