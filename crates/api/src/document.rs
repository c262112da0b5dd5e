//! The OpenAPI document: what the routes say, and what they all have in common.

use std::{collections::BTreeSet, sync::LazyLock};

use models::bounds;
use utoipa::{
    ToSchema as _,
    openapi::{
        AllOfBuilder, ContentBuilder, ObjectBuilder, OneOfBuilder, OpenApi, PathItem, Ref, RefOr,
        ResponseBuilder, Schema,
        path::{Operation, ParameterBuilder, ParameterIn},
        schema::{AnyOfBuilder, SchemaType, Type},
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use crate::{extract::IDEMPOTENCY_KEY, problem::ProblemView, routes::routes, view::words};

/// The name of the security scheme. The session of a browser that is in the console serves as well; that is between it
/// and its pages, and no client is to send such a cookie, so it is no scheme of its own.
const API_KEY: &str = "api_key";

/// The whole document.
#[must_use]
pub fn openapi() -> OpenApi {
    let mut document = routes().into_openapi();
    for item in document.paths.paths.values_mut() {
        for operation in operations(item) {
            complete(operation);
        }
        for operation in writes(item) {
            takes_a_key(operation);
        }
    }
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "An API key: `Authorization: Bearer hoc_...`. The console's own pages have a session in a cookie instead.",
        ))
        .build();
    let bodies = bodies_with_key(&document);
    if let Some(components) = &mut document.components {
        for body in &bodies {
            if let Some(RefOr::T(Schema::Object(body))) = components.schemas.get_mut(body) {
                body.properties.entry(IDEMPOTENCY_KEY.to_owned()).or_insert_with(|| key_member().into());
            }
        }
        components.add_security_scheme(API_KEY, SecurityScheme::Http(scheme));
        // What only parameters name, the routes do not bring along.
        components.schemas.extend(words::schemas());
        for (rule, conditions) in [("NewRule", one_of_two()), ("RuleCheck", at_least_one())] {
            if let Some(schema) = components.schemas.remove(rule) {
                let both = AllOfBuilder::new().item(schema).item(conditions);
                components.schemas.insert(rule.to_owned(), both.into());
            }
        }
    }
    document
}

/// What the bodies are called of the writes that take a key.
fn bodies_with_key(document: &OpenApi) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let operations = document
        .paths
        .paths
        .values()
        .flat_map(|item| [&item.post, &item.put, &item.patch, &item.delete].into_iter().flatten());
    for operation in operations.filter(|operation| has_key(operation)) {
        let Some(RefOr::T(body)) = &operation.request_body else { continue };
        for content in body.content.values() {
            let RefOr::T(content) = content else { continue };
            match &content.schema {
                Some(RefOr::Ref(one)) => found.extend(name_in(one)),
                // Or nothing.
                Some(RefOr::T(Schema::OneOf(either))) => {
                    for one in &either.items {
                        if let RefOr::Ref(one) = one {
                            found.extend(name_in(one));
                        }
                    }
                }
                Some(RefOr::T(_)) | None => {}
            }
        }
    }
    found
}

fn name_in(one: &Ref) -> Option<String> {
    Some(one.ref_location.rsplit_once('/')?.1.to_owned())
}

/// The member that is one thing with the header.
fn key_member() -> Schema {
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .min_length(Some(1))
        .max_length(Some(bounds::NAME))
        .description(Some(
            "A repeat with this key gets the same answer. One thing with the header `Idempotency-Key`.",
        ))
        .into()
}

/// The whole document, as docs/openapi.json has it.
///
/// # Panics
/// Never: a document is a tree of texts.
#[must_use]
pub fn openapi_json() -> String {
    let mut text = serde_json::to_string_pretty(&openapi()).unwrap_or_else(|err| unreachable!("{err}"));
    text.push('\n');
    text
}

/// As the server gives it: written once, when it is first asked for.
pub(crate) static WRITTEN: LazyLock<String> = LazyLock::new(openapi_json);

/// Every operation may end in a problem; each with roles needs a key.
fn complete(operation: &mut Operation) {
    let problem = |description: &str| {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(ProblemView::name()))).build();
        ResponseBuilder::new().description(description).content("application/problem+json", content).build()
    };
    let responses = &mut operation.responses.responses;
    responses.insert("4XX".to_owned(), problem("What the caller may put right.").into());
    responses.insert("5XX".to_owned(), problem("What the caller can only try again.").into());
    let has_roles = operation.extensions.as_ref().is_some_and(|all| all.contains_key("x-roles"));
    if has_roles {
        operation.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], _>(API_KEY, [])]);
    }
}

/// Writes nothing; or a repeat is known by what is in it.
const WITHOUT_KEY: [&str; 2] = ["policies.validate_rule", "activity.ingest"];

fn has_key(operation: &Operation) -> bool {
    let id = operation.operation_id.as_deref().unwrap_or_default();
    !WITHOUT_KEY.contains(&id) && operation.security.is_some()
}

/// Every write takes an idempotency key, which what reads the credential reads for all of them.
fn takes_a_key(operation: &mut Operation) {
    if !has_key(operation) {
        return;
    }
    let id = operation.operation_id.as_deref().unwrap_or_default();
    let for_ever = ["activity.start", "activity.permit", "activity.record", "activity.record_batch"];
    let kept = if for_ever.contains(&id) { "for ever" } else { "for 24 hours" };
    let text =
        ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(bounds::NAME));
    let key = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .description(Some(format!(
            "A repeat with the same key gets the same answer, {kept}, and nothing is done again."
        )))
        .schema(Some(text.pattern(Some("^[!-~]([ -~]*[!-~])?$"))))
        .build();
    operation.parameters.get_or_insert_default().push(key.into());
}

/// A rule has its condition in one of its two forms, which the attributes of a struct cannot say.
fn one_of_two() -> Schema {
    let is = |form: &str, of: Type, other: &str| {
        let (of, null) = (ObjectBuilder::new().schema_type(of), ObjectBuilder::new().schema_type(Type::Null));
        ObjectBuilder::new().property(form, of).property(other, null).required(form)
    };
    let condition = is("condition", Type::String, "conditions");
    OneOfBuilder::new().item(condition).item(is("conditions", Type::Object, "condition")).into()
}

/// Of two conditions a check says that they are two, and of whatever stands there what is wrong with it.
fn at_least_one() -> Schema {
    let any = [Type::Object, Type::Array, Type::String, Type::Number, Type::Boolean];
    let any = ObjectBuilder::new().schema_type(SchemaType::from_iter(any));
    let text = ObjectBuilder::new().schema_type(Type::String);
    let condition = ObjectBuilder::new().property("condition", text).required("condition");
    let conditions = ObjectBuilder::new().property("conditions", any).required("conditions");
    AnyOfBuilder::new().item(condition).item(conditions).into()
}

fn writes(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.post, &mut item.put, &mut item.patch, &mut item.delete].into_iter().flatten()
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete].into_iter().flatten()
}
