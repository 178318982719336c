//! What the merchant fills in: contact, fields, documents, consents.

use super::list::{Entry, List};
use super::{ContactStatus, DueStatus, FieldCondition, MaterialCondition, RequirementCode};
use crate::application::Application;
use crate::field::{FormField, Holds};
use crate::material::{MaterialKind, Need, Origin};
use crate::reason::ReasonCode;

/// Whether the form is open for the merchant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A draft, or none yet: what is missing is due.
    Open,
    /// Handed in: only what turned out wrong is shown.
    Closed,
}

/// Adds what is missing in the form.
pub(super) fn add(list: &mut List<'_>) {
    let situation = list.situation;
    if situation.contact == ContactStatus::Unverified {
        list.push(
            Entry::new(RequirementCode::ContactUnverified, DueStatus::CurrentlyDue)
                .at(FormField::ContactMobile.as_str()),
        );
    }
    let form = match &situation.application {
        None | Some(Application::Draft { .. }) => Form::Open,
        Some(_) => Form::Closed,
    };
    for field in FormField::ALL.iter().copied().filter(|field| field.holds() != Holds::Document) {
        add_field(list, field, form);
    }
    for kind in MaterialKind::ALL.iter().copied().filter(|kind| kind.origin() == Origin::Upload) {
        add_material(list, kind, form);
    }
}

fn add_field(list: &mut List<'_>, field: FormField, form: Form) {
    let situation = list.situation;
    let alternatives = field.alternatives(situation.subject);
    let needed = field.need(situation.subject) == Need::Required || !alternatives.is_empty();
    let row = situation.fields.iter().find(|row| row.field == field);
    let reasons: &[ReasonCode] = row.map_or(&[], |row| &row.reasons);
    let entry = match row.map_or(FieldCondition::Empty, |row| row.condition) {
        FieldCondition::Filled => return,
        FieldCondition::Empty if form == Form::Closed || (row.is_none() && !needed) => return,
        FieldCondition::Empty if field.is_consent() => RequirementCode::ConsentMissing,
        FieldCondition::Empty => RequirementCode::FieldMissing,
        FieldCondition::Invalid | FieldCondition::Flagged => RequirementCode::FieldInvalid,
    };
    let replaced = alternatives
        .iter()
        .any(|set| set.iter().all(|other| situation.field(*other) == FieldCondition::Filled));
    if entry == RequirementCode::FieldMissing && replaced {
        return;
    }
    let others = alternatives.iter().map(|set| set.to_vec()).collect();
    list.push(Entry::new(entry, DueStatus::CurrentlyDue).at(field.as_str()).because(reasons).or(others));
}

fn add_material(list: &mut List<'_>, kind: MaterialKind, form: Form) {
    let situation = list.situation;
    let alternatives = kind.alternatives(situation.subject);
    let needed = kind.need(situation.subject) == Need::Required || !alternatives.is_empty();
    let row = situation.materials.iter().find(|row| row.kind == kind);
    let reasons: &[ReasonCode] = row.map_or(&[], |row| &row.reasons);
    let entry = match row.map_or(MaterialCondition::Missing, |row| row.condition) {
        MaterialCondition::Provided | MaterialCondition::Accepted => return,
        MaterialCondition::Missing if form == Form::Closed || (row.is_none() && !needed) => return,
        MaterialCondition::Missing => RequirementCode::DocumentMissing,
        MaterialCondition::Unusable => RequirementCode::DocumentUnusable,
    };
    let there = |other: &MaterialKind| {
        matches!(situation.material(*other), MaterialCondition::Provided | MaterialCondition::Accepted)
    };
    if entry == RequirementCode::DocumentMissing && alternatives.iter().any(|set| set.iter().all(there)) {
        return;
    }
    let others =
        alternatives.iter().map(|set| set.iter().filter_map(|other| other.field()).collect()).collect();
    let mut made = Entry::new(entry, DueStatus::CurrentlyDue).because(reasons).or(others);
    if let Some(field) = kind.field() {
        made = made.at(field.as_str());
    }
    list.push(made);
}
