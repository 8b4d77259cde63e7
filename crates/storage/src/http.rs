//! The paths of the dialect.
use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{delete, get, head, post},
};

use crate::{buckets, error::StorageError, list, read, relocate, remove, state::StorageState, tus, upload};

/// The API, to be nested at `/storage/v1` behind the layer that inserts a [`pg::Actor`] into the request's extensions; without
/// one the caller is nobody. It streams: no layer before it may hold bodies, compress them, or end a request early.
pub fn router(state: StorageState) -> Router {
    let object = get(read::download).post(upload::create).put(upload::update).delete(remove::one);
    Router::new()
        .route("/bucket", get(buckets::list).post(buckets::create))
        .route("/bucket/", get(buckets::list).post(buckets::create))
        .route("/bucket/{name}", get(buckets::one).put(buckets::update).delete(buckets::delete))
        .route("/bucket/{name}/empty", post(buckets::empty))
        .route("/object/list/{bucket}", post(list::list))
        .route("/object/list-v2/{bucket}", post(list::list_v2))
        .route("/object/copy", post(relocate::copy))
        .route("/object/move", post(relocate::relocate))
        .route("/object/sign/{bucket}", post(read::sign_many))
        .route("/object/sign/{bucket}/{*name}", get(read::by_link).post(read::sign))
        .route("/object/upload/sign/{bucket}/{*name}", post(upload::sign).put(upload::by_link))
        .route("/object/public/{bucket}/{*name}", get(read::public))
        .route("/object/authenticated/{bucket}/{*name}", get(read::download))
        .route("/object/info/{bucket}/{*name}", get(read::info))
        .route("/object/info/authenticated/{bucket}/{*name}", get(read::info))
        .route("/object/info/public/{bucket}/{*name}", get(read::public_info))
        .route("/object/{bucket}", delete(remove::many))
        .route("/object/{bucket}/{*name}", object)
        .route("/upload/resumable", post(tus::create).options(tus::describe))
        .route("/upload/resumable/", post(tus::create).options(tus::describe))
        .route(
            "/upload/resumable/{id}",
            head(tus::offset).patch(tus::patch).delete(tus::terminate).options(tus::describe),
        )
        .route("/render/{*rest}", get(upload::no_rendering))
        .fallback(|| async { StorageError::not_offered("There is nothing at this path.") })
        .layer(DefaultBodyLimit::disable())
        .with_state(state)
}
