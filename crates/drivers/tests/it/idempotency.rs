//! The connection to Redis, where something else answered there for a while.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use drivers::{RedisIdempotencyStore, idempotency::IdempotencyError};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// Only a hang takes so long.
const DEADLINE: Duration = Duration::from_mins(1);

/// Says yes to every command, as Redis does; or says something that is no answer.
async fn answer(mut caller: TcpStream, garbage: Option<&'static [u8]>, spoilt: Arc<AtomicBool>) {
    let mut bytes = [0; 4_096];
    while let Ok(count @ 1..) = caller.read(&mut bytes).await {
        let commands = bytes[..count].split(|byte| *byte == b'*').count() - 1;
        let said = match garbage {
            Some(said) if spoilt.load(Ordering::Relaxed) => said.to_vec(),
            // The other has gone, and its connections with it.
            Some(_) => return,
            None => b"+OK\r\n".repeat(commands),
        };
        if caller.write_all(&said).await.is_err() {
            return;
        }
    }
}

async fn comes_back_after(garbage: &'static [u8]) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let redis = RedisIdempotencyStore::at(&format!("redis://{}", listener.local_addr().expect("bound")));
    let redis = redis.expect("a URL");
    let spoilt = Arc::new(AtomicBool::new(true));
    let of_all = Arc::clone(&spoilt);
    tokio::spawn(async move {
        while let Ok((caller, _)) = listener.accept().await {
            let says = of_all.load(Ordering::Relaxed).then_some(garbage);
            tokio::spawn(answer(caller, says, Arc::clone(&of_all)));
        }
    });
    let begun = Instant::now();
    let first = redis.ping().await.expect_err("that is no answer");
    assert!(!matches!(first, IdempotencyError::Paused), "nobody has asked before");
    // It is asked again, when it was left alone for a while, and what it says is none again.
    while let IdempotencyError::Paused = redis.ping().await.expect_err("nor is that") {
        assert!(begun.elapsed() < DEADLINE, "it is not asked again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    spoilt.store(false, Ordering::Relaxed);
    while let Err(err) = redis.ping().await {
        assert!(begun.elapsed() < DEADLINE, "it is not asked again: {err:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn redis_is_used_again_when_what_answered_garbage_is_gone() {
    let nested: &'static [u8] = Box::leak(b"*1\r\n".repeat(2_000).into_boxed_slice());
    for garbage in [&b"$2000000000\r\n"[..], b"\x07\xff\x00hello\r\n", nested] {
        comes_back_after(garbage).await;
    }
}
