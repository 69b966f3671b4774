//! Whether an answer is as the description of the API says.

use serde_json::Value;

/// What `value` refers to in `document`, or `value` itself.
pub(crate) fn resolve<'a>(document: &'a Value, mut value: &'a Value) -> &'a Value {
    while let Some(reference) = value.get("$ref").and_then(Value::as_str) {
        let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference}"));
        value = document.pointer(pointer).unwrap_or_else(|| panic!("{reference} leads nowhere"));
    }
    value
}

/// What keeps `value` from fitting `schema`; none when it fits.
pub(crate) fn misfit(document: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    let schema = resolve(document, schema);
    if let Some(any) = schema.get("oneOf").and_then(Value::as_array) {
        let misfits: Vec<_> =
            any.iter().map_while(|one| misfit(document, one, value, at)).collect();
        return (misfits.len() == any.len()).then(|| misfits.join(" and "));
    }
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
        && !allowed.contains(value)
    {
        return Some(format!("{at}: {value} is none of {allowed:?}"));
    }
    // Opaque parts may be any JSON.
    if schema.get("type").is_none() && schema.get("properties").is_none() {
        return None;
    }
    if !is_of_type(value, &schema["type"]) {
        return Some(format!("{at}: {value} is no {}", schema["type"]));
    }
    match value {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(n, item)| misfit(document, &schema["items"], item, &format!("{at}/{n}"))),
        Value::Object(fields) => {
            let required = schema["required"].as_array().into_iter().flatten();
            let mut names = required.map(|name| name.as_str().unwrap());
            if let Some(missing) = names.find(|name| !fields.contains_key(*name)) {
                return Some(format!("{at}: {missing} is missing"));
            }
            fields.iter().find_map(|(name, field)| {
                let at = format!("{at}/{name}");
                let of = schema["properties"].get(name).or(schema.get("additionalProperties"));
                match of.filter(|of| of.is_object()) {
                    Some(of) => misfit(document, of, field, &at),
                    None => Some(format!("{at} is not described")),
                }
            })
        }
        _ => None,
    }
}

fn is_of_type(value: &Value, kind: &Value) -> bool {
    match kind {
        Value::Array(kinds) => kinds.iter().any(|kind| is_of_type(value, kind)),
        Value::String(kind) => match kind.as_str() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "integer" => value.is_u64() || value.is_i64(),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            "null" => value.is_null(),
            _ => false,
        },
        _ => false,
    }
}
