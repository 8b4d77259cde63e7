use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream};
use tokio::sync::mpsc;
use tokio_postgres::AsyncMessage;

use crate::{Login, PgError, dial, door::Pg};

const NOTICES_QUEUED_MAX: usize = 1_024;
const RECONNECT_MS: u64 = 500;

/// What came through a `LISTEN` channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    Message {
        channel: String,
        payload: String,
    },
    /// Listening began, or began again after a lost connection: something may have been missed before, look for yourself.
    Gap,
}

impl Pg {
    /// Listens on `channels` over its own connection, for as long as the receiver lives. Each time listening begins
    /// (at first, after a lost connection, and when the receiver was too slow) it says [`Notice::Gap`].
    pub fn listen(&self, channels: &[&str]) -> mpsc::Receiver<Notice> {
        let (sender, receiver) = mpsc::channel(NOTICES_QUEUED_MAX);
        let login = Arc::clone(&self.login);
        let listen: String =
            channels.iter().map(|channel| format!("listen \"{}\";", channel.replace('"', "\"\""))).collect();
        #[expect(clippy::disallowed_methods, reason = "ends with its receiver; named by this function")]
        tokio::spawn(async move {
            while !sender.is_closed() {
                if let Err(error) = listen_once(&login, &listen, &sender).await {
                    tracing::debug!(error = &error as &dyn std::error::Error, "listening connection lost");
                }
                tokio::time::sleep(Duration::from_millis(RECONNECT_MS)).await;
            }
        });
        receiver
    }
}

async fn listen_once(login: &Login, listen: &str, sender: &mpsc::Sender<Notice>) -> Result<(), PgError> {
    let (client, mut connection) = dial::client(login).await?;
    let mut messages = stream::poll_fn(move |cx| connection.poll_message(cx));
    let mut listening = std::pin::pin!(client.batch_execute(listen));
    let mut is_listening = false;
    loop {
        tokio::select! {
            done = &mut listening, if !is_listening => {
                done?;
                is_listening = true;
                if sender.try_send(Notice::Gap).is_err() {
                    return Ok(());
                }
            }
            message = messages.next() => match message {
                Some(Ok(AsyncMessage::Notification(note))) => {
                    let notice = Notice::Message { channel: note.channel().to_owned(), payload: note.payload().to_owned() };
                    if sender.try_send(notice).is_err() {
                        return Ok(());
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => return Ok(()),
            },
            () = sender.closed() => return Ok(()),
        }
    }
}
