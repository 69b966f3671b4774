//! What made satellites, systems, checks and assignments and keeps them; NULL: a person.

pub(crate) const SQL: &[&str] = &[
    "ALTER TABLE satellites ADD COLUMN managed_by {text}",
    "ALTER TABLE systems ADD COLUMN managed_by {text}",
    "ALTER TABLE checks ADD COLUMN managed_by {text}",
    "ALTER TABLE assignments ADD COLUMN managed_by {text}",
];
