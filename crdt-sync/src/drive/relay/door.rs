//! The WebSocket greeting: which pages may come in.

use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode, header};

/// The subprotocol of version 1 of the frames.
const PROTOCOL: &str = "crdt.v1";

/// Checks the page's origin. A browser always names it, and a page can't choose it; whoever names none is no browser
/// and could have named any, so only tokens keep those out.
#[allow(clippy::result_large_err, reason = "the handshake's own type of refusal")]
pub(super) fn check(origins: &[String]) -> impl FnOnce(&Request, Response) -> Result<Response, ErrorResponse> + Unpin {
    let origins = origins.to_vec();
    move |request, mut response| {
        let origin = request.headers().get(header::ORIGIN);
        if !origins.is_empty() && origin.is_some_and(|origin| !origins.iter().any(|ours| origin == ours.as_str())) {
            let mut refusal = ErrorResponse::new(Some("pages of this origin may not connect".to_owned()));
            *refusal.status_mut() = StatusCode::FORBIDDEN;
            return Err(refusal);
        }
        let offered = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
        let mut offered = offered.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        if offered.any(|protocol| protocol.trim() == PROTOCOL) {
            response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
        }
        Ok(response)
    }
}
