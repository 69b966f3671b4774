//! The documents as JSON Schema, for editors and checks before a commit.

use groundcontrol_http::dto;
use serde_json::{Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::kinds;

/// The kinds of documents.
pub const KINDS: [&str; 4] = ["Satellite", "System", "Check", "Assignment"];

/// The dialect of the schemas.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The JSON Schema of one kind, or of every document where no kind is named. None where there is no
/// such kind.
///
/// ```
/// use groundcontrol::gitops::schema;
/// let satellite = schema(Some("Satellite")).unwrap();
/// assert_eq!(satellite["$ref"], "#/$defs/Satellite");
/// assert!(schema(Some("Rocket")).is_none());
/// ```
pub fn schema(kind: Option<&str>) -> Option<Value> {
    let mut definitions = serde_json::Map::new();
    for (name, definition) in all() {
        definitions.insert(name, strict(serde_json::to_value(definition).ok()?));
    }
    let mut schema = match kind {
        Some(kind) if KINDS.contains(&kind) => json!({"$ref": format!("#/$defs/{kind}")}),
        Some(_) => return None,
        None => {
            let each = KINDS.map(|kind| json!({"$ref": format!("#/$defs/{kind}")}));
            json!({"oneOf": each})
        }
    };
    schema["$schema"] = DIALECT.into();
    schema["$defs"] = definitions.into();
    Some(schema)
}

/// Every definition that any kind refers to.
fn all() -> Vec<(String, RefOr<Schema>)> {
    let mut found = Vec::new();
    with::<kinds::Satellite>(&mut found);
    with::<kinds::System>(&mut found);
    with::<kinds::Check>(&mut found);
    with::<kinds::Assignment>(&mut found);
    with::<dto::Collector>(&mut found);
    with::<dto::Selector>(&mut found);
    found
}

fn with<T: ToSchema + PartialSchema>(found: &mut Vec<(String, RefOr<Schema>)>) {
    found.push((T::name().into_owned(), T::schema()));
    T::schemas(found);
}

/// In the words of JSON Schema: references lead to `$defs`, and `format`s of OpenAPI's own go.
fn strict(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let member = |(name, value): (String, Value)| match (name.as_str(), &value) {
                ("$ref", Value::String(to)) => {
                    (name, to.replace("#/components/schemas/", "#/$defs/").into())
                }
                ("example", _) => ("examples".to_owned(), json!([value])),
                _ => (name, strict(value)),
            };
            let is_openapi = |(name, value): &(String, Value)| {
                name == "format" && value.as_str().is_some_and(|format| format.starts_with("int"))
            };
            let members = members.into_iter().filter(|member| !is_openapi(member));
            Value::Object(members.map(member).collect())
        }
        Value::Array(items) => items.into_iter().map(strict).collect(),
        plain => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gitops::yaml;

    /// Whether `value` fits `schema`, as far as these schemas go.
    fn fits(whole: &Value, schema: &Value, value: &Value) -> bool {
        if let Some(to) = schema["$ref"].as_str() {
            let name = to.strip_prefix("#/$defs/").unwrap();
            let definition = &whole["$defs"][name];
            assert!(definition.is_object(), "{to} leads nowhere");
            return fits(whole, definition, value);
        }
        if let Some(any) = schema["oneOf"].as_array() {
            return any.iter().filter(|one| fits(whole, one, value)).count() == 1;
        }
        if schema["enum"].as_array().is_some_and(|allowed| !allowed.contains(value)) {
            return false;
        }
        let is_type = match schema["type"].as_str() {
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            Some("string") => value.is_string(),
            Some("integer") => value.is_u64(),
            Some(other) => panic!("a type {other}"),
            None => true,
        };
        let items = value.as_array().into_iter().flatten();
        is_type
            && items.into_iter().all(|item| fits(whole, &schema["items"], item))
            && value.as_object().is_none_or(|members| members_fit(whole, schema, members))
    }

    fn members_fit(
        whole: &Value,
        schema: &Value,
        members: &serde_json::Map<String, Value>,
    ) -> bool {
        let required = schema["required"].as_array().into_iter().flatten();
        let has_all = required.into_iter().all(|name| members.contains_key(name.as_str().unwrap()));
        let fit = |(name, value): (&String, &Value)| match schema["properties"].get(name) {
            Some(property) => fits(whole, property, value),
            None => match &schema["additionalProperties"] {
                Value::Bool(allowed) => *allowed,
                Value::Null => true,
                rest => fits(whole, rest, value),
            },
        };
        has_all && members.iter().all(fit)
    }

    fn of_any_kind(text: &str) -> Vec<bool> {
        let whole = schema(None).unwrap();
        let documents = yaml::documents(text).unwrap();
        documents.iter().map(|one| fits(&whole, &whole, &one.value)).collect()
    }

    #[test]
    fn the_example_fits_the_schema_of_its_kinds() {
        let fitting = of_any_kind(include_str!("../../deploy/gitops/fleet.yaml"));
        assert_eq!(fitting, [true; 6]);
    }

    #[test]
    fn what_is_no_document_fits_no_schema() {
        let head = "apiVersion: groundcontrol.dev/v1\nkind: Satellite\nmetadata: {name: a}\n";
        for wrong in [
            &format!("{head}spec: {{region: a, regoin: b}}\n"),
            &format!("{head}spec: {{}}\n"),
            &format!("{head}spec: {{region: 1}}\n"),
            &head.replace("Satellite", "Rocket"),
            &format!("{head}spec: {{region: a}}\n").replace("v1", "v2"),
        ] {
            assert_eq!(of_any_kind(wrong), [false], "{wrong}");
        }
    }

    #[test]
    fn every_kind_has_a_schema_of_its_own() {
        for kind in KINDS {
            let schema = schema(Some(kind)).unwrap();
            let kinds = format!("{kind}Kind");
            assert_eq!(schema["$defs"][kinds]["enum"], json!([kind]));
        }
    }
}
