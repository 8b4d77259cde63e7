//! One signal for the whole process: Ctrl-C or SIGTERM, once in order, twice at once.
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// Tells every part to stop. Clones share one signal.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<bool>);

impl Shutdown {
    /// Watches the process's signals.
    pub fn on_signals() -> std::io::Result<Self> {
        let (sender, receiver) = watch::channel(false);
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        #[expect(clippy::disallowed_methods, reason = "lives as long as the process")]
        tokio::spawn(async move {
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            tracing::info!("stopping; once more to stop at once");
            sender.send_replace(true);
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            std::process::exit(130);
        });
        Ok(Self(receiver))
    }

    /// For parts that look at the signal themselves.
    pub fn watch(&self) -> watch::Receiver<bool> {
        self.0.clone()
    }

    pub async fn wait(mut self) {
        let _told = self.0.wait_for(|stop| *stop).await.is_ok();
    }
}
