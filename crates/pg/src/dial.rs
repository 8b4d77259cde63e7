//! Opens connections: the one place that makes a stream to the server, for the driver and for our own wire.
use std::{
    future::{Ready, ready},
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::FutureExt as _;
use postgres_protocol::message::frontend;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    net::{TcpStream, UnixStream},
};
use tokio_postgres::{
    Client, Connection, SimpleQueryMessage,
    config::{Host, LoadBalanceHosts, SslMode, SslNegotiation, TargetSessionAttrs},
    tls::{ChannelBinding, TlsConnect, TlsStream as DriverTls},
};
use tokio_rustls::client::TlsStream;

use crate::{
    error::{PgError, PgErrorKind},
    login::Login,
    tls::{Demand, TlsFault, end_point},
};

const CONNECT_WAIT: Duration = Duration::from_secs(5);
const PORT: u16 = 5_432;
const TLS_OFFERED: u8 = b'S';
const TLS_NOT_OFFERED: u8 = b'N';
/// Says whether a server takes writes.
pub(crate) const READ_ONLY_SQL: &str = "show transaction_read_only";

pub(crate) type Driver = Connection<Stream, Stream>;

/// A connection to a server, in clear or not.
#[derive(Debug)]
pub(crate) enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// One server of a login.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    host: Host,
    address: Option<std::net::IpAddr>,
    port: u16,
    login: &'a Login,
}

/// Tries the servers of a login in their order. `enter` signs in on the open stream.
pub(crate) async fn first<T, F: Future<Output = Result<T, PgError>>>(
    login: &Login,
    enter: impl Fn(Stream) -> F,
) -> Result<T, PgError> {
    let wait = login.config.get_connect_timeout().copied().unwrap_or(CONNECT_WAIT);
    let mut last = PgError::new(PgErrorKind::Connection, "no host is configured");
    for place in places(login) {
        let entered = async { enter(place.open().await?).await };
        match tokio::time::timeout(wait, entered).await {
            Ok(Ok(entered)) => return Ok(entered),
            Ok(Err(error)) => last = error,
            Err(_elapsed) => last = lost(io::ErrorKind::TimedOut.into()),
        }
    }
    Err(last)
}

/// A client of the driver, and what drives it.
pub(crate) async fn client(login: &Login) -> Result<(Client, Driver), PgError> {
    let mut config = login.config.clone();
    // The stream is opened already, with TLS or without: the driver takes it as it is.
    config.ssl_mode(SslMode::Require).ssl_negotiation(SslNegotiation::Direct);
    let config = &config;
    first(login, |stream| async move {
        let (client, mut driver) = config.connect_raw(stream, Opened).await.map_err(refused)?;
        if config.get_target_session_attrs() != TargetSessionAttrs::Any {
            let asked = client.simple_query(READ_ONLY_SQL);
            let rows = tokio::select! {
                rows = asked => rows.map_err(refused)?,
                ended = &mut driver => {
                    ended.map_err(refused)?;
                    return Err(lost(io::ErrorKind::UnexpectedEof.into()));
                }
            };
            let answer = rows.iter().find_map(|row| match row {
                SimpleQueryMessage::Row(row) => row.get(0),
                _ => None,
            });
            suits(login, answer)?;
        }
        Ok((client, driver))
    })
    .await
}

/// Whether a server that says `read_only` of itself is of the kind that the login asks for.
pub(crate) fn suits(login: &Login, read_only: Option<&str>) -> Result<(), PgError> {
    let wanted = match login.config.get_target_session_attrs() {
        TargetSessionAttrs::ReadWrite => "off",
        TargetSessionAttrs::ReadOnly => "on",
        _ => return Ok(()),
    };
    if read_only == Some(wanted) {
        return Ok(());
    }
    Err(PgError::new(
        PgErrorKind::Connection,
        "the server is not of the kind that target_session_attrs asks for",
    ))
}

fn places(login: &Login) -> Vec<Place<'_>> {
    let config = &login.config;
    let (hosts, addresses, ports) = (config.get_hosts(), config.get_hostaddrs(), config.get_ports());
    let mut places: Vec<Place<'_>> = (0..hosts.len().max(addresses.len()))
        .filter_map(|number| {
            let address = addresses.get(number).copied();
            let host = hosts.get(number).cloned().or_else(|| Some(Host::Tcp(address?.to_string())))?;
            let port = ports.get(number).or(ports.first()).copied().unwrap_or(PORT);
            Some(Place { host, address, port, login })
        })
        .collect();
    if config.get_load_balance_hosts() == LoadBalanceHosts::Random {
        use rand::seq::SliceRandom as _;
        places.shuffle(&mut rand::rng());
    }
    places
}

impl Place<'_> {
    async fn open(&self) -> Result<Stream, PgError> {
        match &self.host {
            Host::Unix(folder) => {
                let path = folder.join(format!(".s.PGSQL.{}", self.port));
                UnixStream::connect(path).await.map(Stream::Unix).map_err(lost)
            }
            Host::Tcp(name) => {
                let socket = match self.address {
                    Some(address) => TcpStream::connect(SocketAddr::from((address, self.port))).await,
                    None => TcpStream::connect((name.as_str(), self.port)).await,
                };
                let socket = socket.map_err(lost)?;
                socket.set_nodelay(true).map_err(lost)?;
                self.keep_alive(&socket).map_err(lost)?;
                self.secure(socket, name).await
            }
        }
    }

    /// A server that is gone without a word is noticed.
    fn keep_alive(&self, socket: &TcpStream) -> io::Result<()> {
        let config = &self.login.config;
        if !config.get_keepalives() {
            return Ok(());
        }
        let mut keepalive = socket2::TcpKeepalive::new().with_time(config.get_keepalives_idle());
        if let Some(interval) = config.get_keepalives_interval() {
            keepalive = keepalive.with_interval(interval);
        }
        if let Some(retries) = config.get_keepalives_retries() {
            keepalive = keepalive.with_retries(retries);
        }
        socket2::SockRef::from(socket).set_tcp_keepalive(&keepalive)
    }

    async fn secure(&self, mut socket: TcpStream, name: &str) -> Result<Stream, PgError> {
        let tls = &self.login.tls;
        let fault = |fault: TlsFault| PgError::new(PgErrorKind::Connection, fault);
        let host = || format!("{name}:{}", self.port);
        let is_direct = self.login.config.get_ssl_negotiation() == SslNegotiation::Direct;
        if tls.demand() == Demand::Never {
            return Ok(Stream::Tcp(socket));
        }
        if !is_direct {
            let mut question = bytes::BytesMut::new();
            frontend::ssl_request(&mut question);
            socket.write_all(&question).await.map_err(lost)?;
            // One byte and no more: what somebody put behind the answer in clear must not be taken for what came through TLS.
            match (socket.read_u8().await.map_err(lost)?, tls.demand()) {
                (TLS_OFFERED, _) => {}
                (TLS_NOT_OFFERED, Demand::Always) => {
                    return Err(fault(TlsFault::NotOffered { host: host() }));
                }
                (TLS_NOT_OFFERED, _) => return Ok(Stream::Tcp(socket)),
                _ => return Err(fault(TlsFault::Answer { host: host() })),
            }
        }
        let stream = tls.wrap(socket, name).await.map_err(fault)?;
        Ok(Stream::Tls(Box::new(stream)))
    }
}

fn lost(error: io::Error) -> PgError {
    PgError::new(PgErrorKind::Connection, error)
}

/// No place was free, or the login was refused: either way there is no connection.
fn refused(error: tokio_postgres::Error) -> PgError {
    PgError::from(error).at_the_door()
}

impl Stream {
    /// True when the server said nothing since the last answer: an idle connection that has something to say is ending.
    pub(crate) fn is_quiet(&mut self, inbox: &mut bytes::BytesMut) -> bool {
        let read = match self {
            Self::Unix(socket) => socket.try_read_buf(inbox),
            Self::Tcp(socket) => socket.try_read_buf(inbox),
            // Through TLS come the protocol's own messages as well; they are taken, and are no word of the server.
            Self::Tls(socket) => {
                return tokio::task::unconstrained(socket.read_buf(inbox)).now_or_never().is_none();
            }
        };
        matches!(read, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// See [`end_point`]; `None` without TLS.
    pub(crate) fn end_point(&self) -> Option<Vec<u8>> {
        let Self::Tls(stream) = self else { return None };
        end_point(stream.get_ref().1.peer_certificates()?.first()?)
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Unix(socket) => Pin::new(socket).poll_read(cx, buffer),
            Self::Tcp(socket) => Pin::new(socket).poll_read(cx, buffer),
            Self::Tls(socket) => Pin::new(socket).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Unix(socket) => Pin::new(socket).poll_write(cx, bytes),
            Self::Tcp(socket) => Pin::new(socket).poll_write(cx, bytes),
            Self::Tls(socket) => Pin::new(socket).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Unix(socket) => Pin::new(socket).poll_flush(cx),
            Self::Tcp(socket) => Pin::new(socket).poll_flush(cx),
            Self::Tls(socket) => Pin::new(socket).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Unix(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Tcp(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Tls(socket) => Pin::new(socket).poll_shutdown(cx),
        }
    }
}

impl DriverTls for Stream {
    fn channel_binding(&self) -> ChannelBinding {
        self.end_point().map_or_else(ChannelBinding::none, ChannelBinding::tls_server_end_point)
    }
}

/// Tells the driver that its stream is ready.
struct Opened;

impl TlsConnect<Stream> for Opened {
    type Stream = Stream;
    type Error = io::Error;
    type Future = Ready<io::Result<Stream>>;

    fn connect(self, stream: Stream) -> Self::Future {
        ready(Ok(stream))
    }
}
