//! `starpay docs`: prints a document that is generated from the program itself.
//!
//! `cargo xtask docs` writes them into `docs/`; `cargo xtask check` compares them.

use crate::Failure;
use clap::ValueEnum;
use starpay_domain::field::{FormField, Holds};
use starpay_domain::identifier::SubjectType;
use starpay_domain::material::Need;
use starpay_text::Language;
use std::fmt::Write;

/// Options of `starpay docs`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which document
    #[arg(value_enum)]
    document: Document,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Document {
    /// Every state machine with its moves
    StateMachines,
    /// Which input gives which outcome in the sandbox
    Sandbox,
    /// Every field and document of the application form
    Form,
}

/// Prints the document.
pub(crate) fn run(Args { document }: Args) -> Result<(), Failure> {
    crate::print(&match document {
        Document::StateMachines => starpay_domain::diagram::document(),
        Document::Sandbox => starpay_adapters::sandbox::guide(),
        Document::Form => form(),
    })
}

/// Fields whose format is not seen from their name, and that format.
const FORMATS: &[(FormField, &str)] = &[
    (FormField::SubjectType, "given as `subject_type` when the application is opened"),
    (FormField::LicenceUscc, "18 characters, the last one checks the others; or the old 15 digits"),
    (FormField::LicenceValidTo, "`YYYY-MM-DD` or `长期`"),
    (FormField::PrincipalIdKind, "`resident_id`, `residence_permit`, `permit`, `passport`, `permanent`"),
    (FormField::PrincipalIdNumber, "18 characters, the last one checks the others; 18 years or older"),
    (FormField::PrincipalIdValidFrom, "`YYYY-MM-DD`"),
    (FormField::PrincipalIdValidTo, "`YYYY-MM-DD` or `长期`"),
    (FormField::PrincipalFullCapacity, "`true`"),
    (FormField::AgentIdNumber, "as `principal.id_number`"),
    (FormField::AgentValidTo, "`YYYY-MM-DD` or `长期`"),
    (FormField::ShopLatitude, "degrees × 10⁶: `22543096`"),
    (FormField::ShopLongitude, "degrees × 10⁶: `114057865`"),
    (FormField::ShopMcc, "four digits: `5812`"),
    (FormField::ShopFixed, "`true` or `false`"),
    (FormField::BusinessMonthlyVolume, "in fen: `3000000`"),
    (FormField::SettlementKind, "`own_card`, `corporate`, `other_holder`"),
    (FormField::SettlementCardNumber, "a UnionPay card, the last digit checks the others"),
    (FormField::SettlementBankCode, "12 digits"),
    (FormField::ContactMobile, "11 digits"),
    (FormField::ConsentPrivacy, "`true`"),
    (FormField::ConsentFees, "`true`"),
    (FormField::ConsentRiskNotice, "`true`"),
];

/// Who must fill which field of the form and how.
fn form() -> String {
    let mut out = "# The application form\n\nWritten by `cargo xtask docs` from the form itself. ● always, ○ in some \
        cases, – never; what is missing in a case comes back by name (`/submit`, `/requirements`).\nFields go to `PATCH \
        /api/v1/applications/{id}` as text; an empty text clears one. Documents go to `POST …/documents?kind=…`: JPEG, PNG \
        or WebP, at most 10 MB.\n"
        .to_owned();
    let subjects =
        SubjectType::ALL.iter().map(|subject| format!(" `{}` |", subject.as_str())).collect::<String>();
    for (title, column, documents) in [("Fields", "format", false), ("Documents", "instead of it", true)] {
        // Writing into a text cannot fail.
        let _ =
            write!(out, "\n## {title}\n\n| name | |{subjects} {column} |\n|---|---|---|---|---|---|---|\n");
        for field in FormField::ALL.iter().filter(|field| (field.holds() == Holds::Document) == documents) {
            let name = field.as_str();
            let shown = field.material().map_or(name, |kind| kind.as_str());
            let label = starpay_text::field(Language::ZhCn, name).unwrap_or_default();
            let needs = SubjectType::ALL.iter().map(|subject| mark(field.need(*subject))).collect::<String>();
            let _ = writeln!(out, "| `{shown}` | {label} |{needs} {} |", remark(*field));
        }
    }
    out
}

fn mark(need: Need) -> &'static str {
    match need {
        Need::Required => " ● |",
        Need::Conditional => " ○ |",
        Need::No => " – |",
    }
}

/// A field's format, or the documents that may stand for a document.
fn remark(field: FormField) -> String {
    let Some(kind) = field.material() else {
        let known = FORMATS.iter().find(|(known, _)| *known == field);
        return known.map_or("text", |(_, format)| format).to_owned();
    };
    let mut sets: Vec<String> = Vec::new();
    for subject in SubjectType::ALL {
        for set in kind.alternatives(*subject) {
            let names: Vec<String> = set.iter().map(|other| format!("`{}`", other.as_str())).collect();
            let set = names.join(" and ");
            if !sets.contains(&set) {
                sets.push(set);
            }
        }
    }
    sets.join(", or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checked_in_form_is_the_form() {
        assert_eq!(include_str!("../../../docs/guide/form.md"), form(), "run `cargo xtask docs`");
    }
}
