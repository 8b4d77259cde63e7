//! Opening a connection: the start-up message, and the password in the way that the server asks for.
use fallible_iterator::FallibleIterator as _;
use postgres_protocol::{
    authentication::{
        md5_hash,
        sasl::{ChannelBinding, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, ScramSha256},
    },
    message::{
        backend::{AuthenticationSaslBody, Message},
        frontend,
    },
};
use tokio_postgres::config::{ChannelBinding as Binding, TargetSessionAttrs};

use super::{Wire, connection};
use crate::{
    dial::{self, READ_ONLY_SQL, Stream},
    error::{DbFault, PgError, PgErrorKind},
    login::Login,
};

/// The first server that lets us in.
pub(super) async fn connect(login: &Login) -> Result<Wire, PgError> {
    dial::first(login, |stream| enter(login, stream)).await
}

async fn enter(login: &Login, stream: Stream) -> Result<Wire, PgError> {
    let config = &login.config;
    let mut wire = Wire::new(stream);
    let parameters = [
        ("client_encoding", Some("UTF8")),
        ("user", Some(config.get_user().unwrap_or_default())),
        ("database", config.get_dbname()),
        ("options", config.get_options()),
        ("application_name", config.get_application_name()),
    ];
    let parameters = parameters.into_iter().filter_map(|(name, value)| Some((name, value?)));
    frontend::startup_message(parameters, &mut wire.words.outbox).map_err(connection)?;
    wire.flush().await.map_err(connection)?;
    authenticate(&mut wire, login).await?;
    loop {
        match wire.next().await.map_err(connection)? {
            Message::ReadyForQuery(_) => break,
            Message::ErrorResponse(body) => return Err(refused(body.fields())),
            _ => {}
        }
    }
    if config.get_target_session_attrs() != TargetSessionAttrs::Any {
        frontend::query(READ_ONLY_SQL, &mut wire.words.outbox).map_err(connection)?;
        wire.flush().await.map_err(connection)?;
        let rows = wire.answers(0).await?;
        dial::suits(login, rows.first().and_then(|row| row.text(0)))?;
    }
    Ok(wire)
}

async fn authenticate(wire: &mut Wire, login: &Login) -> Result<(), PgError> {
    let (user, password) =
        (login.config.get_user().unwrap_or_default(), login.config.get_password().unwrap_or_default());
    let mut is_bound = false;
    loop {
        match wire.next().await.map_err(connection)? {
            Message::AuthenticationOk if is_bound => return Ok(()),
            Message::AuthenticationOk => return may_be_unbound(login),
            Message::AuthenticationCleartextPassword => {
                may_be_unbound(login)?;
                say(wire, password).await?;
            }
            Message::AuthenticationMd5Password(body) => {
                may_be_unbound(login)?;
                say(wire, md5_hash(user.as_bytes(), password, body.salt()).as_bytes()).await?;
            }
            Message::AuthenticationSasl(body) => is_bound = scram(wire, &body, login, password).await?,
            Message::ErrorResponse(body) => return Err(refused(body.fields())),
            _ => return Err(unsupported()),
        }
    }
}

/// `channel_binding=require`: the server proves that the TLS connection ends at it, or nothing is said.
fn may_be_unbound(login: &Login) -> Result<(), PgError> {
    if login.config.get_channel_binding() == Binding::Require {
        return Err(PgError::new(
            PgErrorKind::Connection,
            "the server does not bind the login to the TLS connection, and channel_binding=require demands it",
        ));
    }
    Ok(())
}

async fn say(wire: &mut Wire, password: &[u8]) -> Result<(), PgError> {
    frontend::password_message(password, &mut wire.words.outbox).map_err(connection)?;
    wire.flush().await.map_err(connection)
}

/// True when the login is bound to the TLS connection.
async fn scram(
    wire: &mut Wire,
    offered: &AuthenticationSaslBody,
    login: &Login,
    password: &[u8],
) -> Result<bool, PgError> {
    let offers = |wanted: &str| offered.mechanisms().any(|name| Ok(name == wanted)).map_err(connection);
    let end_point = match login.config.get_channel_binding() {
        Binding::Disable => None,
        _ => wire.stream.end_point(),
    };
    let (mechanism, binding) = match end_point {
        Some(end_point) if offers(SCRAM_SHA_256_PLUS)? => {
            (SCRAM_SHA_256_PLUS, ChannelBinding::tls_server_end_point(end_point))
        }
        _ if !offers(SCRAM_SHA_256)? => return Err(unsupported()),
        Some(_) => (SCRAM_SHA_256, ChannelBinding::unrequested()),
        None => (SCRAM_SHA_256, ChannelBinding::unsupported()),
    };
    let is_bound = mechanism == SCRAM_SHA_256_PLUS;
    if !is_bound {
        may_be_unbound(login)?;
    }
    let mut scram = ScramSha256::new(password, binding);
    frontend::sasl_initial_response(mechanism, scram.message(), &mut wire.words.outbox)
        .map_err(connection)?;
    wire.flush().await.map_err(connection)?;
    loop {
        match wire.next().await.map_err(connection)? {
            Message::AuthenticationSaslContinue(body) => {
                scram.update(body.data()).map_err(connection)?;
                frontend::sasl_response(scram.message(), &mut wire.words.outbox).map_err(connection)?;
                wire.flush().await.map_err(connection)?;
            }
            Message::AuthenticationSaslFinal(body) => {
                scram.finish(body.data()).map_err(connection)?;
                return Ok(is_bound);
            }
            Message::ErrorResponse(body) => return Err(refused(body.fields())),
            _ => return Err(unsupported()),
        }
    }
}

/// No place was free, or the login was refused: either way there is no connection.
fn refused(fields: postgres_protocol::message::backend::ErrorFields<'_>) -> PgError {
    match DbFault::read(fields) {
        Ok(fault) => PgError::refused(fault).at_the_door(),
        Err(error) => connection(error),
    }
}

fn unsupported() -> PgError {
    PgError::new(PgErrorKind::Connection, "the server asks for a way of authentication that is not supported")
}
