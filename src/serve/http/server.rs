//! The HTTP server: one thread for the connections, and a few for the files.

use std::convert::Infallible;
use std::future::Future;
use std::io::{Error, ErrorKind};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::ACCEPT_ENCODING;
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;

use crate::serve::http::answer::Answer;

/// Maximum time that a client takes to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Maximum duration of a connection. A page opens the next one.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(300);

/// Maximum number of bytes of the head of a request.
const LONGEST_HEAD: usize = 16 << 10;

/// Maximum number of connections at the same time.
const MOST_CONNECTIONS: usize = 128;

/// Number of further ports that are tried if one is in use.
const MORE_PORTS: u16 = 50;

/// Number of threads that read files.
const FILE_THREADS: usize = 4;

/// Answers the requests of a server.
pub trait Handler: Send + Sync + 'static {
    /// Returns the answer to a request, which may read files.
    fn answer(&self, request: &Parts) -> Answer;
}

/// Listens on a port of this machine, or on the next free one. Port 0 means any.
///
/// # Errors
/// When no port is free, or the system allows none.
pub fn listen(port: u16) -> Result<TcpListener, Error> {
    let mut last = None;
    for port in port..=port.saturating_add(MORE_PORTS) {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(listener) => return Ok(listener),
            Err(error) if matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::PermissionDenied) => {
                last.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
    }
    Err(last.unwrap_or_else(|| ErrorKind::AddrInUse.into()))
}

/// Answers requests until the process ends.
///
/// # Errors
/// When the system does not allow it.
pub fn run(listener: TcpListener, handler: Arc<impl Handler>) -> Result<Infallible, Error> {
    listener.set_nonblocking(true)?;
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().max_blocking_threads(FILE_THREADS).thread_name("files").build()?;
    runtime.block_on(async move {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let connections = Arc::new(AtomicUsize::new(0));
        loop {
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                // the client has left, or too many files are open
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let Some(place) = Place::take(&connections) else { continue };
            let connection = serve_connection(stream, Arc::clone(&handler));
            tokio::spawn(async move {
                let _ = tokio::time::timeout(CONNECTION_TIMEOUT, connection).await;
                drop(place);
            });
        }
    })
}

/// A place among the connections.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(connections: &Arc<AtomicUsize>) -> Option<Place> {
        let place = Place(Arc::clone(connections));
        (connections.fetch_add(1, Ordering::Relaxed) < MOST_CONNECTIONS).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn serve_connection(stream: TcpStream, handler: Arc<impl Handler>) -> impl Future<Output = ()> {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| respond(request, Arc::clone(&handler)));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(LONGEST_HEAD);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    // a client that breaks off or sends no HTTP is no error of the server
    async move { drop(connection.await) }
}

async fn respond(request: Request<Incoming>, handler: Arc<impl Handler>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, _) = request.into_parts();
    let encodings = head.headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let accepts_gzip = encodings.flat_map(|text| text.split(',')).any(|encoding| encoding.trim() == "gzip");
    let answer = tokio::task::spawn_blocking(move || handler.answer(&head).into_response(accepts_gzip)).await;
    Ok(answer.unwrap_or_else(|_| {
        Answer::error(StatusCode::INTERNAL_SERVER_ERROR, "the request failed").into_response(false)
    }))
}
