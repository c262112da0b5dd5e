//! A small HTTP client for our own API: one connection, one call after the other, JSON both ways.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request,
    body::Bytes,
    client::conn::http1::{SendRequest, handshake},
    header::{AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT},
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// A connection to a server of ours.
#[derive(Debug)]
pub(crate) struct Client {
    address: SocketAddr,
    sender: SendRequest<Full<Bytes>>,
}

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let stream =
            TcpStream::connect(address).await.with_context(|| format!("nothing answers at {address}"))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // Ends with the sender, or with the server; either is seen by the next call.
        tokio::spawn(async move {
            if let Err(err) = connection.await {
                tracing::debug!(error = &err as &dyn std::error::Error, "the connection to the server ended");
            }
        });
        Ok(Self { address, sender })
    }

    /// One call, with the key in the header where there is one.
    pub(crate) async fn call(
        &mut self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        let asked = format!("{method} {path}");
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.address.to_string())
            .header(USER_AGENT, concat!("hoc/", env!("CARGO_PKG_VERSION")));
        if let Some(key) = key {
            request = request.header(AUTHORIZATION, format!("Bearer {key}"));
        }
        let bytes = match body {
            Some(body) => {
                request = request.header(CONTENT_TYPE, "application/json");
                serde_json::to_vec(body)?
            }
            None => Vec::new(),
        };
        let request = request.body(Full::new(Bytes::from(bytes)))?;
        self.sender.ready().await.with_context(|| format!("{asked}: the server hung up"))?;
        let answer =
            self.sender.send_request(request).await.with_context(|| format!("{asked}: no answer"))?;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.with_context(|| format!("{asked}: half an answer"))?;
        Ok(Answer { status, body: body.to_bytes() })
    }
}

impl Answer {
    pub(crate) fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_slice(&self.body).context("the server's answer is not JSON")
    }

    /// The body, if the call did what it should; else the problem in the server's words.
    pub(crate) fn expect(&self, status: u16, doing: &str) -> anyhow::Result<Value> {
        if self.status == status {
            return self.json();
        }
        let body = String::from_utf8_lossy(&self.body);
        let problem = self.json().unwrap_or_default();
        let said =
            [&problem["code"], &problem["detail"]].map(|part| part.as_str().unwrap_or_default()).join(": ");
        let faults = problem["errors"].as_array().map(|faults| format!(" {}", Value::from(faults.clone())));
        let said =
            if said.len() > 2 { format!("{said}{}", faults.unwrap_or_default()) } else { body.into_owned() };
        bail!("{doing}: the server answered {} ({said})", self.status)
    }
}
