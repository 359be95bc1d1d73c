//! A server for the browsers of one person.
//!
//! It listens on this machine alone unless told otherwise, answers only requests that name it by its own name, and has
//! no route that changes anything. No part of an address ever becomes part of a path: photographs, models and maps are
//! asked for by number.

mod guard;
mod routes;
mod state;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use crate::answerer::Answerer;
use crate::collection::Collection;
use crate::error::{Error, Result};
use state::State;

/// A token shorter than this could be guessed.
const SHORTEST_TOKEN: usize = 16;

/// Where a server listens and who may ask.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address to listen on; port 0 is any free one.
    pub address: SocketAddr,
    /// The secret that every browser must bring once, as `?token=…`. Required beyond loopback addresses.
    pub token: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self { address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0), token: None }
    }
}

/// A token that nobody can guess: 128 random bits as 32 hexadecimal digits.
///
/// # Errors
/// [`Error::Random`] if the system gives no random bytes.
pub fn random_token() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|e| Error::Random(e.to_string()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Serves a collection until the process ends. `answerers` are asked about new composites. `ready` is called once with
/// the address that is listened on.
///
/// # Errors
/// [`Error::Unprotected`] for an address beyond this machine without a token, [`Error::Listen`] if the address cannot
/// be had, [`Error::Serve`] if the system fails.
pub fn serve(
    collection: Collection,
    answerers: Vec<Box<dyn Answerer>>,
    config: &Config,
    ready: impl FnOnce(SocketAddr),
) -> Result<()> {
    let address = config.address;
    let token = config.token.clone();
    if !address.ip().is_loopback() && token.as_ref().is_none_or(|token| token.len() < SHORTEST_TOKEN) {
        return Err(Error::Unprotected { address });
    }
    let state = Arc::new(State::new(collection, answerers));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Error::Serve)?;
    runtime.block_on(async move {
        let failed = |source| Error::Listen { address, source };
        let listener = tokio::net::TcpListener::bind(address).await.map_err(failed)?;
        let local = listener.local_addr().map_err(failed)?;
        let guard = guard::Guard::new(local, token);
        ready(local);
        axum::serve(listener, routes::router(state, guard)).await.map_err(Error::Serve)
    })
}
