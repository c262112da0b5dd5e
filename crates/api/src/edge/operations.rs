//! Which operation a method and route are: the OpenAPI document's word, for spans.

use std::{collections::HashMap, sync::Arc};

use axum::http::Method;
use utoipa::openapi::{OpenApi, path::Operation};

/// The operation ids of a document, by method and path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Operations(Arc<HashMap<(Method, String), String>>);

impl Operations {
    /// All of a document.
    pub(crate) fn of(document: &OpenApi) -> Self {
        let paths = document.paths.paths.iter();
        let all = paths.flat_map(|(path, item)| {
            let methods = [
                (Method::GET, &item.get),
                (Method::POST, &item.post),
                (Method::PUT, &item.put),
                (Method::PATCH, &item.patch),
                (Method::DELETE, &item.delete),
            ];
            let name = |operation: &Operation| operation.operation_id.clone();
            methods.into_iter().filter_map(move |(method, operation)| {
                Some(((method, path.clone()), operation.as_ref().and_then(name)?))
            })
        });
        Self(Arc::new(all.collect()))
    }

    /// The operation's name; none for what is no route.
    pub(crate) fn name(&self, method: &Method, route: Option<&str>) -> Option<&str> {
        let asked = if method == Method::HEAD { &Method::GET } else { method };
        self.0.get(&(asked.clone(), route?.to_owned())).map(String::as_str)
    }
}
