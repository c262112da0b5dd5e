//! The bytes that an answer holds of the server's memory, counted as long as it is not taken.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::{
    body::{Body, Bytes, HttpBody},
    http::header,
    response::{IntoResponse as _, Response},
};
use http_body::{Frame, SizeHint};
use orchestrator::{budget::Share, spine::WholeRun};

use crate::{Problem, problem::Code};

/// An answer that is so short is not counted: there are no more of them than clients.
pub(super) const UNCOUNTED: usize = 64 << 10;

/// How much of an answer is handed over at once. Whoever sends it takes no more before that has gone out; all of it at
/// once would be out of our hands, and out of the count, whether anybody takes it or not.
const PART: usize = 64 << 10;

/// Counts an answer as long as it is not taken, by a share that may hold more or less than it yet. Where there are too
/// many answers already it is not given, if the call only read: what another came to is committed, and whoever is not
/// told would do it again. The place that a whole run was read in is given back then.
pub(super) fn counted(share: Share, only_read: bool, mut response: Response) -> Response {
    let place = response.extensions_mut().remove::<WholeRun>();
    let Some(length) = HttpBody::size_hint(response.body()).exact() else { return response };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length <= UNCOUNTED {
        return response;
    }
    if share.holds(length) {
        return response.map(|body| Body::new(Counted { body, part: Bytes::new(), _share: share }));
    }
    if !only_read {
        return response;
    }
    let busy = share.refuse();
    let never = share.never_holds(length);
    let is_packed = response.headers().contains_key(header::CONTENT_ENCODING);
    if never { too_long(length, is_packed, place.is_some()) } else { Problem::from(busy) }.into_response()
}

/// Whoever comes again gets no further. To ask for it packed is a help where it is of a whole run, and is not packed.
fn too_long(length: usize, is_packed: bool, is_of_whole_run: bool) -> Problem {
    let form = if is_packed { " when packed" } else { "" };
    let packed = if is_of_whole_run && !is_packed {
        "ask for it packed, by `Accept-Encoding: zstd` or `gzip`; "
    } else {
        ""
    };
    let detail = format!(
        "the answer has {length} bytes{form}, more than are ever held for one caller (HOC_MAX_HELD_MIB, and half of it \
         for a tenant): {packed}the bundle of a run is a stream, and never too long"
    );
    Problem::new(Code::Overloaded, detail).for_good()
}

/// A body with what it holds.
struct Counted {
    body: Body,
    /// What came of it and is not handed over.
    part: Bytes,
    _share: Share,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.part.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(part) => self.part = part,
                    Err(frame) => return Poll::Ready(Some(Ok(frame))),
                },
                end => return Poll::Ready(end),
            }
        }
        let most = self.part.len().min(PART);
        // A copy: a slice would keep all of the answer in memory for as long as its last part is not taken.
        let part = Bytes::copy_from_slice(&self.part.split_to(most));
        Poll::Ready(Some(Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.part.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, mut all) = (self.part.len() as u64, HttpBody::size_hint(&self.body));
        if let Some(upper) = all.upper() {
            all.set_upper(upper + rest);
        }
        all.set_lower(all.lower() + rest);
        all
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::{
        Extension, Router,
        extract::Request,
        http::{HeaderValue, StatusCode},
        middleware,
        routing::get,
    };
    use futures::{FutureExt as _, stream};
    use http_body_util::BodyExt as _;
    use kit::Kit;
    use models::ids::TenantId;
    use orchestrator::{Settings, Spine, budget::Budget, spine::WHOLE_RUNS};
    use testkit::{Store, TestDatabase};
    use tower::ServiceExt as _;
    use uuid::Uuid;

    use super::*;
    use crate::{
        carried::Bounds,
        edge::{Edge, Operations, Packers, pass},
        extract::session::Reached,
    };

    const LONG: usize = 100_000;

    /// One that may hold so many bytes of answers.
    async fn spine(most: usize) -> Spine {
        let database = TestDatabase::migrated(Store::Sqlite).await.expect("SQLite is always there");
        Kit::with(&database, Settings { max_held_bytes: most, ..Settings::default() }).await.spine
    }

    #[tokio::test]
    async fn an_answer_is_counted_before_the_rest_of_its_call_has_come() {
        let spine = spine(4 * LONG).await;
        let edge = Edge {
            spine: spine.clone(),
            bounds: Bounds::default(),
            reached: Reached::default(),
            operations: Operations::default(),
            packers: Packers::default(),
        };
        let long = Router::new().route("/long", get(|| async { "a".repeat(LONG) }));
        let never = Body::from_stream(stream::pending::<Result<&'static str, Infallible>>());
        let call = Request::get("/long").header("host", "hoc").body(never).expect("a call");
        let behind_the_edge = long.layer(middleware::from_fn_with_state(edge, pass));
        let mut answered = std::pin::pin!(behind_the_edge.oneshot(call));
        assert!(futures::poll!(&mut answered).is_pending(), "the rest may come yet");
        assert_eq!(spine.answers().held(), LONG);
    }

    fn answer(answers: &Budget, tenant: u128) -> Response {
        answer_to(answers, tenant, true)
    }

    fn answer_to(answers: &Budget, tenant: u128, only_read: bool) -> Response {
        let response = Response::new(Body::from(vec![7; LONG]));
        counted(answers.share(Some(TenantId(Uuid::from_u128(tenant)))), only_read, response)
    }

    #[test]
    fn long_answers_that_nobody_takes_are_bounded_for_each_tenant_and_for_all() {
        let answers = Budget::new("answers", 4 * LONG);
        let waiting = [1, 1, 2].map(|tenant| answer(&answers, tenant));
        assert!(waiting.iter().all(|answer| answer.status() == StatusCode::OK));
        assert_eq!(answer(&answers, 1).status(), StatusCode::SERVICE_UNAVAILABLE, "a tenant has half");
        assert_eq!(answer_to(&answers, 1, false).status(), StatusCode::OK, "what was written is told");
        let short = counted(answers.share(None), true, Response::new(Body::from("short")));
        assert_eq!(short.status(), StatusCode::OK);
        let comes_again = |answer: Response| {
            let problem = answer.extensions().get::<Problem>().expect("it is refused");
            problem.headers().contains_key("retry-after")
        };
        assert!(comes_again(answer(&answers, 1)), "there may be room when others are taken");
        let too_small = Budget::new("answers", 2 * LONG - 2);
        assert!(!comes_again(answer(&too_small, 1)), "it is longer than half, whatever is taken");
        drop(waiting);
        assert_eq!(answer(&answers, 1).status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn a_whole_run_keeps_its_place_until_its_answer_is_counted() {
        let (spine, answers) = (spine(LONG).await, Budget::new("answers", 4 * LONG));
        let tenant = TenantId(Uuid::nil());
        // So many places nobody has.
        let free = || {
            let place = |_| spine.whole_run(tenant).now_or_never().and_then(Result::ok);
            (0..WHOLE_RUNS).map_while(place).collect::<Vec<_>>().len()
        };
        for length in [10, LONG, 5 * LONG] {
            let place = spine.whole_run(tenant).await.expect("a place");
            let answer = (Extension(place), "a".repeat(length)).into_response();
            assert_eq!(free(), WHOLE_RUNS - 1, "{length}");
            let _untaken = counted(answers.share(None), true, answer);
            assert_eq!(free(), WHOLE_RUNS, "{length}");
        }
    }

    #[tokio::test]
    async fn only_what_is_of_a_whole_run_and_not_packed_is_told_to_be_asked_for_packed() {
        let (spine, too_small) = (spine(LONG).await, Budget::new("answers", LONG - 1));
        for (is_of_whole_run, is_packed) in [(true, false), (true, true), (false, false), (false, true)] {
            let mut response = Response::new(Body::from(vec![7; LONG]));
            if is_of_whole_run {
                let place = spine.whole_run(TenantId(Uuid::nil())).await.expect("a place");
                response.extensions_mut().insert(place);
            }
            if is_packed {
                response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
            let refused = counted(too_small.share(None), true, response);
            let why = refused.extensions().get::<Problem>().expect("it is refused").view("", "").detail;
            assert_eq!(why.contains("ask for it packed"), is_of_whole_run && !is_packed, "{why}");
            assert_eq!(why.contains("bytes when packed"), is_packed, "{why}");
            assert!(why.contains("the bundle of a run is a stream"), "{why}");
        }
    }

    #[tokio::test]
    async fn an_answer_is_handed_over_in_parts_and_counts_until_the_last_is_taken() {
        let answers = Budget::new("answers", 4 * LONG);
        let mut body = answer(&answers, 1).into_body();
        let mut taken = 0;
        while !body.is_end_stream() {
            assert_eq!(answers.held(), LONG);
            assert_eq!(HttpBody::size_hint(&body).exact(), Some((LONG - taken) as u64));
            let part = body.frame().await.expect("more").expect("no error").into_data().expect("data");
            assert!(!part.is_empty() && part.len() <= PART && part.iter().all(|byte| *byte == 7));
            taken += part.len();
        }
        assert_eq!(taken, LONG);
        assert!(body.frame().await.is_none());
        drop(body);
        assert_eq!(answers.held(), 0);
    }
}
