//! `Debug` for values that carry a secret or personal data: which fields are shown, and which
//! only as `[redacted]`, stands side by side; a field added later must be put on one side.

/// Writes `Debug` for a struct: the first fields are shown, the others hidden.
///
/// ```
/// struct Session {
///     merchant_id: String,
///     token: String,
/// }
/// starpay_app::redacted_debug!(Session { merchant_id } hides { token });
///
/// let session = Session { merchant_id: "mer_1".to_owned(), token: "sp_test_secret".to_owned() };
/// assert_eq!(format!("{session:?}"), r#"Session { merchant_id: "mer_1", token: "[redacted]" }"#);
/// ```
#[macro_export]
macro_rules! redacted_debug {
    ($name:ident { $($shown:ident),* } hides { $($hidden:ident),+ }) => {
        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                let Self { $($shown,)* $($hidden: _,)+ } = self;
                f.debug_struct(stringify!($name))
                    $(.field(stringify!($shown), $shown))*
                    $(.field(stringify!($hidden), &"[redacted]"))+
                    .finish()
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use crate::SignedRequest;
    use crate::form::Form;
    use crate::message::DevMessage;
    use crate::picture::Picture;
    use crate::view::{
        AccessKeyCreated, AddressConfirmation, AgreementView, Appeal, Claim, FormField, PatchApplication,
        SessionView, SignCode, StartContact, VerifyContact,
    };
    use bytes::Bytes;
    use starpay_domain::field::FormField as Field;
    use std::fmt::Debug;
    use std::path::Path;

    const SECRET: &str = "739164-林样例";

    fn secret() -> String {
        SECRET.to_owned()
    }

    fn all() -> Vec<Box<dyn Debug>> {
        let mut form = Form::default();
        form.set(Field::PrincipalName, SECRET);
        let fields = [("principal.name".to_owned(), secret())].into();
        let none = String::new;
        vec![
            Box::new(form),
            Box::new(StartContact { mobile: secret(), email: Some(secret()) }),
            Box::new(VerifyContact { code: secret() }),
            Box::new(SessionView { token: secret(), merchant_id: none(), expires_at: none() }),
            Box::new(PatchApplication { fields }),
            Box::new(FormField { name: none(), value: secret() }),
            Box::new(Appeal { statement: secret() }),
            Box::new(SignCode { code: secret(), sha256: none() }),
            Box::new(AgreementView {
                id: none(),
                application_id: none(),
                state: none(),
                text: secret(),
                sha256: none(),
                signature: None,
            }),
            Box::new(AddressConfirmation { address: Some(secret()) }),
            Box::new(AccessKeyCreated { id: none(), token: secret(), role: none() }),
            Box::new(crate::GivenAnswer {
                route: none(),
                answered_at: none(),
                answer: serde_json::json!({"token": SECRET}),
            }),
            Box::new(DevMessage {
                id: none(),
                channel: none(),
                template: none(),
                to: secret(),
                text: secret(),
                code: secret(),
                state: none(),
                at: none(),
            }),
            Box::new(Picture {
                media_type: "image/png",
                width: 1,
                height: 1,
                bytes: SECRET.as_bytes().to_vec(),
            }),
            Box::new(Claim {
                code: secret(),
                serial: none(),
                model: none(),
                firmware: none(),
                sign_key: none(),
                envelope_key: none(),
                device_nonce: none(),
            }),
            Box::new(SignedRequest {
                key: none(),
                timestamp: none(),
                nonce: none(),
                signature: none(),
                method: none(),
                path_and_query: none(),
                body: Bytes::from(SECRET),
                certificate: None,
            }),
        ]
    }

    #[test]
    fn nothing_secret_is_printed_by_debug() {
        let bytes = format!("{:?}", SECRET.as_bytes());
        for value in all() {
            for shown in [format!("{value:?}"), format!("{value:#?}")] {
                let leaks = [SECRET, "739164", "林样例", bytes.trim_matches(['[', ']'])];
                assert!(leaks.iter().all(|leak| !shown.contains(leak)), "{shown}");
                assert!(shown.contains("[redacted]"), "{shown}");
            }
        }
    }

    /// Field names that mean a secret or a person wherever they stand in a view, but where it says
    /// what they are otherwise.
    const TELLING: &[&str] = &["token", "code", "mobile", "email", "address", "pin", "text", "statement"];
    const HARMLESS: &[(&str, &str)] = &[
        ("WaitingFor", "code"),
        ("StepFailure", "code"),
        ("RequirementView", "code"),
        ("ContactStarted", "mobile"),
        ("KeyStatement", "statement"),
        ("OperatorSetting", "pin"),
        ("VerifyOperator", "pin"),
    ];

    #[test]
    fn a_view_with_a_telling_field_derives_no_debug() {
        for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/view")).unwrap() {
            let source = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            for item in source.split("\n#[derive(").filter(|item| item.starts_with("Debug")) {
                let Some((_, body)) = item.split_once("pub struct ") else { continue };
                let (name, body) = body.split_once(" {").unwrap();
                let body = body.split_once("\n}").unwrap().0;
                for field in body.lines().filter_map(|line| line.trim().strip_prefix("pub ")) {
                    let field = field.split_once(':').unwrap().0;
                    let is_telling = TELLING.contains(&field) && !HARMLESS.contains(&(name, field));
                    assert!(!is_telling, "{name}.{field} would be printed: use redacted_debug!");
                }
            }
        }
    }
}
