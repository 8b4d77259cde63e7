//! Opening a connection: the socket, the start-up message, and the password in the way that the server asks for.
use std::{io, time::Duration};

use fallible_iterator::FallibleIterator as _;
use postgres_protocol::{
    authentication::{
        md5_hash,
        sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256},
    },
    message::{
        backend::{AuthenticationSaslBody, Message},
        frontend,
    },
};
use tokio::net::{TcpStream, UnixStream};
use tokio_postgres::{Config, config::Host};

use super::{Socket, Wire, connection};
use crate::error::{DbFault, PgError, PgErrorKind};

const CONNECT_WAIT: Duration = Duration::from_secs(5);
const PORT: u16 = 5_432;

/// The first host that lets us in.
pub(super) async fn connect(config: &Config) -> Result<Wire, PgError> {
    let wait = config.get_connect_timeout().copied().unwrap_or(CONNECT_WAIT);
    let mut last = PgError::new(PgErrorKind::Connection, "no host is configured");
    for (number, host) in config.get_hosts().iter().enumerate() {
        let ports = config.get_ports();
        let port = ports.get(number).or(ports.first()).copied().unwrap_or(PORT);
        match tokio::time::timeout(wait, enter(config, host, port)).await {
            Ok(Ok(wire)) => return Ok(wire),
            Ok(Err(error)) => last = error,
            Err(_elapsed) => last = connection(io::ErrorKind::TimedOut.into()),
        }
    }
    Err(last)
}

async fn enter(config: &Config, host: &Host, port: u16) -> Result<Wire, PgError> {
    let socket = match host {
        Host::Unix(folder) => Socket::Unix(
            UnixStream::connect(folder.join(format!(".s.PGSQL.{port}"))).await.map_err(connection)?,
        ),
        Host::Tcp(name) => {
            let socket = TcpStream::connect((name.as_str(), port)).await.map_err(connection)?;
            socket.set_nodelay(true).map_err(connection)?;
            Socket::Tcp(socket)
        }
    };
    let mut wire = Wire::new(socket);
    let user = config.get_user().unwrap_or_default();
    let parameters = [
        ("client_encoding", Some("UTF8")),
        ("user", Some(user)),
        ("database", config.get_dbname()),
        ("options", config.get_options()),
        ("application_name", config.get_application_name()),
    ];
    let parameters = parameters.into_iter().filter_map(|(name, value)| Some((name, value?)));
    frontend::startup_message(parameters, &mut wire.outbox).map_err(connection)?;
    wire.flush().await.map_err(connection)?;
    authenticate(&mut wire, user, config.get_password().unwrap_or_default()).await?;
    loop {
        match wire.next().await.map_err(connection)? {
            Message::ReadyForQuery(_) => return Ok(wire),
            Message::ErrorResponse(body) => return Err(refused(body.fields())),
            _ => {}
        }
    }
}

async fn authenticate(wire: &mut Wire, user: &str, password: &[u8]) -> Result<(), PgError> {
    loop {
        match wire.next().await.map_err(connection)? {
            Message::AuthenticationOk => return Ok(()),
            Message::AuthenticationCleartextPassword => say(wire, password).await?,
            Message::AuthenticationMd5Password(body) => {
                say(wire, md5_hash(user.as_bytes(), password, body.salt()).as_bytes()).await?;
            }
            Message::AuthenticationSasl(body) => scram(wire, &body, password).await?,
            Message::ErrorResponse(body) => return Err(refused(body.fields())),
            _ => return Err(unsupported()),
        }
    }
}

async fn say(wire: &mut Wire, password: &[u8]) -> Result<(), PgError> {
    frontend::password_message(password, &mut wire.outbox).map_err(connection)?;
    wire.flush().await.map_err(connection)
}

async fn scram(wire: &mut Wire, offered: &AuthenticationSaslBody, password: &[u8]) -> Result<(), PgError> {
    if !offered.mechanisms().any(|name| Ok(name == SCRAM_SHA_256)).map_err(connection)? {
        return Err(unsupported());
    }
    let mut scram = ScramSha256::new(password, ChannelBinding::unsupported());
    frontend::sasl_initial_response(SCRAM_SHA_256, scram.message(), &mut wire.outbox).map_err(connection)?;
    wire.flush().await.map_err(connection)?;
    loop {
        match wire.next().await.map_err(connection)? {
            Message::AuthenticationSaslContinue(body) => {
                scram.update(body.data()).map_err(connection)?;
                frontend::sasl_response(scram.message(), &mut wire.outbox).map_err(connection)?;
                wire.flush().await.map_err(connection)?;
            }
            Message::AuthenticationSaslFinal(body) => {
                return scram.finish(body.data()).map_err(connection);
            }
            Message::ErrorResponse(body) => return Err(refused(body.fields())),
            _ => return Err(unsupported()),
        }
    }
}

/// No place was free, or the login was refused: either way there is no connection.
fn refused(fields: postgres_protocol::message::backend::ErrorFields<'_>) -> PgError {
    match DbFault::read(fields) {
        Ok(fault) => PgError::new(PgErrorKind::Connection, fault),
        Err(error) => connection(error),
    }
}

fn unsupported() -> PgError {
    PgError::new(PgErrorKind::Connection, "the server asks for a way of authentication that is not supported")
}
