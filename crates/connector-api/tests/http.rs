//! The client against a server that answers exactly what it is told to, over real connections.
#![expect(clippy::unwrap_used, reason = "a test ends where its scene cannot be set")]
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use connector_api::{Call, HttpClient, HttpConfig, RetryPolicy, Stage, VendorError};
use kernel::Clock;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What the server does with one connection.
#[derive(Clone)]
enum Reply {
    Raw(String),
    /// Reads the request and closes.
    Close,
    /// Reads the request and never answers.
    Silence,
}

struct Server {
    base_url: String,
    requests: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl Server {
    fn seen(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn reply(status: &str, content_type: &str, body: &str) -> Reply {
    reply_with(status, content_type, "", body)
}

fn reply_with(status: &str, content_type: &str, headers: &str, body: &str) -> Reply {
    Reply::Raw(format!(
        "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\nx-request-id: r-1\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    ))
}

fn fine() -> Reply {
    reply("200 OK", "application/json", r#"{"ok":1}"#)
}

async fn server(replies: Vec<Reply>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/base", listener.local_addr().unwrap());
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = requests.clone();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut replies = VecDeque::from(replies);
        let mut silent = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let request = read(&mut stream).await;
            seen.lock().unwrap().push(request);
            match replies.pop_front().unwrap_or_else(fine) {
                Reply::Raw(text) => {
                    let _ = stream.write_all(text.as_bytes()).await;
                }
                Reply::Close => {}
                Reply::Silence => silent.push(stream),
            }
        }
    });
    Server { base_url, requests, _tasks: tasks }
}

async fn read(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).await.unwrap_or(0);
        bytes.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let length = |head: &str| {
            let line = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            line.and_then(|length| length.trim().parse::<usize>().ok()).unwrap_or(0)
        };
        let whole = text.split_once("\r\n\r\n").is_some_and(|(head, body)| body.len() >= length(head));
        if count == 0 || whole {
            return text;
        }
    }
}

fn client(server: &Server, change: impl FnOnce(&mut HttpConfig)) -> HttpClient {
    let mut config = HttpConfig { retry: RetryPolicy::fast(), ..HttpConfig::new(&server.base_url) };
    change(&mut config);
    HttpClient::new(config, Clock::system()).unwrap()
}

#[tokio::test]
async fn a_read_survives_each_passing_fault() {
    let faults = [
        reply("503 Service Unavailable", "application/json", "{}"),
        reply("500 Oops", "text/html", "<html>"),
        reply("200 OK", "text/html", "<html>wait</html>"),
        reply_with("429 Too Many Requests", "text/plain", "retry-after: 0\r\n", "slow down"),
        reply("429 Too Many Requests", "application/json", "{}"),
        Reply::Close,
        Reply::Raw(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{\"a\"".into(),
        ),
        Reply::Silence,
    ];
    for fault in faults {
        let server = server(vec![fault]).await;
        let answer = client(&server, |config| config.timeout_ms = 200).send(&Call::get("/x")).await.unwrap();
        assert_eq!((answer.json().unwrap(), answer.request_id.as_deref()), (json!({"ok": 1}), Some("r-1")));
        assert_eq!(server.seen().len(), 2);
    }
}

#[tokio::test]
async fn attempts_are_bounded_and_the_last_word_comes_through() {
    let five = |reply: Reply| vec![reply; 9];
    let failing = server(five(reply("502 Bad", "application/json", r#"{"errorMessage":"x"}"#))).await;
    assert_eq!(client(&failing, |_| {}).send(&Call::get("/x")).await.unwrap().status, 502);
    assert_eq!(failing.seen().len(), 5);

    let page = server(five(reply("200 OK", "text/html; charset=utf-8", "<html>"))).await;
    let error = client(&page, |_| {}).send(&Call::get("/x")).await.unwrap_err();
    assert!(matches!(error, VendorError::NotJson { status: 200, .. }) && error.is_transient());

    let closing = server(five(Reply::Close)).await;
    let error = client(&closing, |_| {}).send(&Call::get("/x")).await.unwrap_err();
    assert!(matches!(error, VendorError::Connection { stage: Stage::Exchange, .. }), "{error:?}");
    assert_eq!(closing.seen().len(), 5);
}

#[tokio::test]
async fn a_wait_beyond_the_limit_ends_the_call_at_once() {
    let server = server(vec![reply_with("429 Slow", "text/plain", "retry-after: 3600\r\n", "")]).await;
    let error = client(&server, |_| {}).send(&Call::get("/x")).await.unwrap_err();
    let hour = std::time::Duration::from_secs(3_600);
    assert_eq!(error, VendorError::Throttled { retry_after: Some(hour) });
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_write_that_left_is_never_sent_again() {
    let faults = [
        (reply("503 Down", "application/json", "{}"), None),
        (reply("200 OK", "text/html", "<html>"), Some(true)),
        (reply("429 Slow", "text/plain", ""), Some(false)),
        (Reply::Close, Some(true)),
        (Reply::Silence, Some(true)),
    ];
    for (fault, maybe_applied) in faults {
        let server = server(vec![fault]).await;
        let http = client(&server, |config| config.timeout_ms = 100);
        let outcome = http.send(&Call::post("/x").json(json!({"a": 1}))).await;
        match maybe_applied {
            None => assert_eq!(outcome.unwrap().status, 503),
            Some(maybe) => assert_eq!(outcome.unwrap_err().may_have_been_applied(), maybe),
        }
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_post_that_changes_nothing_is_retried_like_a_read() {
    let server = server(vec![reply("503 Down", "application/json", "{}")]).await;
    let call = Call::post("/token").form(vec![("a", "b c".into())]).changes_nothing();
    assert_eq!(client(&server, |_| {}).send(&call).await.unwrap().status, 200);
    assert_eq!(server.seen().len(), 2);
    assert!(server.seen()[1].ends_with("a=b+c"));
}

#[tokio::test]
async fn a_connection_that_never_stood_is_known_not_to_have_sent() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let config =
        HttpConfig { retry: RetryPolicy::fast(), ..HttpConfig::new(format!("http://127.0.0.1:{port}")) };
    let http = HttpClient::new(config, Clock::system()).unwrap();
    let error = http.send(&Call::post("/x").json(json!({}))).await.unwrap_err();
    assert!(matches!(error, VendorError::Connection { stage: Stage::Connect, .. }), "{error:?}");
    assert!(!error.may_have_been_applied() && error.is_transient());
}

#[tokio::test]
async fn an_answer_over_the_limit_is_refused_with_and_without_its_length() {
    let long = "x".repeat(300);
    let declared = reply("200 OK", "application/json", &format!("\"{long}\""));
    let chunked = Reply::Raw(format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n12e\r\n\"{long}\"\r\n0\r\n\r\n"
    ));
    for reply in [declared, chunked] {
        let server = server(vec![reply]).await;
        let error = client(&server, |config| config.response_bytes_max = 100)
            .send(&Call::get("/x"))
            .await
            .unwrap_err();
        assert_eq!(error, VendorError::TooLarge { bytes_max: 100 });
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_call_is_written_as_told() {
    let server = server(vec![fine()]).await;
    let call = Call::get("/list").query("df", "id = 1").query_opt("after", None::<i64>).bearer("t-1".into());
    client(&server, |config| config.user_agent = Some("OberaConnect/1")).send(&call).await.unwrap();
    let seen = server.seen().remove(0);
    assert!(seen.contains("user-agent: OberaConnect/1\r\n"));
    assert!(seen.starts_with("GET /base/list?df=id+%3D+1 HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains("authorization: Bearer t-1\r\n"));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let server =
        server(vec![reply_with("302 Found", "application/json", "location: /elsewhere\r\n", "")]).await;
    assert_eq!(client(&server, |_| {}).send(&Call::get("/x")).await.unwrap().status, 302);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn errors_do_not_show_the_address_or_the_token() {
    let config =
        HttpConfig { retry: RetryPolicy::never(), ..HttpConfig::new("http://127.0.0.1:1/secret-path") };
    let http = HttpClient::new(config, Clock::system()).unwrap();
    let error = http
        .send(&Call::get("/x").query("key", "secret-key").bearer("secret-token".into()))
        .await
        .unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(!text.contains("secret"), "{text}");
}
