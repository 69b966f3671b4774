//! The conditions of a read, each of which may be there or not, and the values of its placeholders.

use sea_orm::Value;

use super::limit;

/// Conditions that all hold of what is read.
pub(super) struct Filter {
    conditions: Vec<String>,
    values: Vec<Value>,
}

impl Filter {
    /// Everything so far. `$1` is how many rows are read at most.
    pub(super) fn of(most: usize) -> Self {
        Self { conditions: Vec::new(), values: vec![limit(most)] }
    }

    /// The placeholder of a further value.
    pub(super) fn value(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// A further condition.
    pub(super) fn and(&mut self, condition: impl Into<String>) {
        self.conditions.push(condition.into());
    }

    /// `left`, which ends with an operator, and a value: a further condition where there is one.
    pub(super) fn and_if(&mut self, left: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            let right = self.value(value);
            self.and(format!("{left} {right}"));
        }
    }

    /// The `WHERE` clause, empty where nothing narrows, and the values of all placeholders.
    pub(super) fn into_parts(self) -> (String, Vec<Value>) {
        let clause = match self.conditions.is_empty() {
            true => String::new(),
            false => format!("WHERE {}", self.conditions.join(" AND ")),
        };
        (clause, self.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_condition_only_the_limit_is_asked_for() {
        let mut filter = Filter::of(7);
        filter.and_if("a =", None::<i64>);
        assert_eq!(filter.into_parts(), (String::new(), vec![7_i64.into()]));
    }

    #[test]
    fn placeholders_are_numbered_in_the_order_of_their_values() {
        let mut filter = Filter::of(7);
        filter.and_if("a =", Some(1_i64));
        let (first, second) = (filter.value("x"), filter.value("y"));
        filter.and(format!("(b = {first} OR b = {second})"));
        filter.and_if("c >", Some(2_i64));
        let (clause, values) = filter.into_parts();
        assert_eq!(clause, "WHERE a = $2 AND (b = $3 OR b = $4) AND c > $5");
        assert_eq!(values, [7_i64.into(), 1_i64.into(), "x".into(), "y".into(), 2_i64.into()]);
    }
}
