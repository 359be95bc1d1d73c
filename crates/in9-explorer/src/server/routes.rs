//! What can be asked for.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State as Shared};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use in9_data::View;
use serde::Deserialize;
use serde_json::{Value, json};

use super::guard::{self, Guard};
use super::state::State;
use crate::error::{Error, Result};
use crate::{documents, export, interface, picture, report};

/// A picture that names the digest of its dataset never changes.
const FOR_EVER: &str = "private, max-age=31536000, immutable";
/// The report has styles in its own page, but no script.
const REPORT_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

type App = Shared<Arc<State>>;

pub(super) fn router(state: Arc<State>, guard: Guard) -> Router {
    Router::new()
        .route("/", get(async |Shared(state): App| typed("text/html; charset=utf-8", state.page.clone())))
        .route("/style.css", get(async || typed("text/css; charset=utf-8", interface::STYLE)))
        .route("/script.js", get(async || typed("text/javascript; charset=utf-8", interface::SCRIPT)))
        .route("/icon.svg", get(async || typed("image/svg+xml", interface::ICON)))
        .route("/report", get(report_page))
        .route(
            "/data/contents",
            get(async |Shared(state): App| typed("application/json", state.contents.clone())),
        )
        .route("/data/{set}/columns", get(columns))
        .route("/data/{set}/photograph/{at}", get(photograph))
        .route("/data/{set}/comparison/{first}/{second}", get(comparison))
        .route("/data/{set}/live/{foreground}/{background}", get(live))
        .route("/picture/{set}/{view}/{at}", get(paired))
        .route("/picture/{set}/{view}/{at}/on/{background}", get(on_background))
        .route("/saliency/{set}/{model}/{at}/{map}", get(saliency))
        .route("/saliency/{set}/live/{network}/{foreground}/{background}", get(live_saliency))
        .route("/selection.html", get(selection))
        .fallback(async || (StatusCode::NOT_FOUND, "there is no such page"))
        .layer(from_fn_with_state(guard, guard::check))
        .with_state(state)
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = match self {
            Self::NoPicture { .. } | Self::OutOfRange { .. } => StatusCode::NOT_FOUND,
            Self::Analysis(_) | Self::Answerer(_) => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, [(CONTENT_TYPE, "text/plain; charset=utf-8")], self.to_string()).into_response()
    }
}

fn typed(kind: &'static str, body: impl Into<Bytes>) -> Response {
    ([(CONTENT_TYPE, kind)], body.into()).into_response()
}

fn json_of(value: &Value) -> Response {
    typed("application/json", value.to_string())
}

/// Work that keeps a core busy, away from the threads that answer.
async fn at_work<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Error::Serve(std::io::Error::other(error.to_string()))),
    }
}

async fn report_page(Shared(state): App) -> Result<Response> {
    let path = state.collection.report.clone();
    let path = path.ok_or_else(|| Error::NoPicture { what: "there is no report".into() })?;
    let page = at_work(move || report::linked(&path, "/")).await?;
    let mut response = typed("text/html; charset=utf-8", page);
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, REPORT_POLICY.parse().map_err(|_| bad_header())?);
    Ok(response)
}

fn bad_header() -> Error {
    Error::Serve(std::io::Error::other("a header cannot be formed"))
}

async fn columns(Shared(state): App, Path(set): Path<usize>) -> Result<Response> {
    state.collection.set(set)?;
    Ok(typed("application/octet-stream", state.columns[set].clone()))
}

async fn photograph(Shared(state): App, Path((set, at)): Path<(usize, usize)>) -> Result<Response> {
    let value = at_work(move || documents::photograph(state.collection.set(set)?, at)).await?;
    Ok(json_of(&value))
}

async fn comparison(
    Shared(state): App,
    Path((set, first, second)): Path<(usize, usize, usize)>,
) -> Result<Response> {
    let bytes = at_work(move || state.comparison(set, first, second)).await?;
    Ok(typed("application/json", bytes))
}

/// What every network says of a composite; one that fails says why.
async fn live(
    Shared(state): App,
    Path((set, foreground, background)): Path<(usize, usize, usize)>,
) -> Result<Response> {
    let value = at_work(move || {
        state.collection.set(set)?;
        let answers: Vec<Value> = (0..state.answerers().len())
            .map(|network| {
                let name = state.answerers()[network].name();
                match state.live(network, set, foreground, background) {
                    Ok(answer) => json!({
                        "name": name,
                        "predicted": answer.predicted,
                        "scores": answer.scores,
                        "saliency": answer.saliency.is_some(),
                    }),
                    Err(error) => json!({ "name": name, "error": error.to_string() }),
                }
            })
            .collect();
        Ok(Value::Array(answers))
    });
    Ok(json_of(&value.await?))
}

async fn live_saliency(
    Shared(state): App,
    Path((set, network, foreground, background)): Path<(usize, usize, usize, usize)>,
) -> Result<Response> {
    let bytes = at_work(move || {
        let answer = state.live(network, set, foreground, background)?;
        let missing = || Error::NoPicture { what: "this network has no Grad-CAM".into() };
        picture::png(
            answer.saliency.as_deref().ok_or_else(missing)?,
            state.collection.set(set)?.pictures()?.size(),
        )
    });
    Ok(typed("image/png", bytes.await?))
}

/// The digest that the page knows; a picture asked for with it may be kept for ever.
#[derive(Deserialize)]
struct Known {
    v: Option<String>,
}

async fn paired(
    state: App,
    Path((set, view, at)): Path<(usize, String, usize)>,
    known: Query<Known>,
    headers: HeaderMap,
) -> Result<Response> {
    composed(state, set, view, at, None, known, headers).await
}

async fn on_background(
    state: App,
    Path((set, view, at, background)): Path<(usize, String, usize, u32)>,
    known: Query<Known>,
    headers: HeaderMap,
) -> Result<Response> {
    composed(state, set, view, at, Some(background), known, headers).await
}

async fn composed(
    Shared(state): App,
    set: usize,
    view: String,
    at: usize,
    background: Option<u32>,
    Query(known): Query<Known>,
    headers: HeaderMap,
) -> Result<Response> {
    let no_view = || Error::NoPicture { what: format!("there is no view {view:?}") };
    let view: Option<View> = if view == "mask" { None } else { Some(view.parse().map_err(|_| no_view())?) };
    let of = state.collection.set(set)?;
    of.check(at)?;
    let digest = of.pictures()?.digest();
    let name = view.map_or("mask", View::name);
    let on = background.map_or(String::new(), |background| format!("-{background}"));
    let tag = format!("\"{}-{set}-{name}-{at}{on}\"", digest.get(..32).unwrap_or(digest));
    let cache = if known.v.as_deref() == digest.get(..16) { FOR_EVER } else { "private, no-cache" };
    let head = [(ETAG, tag.clone()), (CACHE_CONTROL, cache.to_owned())];
    if headers.get(IF_NONE_MATCH).is_some_and(|sent| sent.as_bytes() == tag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, head).into_response());
    }
    let bytes = at_work(move || {
        let pictures = state.collection.set(set)?.pictures()?;
        match view {
            Some(view) => picture::png(&pictures.compose(view, at, background)?, pictures.size()),
            None if pictures.split().has_layers() => picture::mask_png(&pictures.layers(at)?.mask),
            None => Err(Error::NoPicture { what: "the dataset has no masks".into() }),
        }
    })
    .await?;
    let mut response = typed("image/png", bytes);
    for (name, value) in head {
        response.headers_mut().insert(name, value.parse().map_err(|_| bad_header())?);
    }
    Ok(response)
}

async fn saliency(
    Shared(state): App,
    Path((set, model, at, map)): Path<(usize, usize, u32, usize)>,
) -> Result<Response> {
    let bytes = at_work(move || {
        let model = state.collection.set(set)?.model(model)?;
        let missing = || Error::NoPicture { what: format!("no saliency of {}", model.id) };
        model.saliency.as_ref().ok_or_else(missing)?.picture(at, map)
    });
    Ok(typed("image/png", bytes.await?))
}

/// A selection of photographs.
#[derive(Deserialize)]
struct Chosen {
    set: usize,
    /// Numbers with commas between them.
    photographs: String,
}

async fn selection(Shared(state): App, Query(chosen): Query<Chosen>) -> Result<Response> {
    let bytes = at_work(move || {
        let limit = state.collection.set(chosen.set)?.photographs.len();
        let numbers: Vec<u32> = chosen.photographs.split(',').filter_map(|n| n.trim().parse().ok()).collect();
        if numbers.is_empty() || numbers.iter().any(|&n| n as usize >= limit) {
            return Err(Error::OutOfRange { what: "photograph", limit, found: limit });
        }
        let options = export::Options { photographs: numbers.len(), ..export::Options::default() };
        export::selection(&state.collection, chosen.set, &numbers, &options)
    })
    .await?;
    let mut response = typed("text/html; charset=utf-8", bytes);
    let attachment = "attachment; filename=\"selection.html\"";
    response.headers_mut().insert(CONTENT_DISPOSITION, attachment.parse().map_err(|_| bad_header())?);
    Ok(response)
}
