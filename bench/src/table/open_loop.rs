//! Requests that arrive at a fixed rate, whether the ones before are answered or not. Each is timed from when it was due, so that a
//! server that stands still is not spared the requests that it kept from being sent. Threads that sleep: a timer of the
//! runtime is a millisecond coarse.
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{
    Result,
    rest::{load::WARM_SECONDS, seed::Asked},
};

const READ_BYTES: usize = 16 * 1_024;
const ANSWER_WAIT: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug)]
pub struct Rate {
    pub per_second: f64,
    pub connections: u32,
    pub seconds: u64,
}

/// Milliseconds of each request, from when it was due until its answer was read, without those of the first `WARM_SECONDS`.
pub async fn run(url: &str, asked: &[Asked], rate: Rate) -> Result<Vec<f64>> {
    let address = url.trim_start_matches("http://").to_owned();
    let requests: Arc<Vec<Vec<u8>>> = Arc::new(asked.iter().map(bytes).collect());
    let due = Arc::new(arrivals(rate));
    let next = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let mut clients = Vec::new();
    for _ in 0..rate.connections {
        let (address, requests, due, next) =
            (address.clone(), Arc::clone(&requests), Arc::clone(&due), Arc::clone(&next));
        clients.push(thread::spawn(move || client(&address, &requests, &due, &next, began)));
    }
    let joined = tokio::task::spawn_blocking(move || {
        clients.into_iter().map(thread::JoinHandle::join).collect::<Vec<_>>()
    });
    let mut took = Vec::new();
    for client in joined.await? {
        took.extend(client.map_err(|_| "a client panicked")??);
    }
    Ok(took)
}

/// When requests are due, since the beginning: independent of each other, as `pgbench --rate` makes them.
fn arrivals(rate: Rate) -> Vec<Duration> {
    #[expect(clippy::cast_precision_loss, reason = "a few seconds")]
    let until = (rate.seconds + WARM_SECONDS) as f64;
    let mut random = SplitMix(0x0b5e_55ed);
    let mut at = 0.0;
    let mut due = Vec::new();
    loop {
        at += -(1.0 - random.unit()).ln() / rate.per_second;
        if at >= until {
            return due;
        }
        due.push(Duration::from_secs_f64(at));
    }
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
struct SplitMix(u64);

impl SplitMix {
    /// In [0, 1).
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
        let unit = (z >> 11) as f64 / (1_u64 << 53) as f64;
        unit
    }
}

fn bytes(asked: &Asked) -> Vec<u8> {
    let prefer = asked.prefer.map(|prefer| format!("Prefer: {prefer}\r\n")).unwrap_or_default();
    let body = asked.body.as_deref().unwrap_or_default();
    let (method, path, token, length) = (asked.method(), &asked.path, &asked.token, body.len());
    format!(
        "{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n{prefer}Content-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

fn client(
    address: &str,
    requests: &[Vec<u8>],
    due: &[Duration],
    next: &AtomicUsize,
    began: Instant,
) -> Result<Vec<f64>> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(ANSWER_WAIT))?;
    let mut buffer = Vec::with_capacity(READ_BYTES);
    let mut took = Vec::new();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let Some(&due) = due.get(number) else { return Ok(took) };
        if let Some(wait) = due.checked_sub(began.elapsed()) {
            thread::sleep(wait);
        }
        socket.write_all(&requests[number % requests.len()])?;
        answer(&mut socket, &mut buffer)?;
        if due >= Duration::from_secs(WARM_SECONDS) {
            took.push((began.elapsed().saturating_sub(due)).as_secs_f64() * 1_000.0);
        }
    }
}

/// Reads one whole answer; anything but 2xx is an error.
fn answer(socket: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<()> {
    buffer.clear();
    let mut piece = [0; READ_BYTES];
    loop {
        if let Some(whole) = length(buffer)?
            && buffer.len() >= whole
        {
            return Ok(());
        }
        let read = socket.read(&mut piece)?;
        if read == 0 {
            return Err("the server closed a connection".into());
        }
        buffer.extend_from_slice(&piece[..read]);
    }
}

/// Bytes of the answer that begins here, when its head is complete.
fn length(buffer: &[u8]) -> Result<Option<usize>> {
    let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&buffer[..end])?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    if !status.starts_with('2') {
        return Err(format!("a request failed:\n{}", String::from_utf8_lossy(buffer)).into());
    }
    let named = head.lines().filter_map(|line| line.split_once(':'));
    let length = named
        .filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .find_map(|(_, value)| value.trim().parse::<usize>().ok());
    match (length, status) {
        (Some(length), _) => Ok(Some(end + 4 + length)),
        (None, "204") => Ok(Some(end + 4)),
        (None, _) => Err(format!("an answer without a length:\n{head}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_have_their_rate() {
        let due = arrivals(Rate { per_second: 1_000.0, connections: 1, seconds: 9 });
        assert!((9_500..10_500).contains(&due.len()), "{}", due.len());
        assert!(due.windows(2).all(|pair| pair[0] <= pair[1]));
    }

    #[test]
    fn an_answer_is_as_long_as_it_says() {
        let whole = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]";
        assert_eq!(length(whole).expect("an answer"), Some(whole.len()));
        assert_eq!(length(&whole[..20]).expect("a part"), None);
        assert!(length(b"HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n").is_err());
        assert!(length(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
