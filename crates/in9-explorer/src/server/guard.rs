//! Who may ask, and what browsers are told never to do.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, HOST, LOCATION, REFERRER_POLICY, SET_COOKIE,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// What the page may load: its own script, style and data, and pictures from here and from memory.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Name of the cookie that holds the token.
const TOKEN: &str = "in9-token";

/// Checks every request before it reaches a route.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    address: SocketAddr,
    token: Option<String>,
}

impl Guard {
    pub(super) fn new(address: SocketAddr, token: Option<String>) -> Self {
        Self { inner: Arc::new(Inner { address, token }) }
    }

    /// Whether a `Host` header names this server. A page elsewhere whose name resolves to this machine would bring its
    /// own name ("DNS rebinding"). Beyond loopback machines have names of their own, and the token decides.
    fn is_ours(&self, host: &str) -> bool {
        let address = self.inner.address;
        if !address.ip().is_loopback() {
            return true;
        }
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !port.is_empty() => {
                (name, port)
            }
            _ => (host, "80"),
        };
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        let named =
            name.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        named && port == address.port().to_string()
    }

    fn knows(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.inner.token else { return true };
        let cookies = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
        let mut pairs =
            cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.any(|(name, value)| name == TOKEN && same(value, token))
    }

    /// Whether the request brings the token in its address.
    fn brings(&self, query: Option<&str>) -> bool {
        let Some(token) = &self.inner.token else { return false };
        let mut pairs = query.unwrap_or("").split('&').filter_map(|pair| pair.split_once('='));
        pairs.any(|(name, value)| name == "token" && same(value, token))
    }
}

/// Whether two secrets are the same, in a time that does not tell how much of them is.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |all, (x, y)| all | (x ^ y)) == 0
}

pub(super) async fn check(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let mut response = answer(&guard, request, next).await;
    let headers = response.headers_mut();
    let fixed: [(HeaderName, &str); 3] = [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // A route may have set a policy or a cache rule of its own.
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

async fn answer(guard: &Guard, request: Request, next: Next) -> Response {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET, HEAD")], "nothing can be changed here")
            .into_response();
    }
    let headers = request.headers();
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    if headers.get_all(HOST).iter().count() != 1 || !host.is_some_and(|host| guard.is_ours(host)) {
        return (StatusCode::MISDIRECTED_REQUEST, "this server has another name").into_response();
    }
    if !guard.knows(headers) {
        if !guard.brings(request.uri().query()) {
            let what = "open the address that the program has printed: it holds a token";
            return (StatusCode::UNAUTHORIZED, what).into_response();
        }
        // From now on the cookie is enough, and the token leaves the address bar.
        let token = guard.inner.token.as_deref().unwrap_or("");
        let cookie = format!("{TOKEN}={token}; HttpOnly; SameSite=Strict; Path=/");
        return match HeaderValue::from_str(&cookie) {
            Ok(cookie) => {
                let to = HeaderValue::from_static("/");
                (StatusCode::SEE_OTHER, [(SET_COOKIE, cookie), (LOCATION, to)]).into_response()
            }
            Err(_) => StatusCode::UNAUTHORIZED.into_response(),
        };
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_are_answered() {
        let guard = Guard::new("127.0.0.1:8009".parse().unwrap(), None);
        for ours in ["127.0.0.1:8009", "localhost:8009", "LOCALHOST:8009", "[::1]:8009", "127.0.0.2:8009"] {
            assert!(guard.is_ours(ours), "{ours}");
        }
        for other in [
            "evil.example:8009",
            "127.0.0.1",
            "127.0.0.1:80",
            "localhost.evil.example:8009",
            "",
            ":8009",
            "10.0.0.1:8009",
        ] {
            assert!(!guard.is_ours(other), "{other}");
        }
    }

    #[test]
    fn a_token_is_asked_for_and_compared_whole() {
        let guard = Guard::new("0.0.0.0:80".parse().unwrap(), Some("secret".into()));
        let with = |cookie: &str| HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(cookie).unwrap())]);
        assert!(guard.knows(&with("a=b; in9-token=secret")));
        for wrong in ["in9-token=secre", "in9-token=secret2", "token=secret", "in9-token="] {
            assert!(!guard.knows(&with(wrong)), "{wrong}");
        }
        assert!(
            guard.brings(Some("x=1&token=secret")) && !guard.brings(Some("token=")) && !guard.brings(None)
        );
    }
}
