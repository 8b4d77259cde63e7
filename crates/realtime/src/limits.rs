//! Every bound of this crate, with its unit. `docs/reference/realtime.md` has them for people.

pub const CONNECTIONS_PER_NODE_MAX: usize = 10_000;
pub const CHANNELS_PER_CONNECTION_MAX: usize = 100;
/// Entries of `config.postgres_changes` in one join.
pub const BINDINGS_PER_CHANNEL_MAX: usize = 32;
pub const FILTER_BYTES_MAX: usize = 4_096;
pub const CONDITIONS_PER_FILTER_MAX: usize = 8;
/// Values of one `in.(…)`.
pub const VALUES_PER_CONDITION_MAX: usize = 100;

/// One frame from a client, and the body of the HTTP endpoint.
pub const FRAME_BYTES_MAX: usize = 256 * 1_024;
pub const BROADCAST_BYTES_MAX: usize = 64 * 1_024;
pub const MESSAGES_PER_REQUEST_MAX: usize = 100;
pub const TOPIC_BYTES_MAX: usize = 200;
pub const EVENT_BYTES_MAX: usize = 200;
pub const PRESENCE_BYTES_MAX: usize = 4_096;
pub const PRESENCE_KEY_BYTES_MAX: usize = 100;
pub const PRESENCES_PER_TOPIC_MAX: usize = 1_000;

/// Sustained rates of one connection; a burst of [`JOIN_BURST_MAX`] is let through for a client that comes back.
pub const JOINS_PER_SECOND_MAX: u32 = 20;
pub const JOIN_BURST_MAX: u32 = 100;
pub const BROADCASTS_PER_SECOND_MAX: u32 = 100;
pub const PRESENCES_PER_SECOND_MAX: u32 = 10;

/// Clients send a heartbeat every 25 seconds.
pub const HEARTBEAT_MS_MAX: u64 = 70_000;
pub const QUEUE_FRAMES_MAX: usize = 4_096;
pub const QUEUE_BYTES_MAX: usize = 4 * 1_024 * 1_024;
/// How long a connection that is being closed may take to read what it was sent.
pub const CLOSE_MS_MAX: u64 = 10_000;
pub const SOCKET_READ_BYTES: usize = 4 * 1_024;
pub const SOCKET_WRITE_BYTES: usize = 8 * 1_024;
/// Above this the socket refuses more; a frame and its header always fit.
pub const SOCKET_WRITE_BYTES_MAX: usize = 2 * 1_024 * 1_024;

pub const FEED_POLL_MS: u64 = 25;
/// Changes asked for at once; a transaction is never cut.
pub const FEED_CHANGES_MAX: i32 = 500;
/// Changes of one batch that are delivered one by one; more of them are announced as a gap.
pub const BATCH_CHANGES_MAX: usize = 5_000;
/// Changes that are judged and sent before the next are looked at.
pub const SEGMENT_CHANGES_MAX: usize = 500;
/// Log that may be read before it is marked, so that it is not read again.
pub const FEED_MARK_BYTES: u64 = 256 * 1_024;
pub const FEED_MARK_MS_MIN: u64 = 100;
pub const FEED_MARK_MS_MAX: u64 = 10_000;
pub const FEED_RETRY_MS: u64 = 1_000;
/// Before a feed that was lost is opened again.
pub const FEED_REOPEN_MS: u64 = 100;
pub const FEED_OPEN_MS_MAX: u64 = 30_000;
/// How long the feed stays open when its last subscriber leaves.
pub const FEED_LINGER_MS: u64 = 30_000;
/// How long a join waits for the feed to open.
pub const JOIN_FEED_MS_MAX: u64 = 8_000;
pub const JUDGES_AT_ONCE_MAX: usize = 6;
/// Judgements of one segment whose classes changed meanwhile.
pub const JUDGE_TRIES_MAX: usize = 4;
pub const SWEEP_MS: u64 = 30_000;

pub const OUTBOX_NOTES_MAX: usize = 2_048;
pub const NOTES_PER_WRITE_MAX: usize = 200;
/// PostgreSQL's own limit of a notification is 8,000 bytes.
pub const NOTE_CHUNK_BYTES_MAX: usize = 7_600;
pub const NOTE_CHUNKS_MAX: usize = 64;
pub const NODE_ALIVE_MS: u64 = 15_000;
pub const NODE_SILENT_MS_MAX: u64 = 50_000;
