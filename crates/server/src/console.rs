//! The console, built by `web/` and embedded. Files with a hash in their name are kept by browsers for a year; the page is not.
use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Response, StatusCode, Uri, header},
    routing::get,
};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Files;

const NOT_BUILT: &str = "<!doctype html><title>OberaConnect</title><p>The console was not built into this binary. Run <code>make web</code> and build again.";

pub fn router() -> Router {
    Router::new().fallback(get(serve))
}

async fn serve(uri: Uri) -> Response<Body> {
    let path = uri.path().trim_start_matches('/');
    if let Some(file) = Files::get(path).filter(|_| !path.is_empty()) {
        let cache =
            if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
        return answer(StatusCode::OK, file.metadata.mimetype(), cache, file.data.into_owned());
    }
    if path.starts_with("assets/") {
        return answer(
            StatusCode::NOT_FOUND,
            "text/plain; charset=utf-8",
            "no-store",
            b"no such file".to_vec(),
        );
    }
    // Every other path is a screen of the console: it shows its own 404.
    match Files::get("index.html") {
        Some(page) => answer(StatusCode::OK, "text/html; charset=utf-8", "no-cache", page.data.into_owned()),
        None => {
            answer(StatusCode::SERVICE_UNAVAILABLE, "text/html; charset=utf-8", "no-store", NOT_BUILT.into())
        }
    }
}

fn answer(status: StatusCode, kind: &str, cache: &'static str, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if let Ok(kind) = HeaderValue::from_str(kind) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}

/// True when the console is in this binary (or, in a development build, in its folder).
pub fn is_built() -> bool {
    Files::get("index.html").is_some()
}
