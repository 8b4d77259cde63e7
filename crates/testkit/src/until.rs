use std::{future::Future, time::Duration};

const WAIT: Duration = Duration::from_secs(30);
const ASK_EVERY: Duration = Duration::from_millis(3);

/// Asks again until there is an answer.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    };
    tokio::time::timeout(WAIT, asking).await.unwrap_or_else(|_| panic!("never: {what}"))
}
