//! The two catalogue files against each other.

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement, Resource};
use std::collections::{BTreeMap, BTreeSet};

const ZH_CN: &str = include_str!("../../i18n/zh-CN/starpay.ftl");
const EN: &str = include_str!("../../i18n/en/starpay.ftl");

/// For each message and each `message.attribute`: the arguments it uses.
type Catalogue = BTreeMap<String, BTreeSet<String>>;

fn parse(source: &'static str) -> Resource<&'static str> {
    fluent_syntax::parser::parse(source).unwrap_or_else(|(_, errors)| panic!("{errors:?}"))
}

fn read(source: &'static str) -> (Vec<String>, Catalogue) {
    let (mut order, mut catalogue) = (Vec::new(), Catalogue::new());
    for entry in &parse(source).body {
        let Entry::Message(message) = entry else { continue };
        order.push(message.id.name.to_owned());
        let own = message.value.as_ref().map(|value| (message.id.name.to_owned(), value));
        let attributes =
            message.attributes.iter().map(|a| (format!("{}.{}", message.id.name, a.id.name), &a.value));
        for (key, pattern) in own.into_iter().chain(attributes) {
            let mut arguments = BTreeSet::new();
            collect(pattern, &mut arguments);
            assert!(catalogue.insert(key.clone(), arguments).is_none(), "{key} is written twice");
        }
    }
    (order, catalogue)
}

fn collect(pattern: &Pattern<&str>, arguments: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        let PatternElement::Placeable { expression } = element else { continue };
        match expression {
            Expression::Inline(inline) => collect_inline(inline, arguments),
            Expression::Select { selector, variants } => {
                collect_inline(selector, arguments);
                variants.iter().for_each(|variant| collect(&variant.value, arguments));
            }
        }
    }
}

fn collect_inline(inline: &InlineExpression<&str>, arguments: &mut BTreeSet<String>) {
    match inline {
        InlineExpression::VariableReference { id } => {
            arguments.insert(id.name.to_owned());
        }
        InlineExpression::FunctionReference { arguments: call, .. } => {
            call.positional.iter().for_each(|argument| collect_inline(argument, arguments));
        }
        InlineExpression::Placeable { expression } => {
            if let Expression::Inline(inner) = expression.as_ref() {
                collect_inline(inner, arguments);
            }
        }
        InlineExpression::StringLiteral { .. }
        | InlineExpression::NumberLiteral { .. }
        | InlineExpression::MessageReference { .. }
        | InlineExpression::TermReference { .. } => {}
    }
}

#[test]
fn both_languages_have_the_same_keys_in_the_same_order_with_the_same_arguments() {
    let ((zh_order, zh), (en_order, en)) = (read(ZH_CN), read(EN));
    let zh_keys: Vec<&String> = zh.keys().collect();
    let en_keys: Vec<&String> = en.keys().collect();
    assert_eq!(zh_keys, en_keys);
    assert_eq!(zh_order, en_order, "the files list their texts in different orders");
    for (key, arguments) in &zh {
        assert_eq!(arguments, &en[key], "{key} takes other arguments in English");
    }
    assert!(zh.len() > 300, "only {} texts were read", zh.len());
}

#[test]
fn what_is_looked_up_by_code_takes_no_arguments_and_has_its_remedy() {
    const BY_CODE: [&str; 4] = ["state-", "error-", "requirement-", "reason-"];
    const WITH_REMEDY: [&str; 3] = ["error-", "requirement-", "reason-"];
    let (order, catalogue) = read(ZH_CN);
    for key in &order {
        if BY_CODE.iter().any(|prefix| key.starts_with(prefix)) {
            assert!(catalogue[key].is_empty(), "{key} takes arguments");
        }
        if WITH_REMEDY.iter().any(|prefix| key.starts_with(prefix)) {
            assert!(catalogue.contains_key(&format!("{key}.remedy")), "{key} has no remedy");
        }
    }
}

#[test]
fn no_text_is_empty_or_left_untranslated() {
    let han = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    for line in EN.lines().filter(|line| !line.starts_with('#')) {
        assert!(
            !han(line) || line.starts_with("brand-") || line.starts_with("sandbox-"),
            "Chinese in English: {line}"
        );
    }
    for source in [ZH_CN, EN] {
        for entry in &parse(source).body {
            let Entry::Message(message) = entry else { continue };
            assert!(message.value.is_some(), "{} has no text of its own", message.id.name);
        }
    }
}

/// Half-width punctuation beside a Chinese character is a slip of the keyboard: ours is full-width.
#[test]
fn chinese_is_set_with_chinese_punctuation() {
    let han = |c: &char| ('\u{4e00}'..='\u{9fff}').contains(c);
    for (number, line) in ZH_CN.lines().enumerate() {
        let marks: Vec<char> = line.chars().collect();
        for pair in marks.windows(2) {
            let beside = matches!(pair, [a, b] if han(a) && ",;:()?!".contains(*b))
                || matches!(pair, [a, b] if ",;:()?!".contains(*a) && han(b))
                || matches!(pair, [a, '.'] if han(a));
            assert!(!beside, "line {}: {line}", number + 1);
        }
    }
}
