//! The two files, read once.

use crate::language::Language;
use i18n_embed::fluent::FluentLanguageLoader;
use i18n_embed::{I18nAssets, LanguageLoader};
use std::borrow::Cow;
use std::sync::LazyLock;
use unic_langid::LanguageIdentifier;

/// The texts of one language; the first argument of [`fl!`](crate::fl).
pub type Texts = FluentLanguageLoader;

pub(crate) const ZH_CN: &str = include_str!("../i18n/zh-CN/starpay.ftl");
pub(crate) const EN: &str = include_str!("../i18n/en/starpay.ftl");

/// The files as they were when the program was built: nothing is read from disk at run time.
struct Files;

impl I18nAssets for Files {
    fn get_files(&self, file_path: &str) -> Vec<Cow<'_, [u8]>> {
        match file_path {
            "zh-CN/starpay.ftl" => vec![Cow::Borrowed(ZH_CN.as_bytes())],
            "en/starpay.ftl" => vec![Cow::Borrowed(EN.as_bytes())],
            _ => Vec::new(),
        }
    }

    fn filenames_iter(&self) -> Box<dyn Iterator<Item = String> + '_> {
        Box::new(["zh-CN/starpay.ftl", "en/starpay.ftl"].into_iter().map(str::to_owned))
    }
}

static ZH_CN_TEXTS: LazyLock<Texts> = LazyLock::new(|| load(Language::ZhCn));
static EN_TEXTS: LazyLock<Texts> = LazyLock::new(|| load(Language::En));

/// Each language stands alone: a missing English text is an error a test finds, never Chinese on an
/// English page. Isolation marks are off, because identifiers are copied from our texts.
#[expect(clippy::expect_used, reason = "both tags and both files are compiled in and a test loads them")]
fn load(language: Language) -> Texts {
    let language: LanguageIdentifier = language.tag().parse().expect("our own tags are well-formed");
    let texts = FluentLanguageLoader::new("starpay", language.clone());
    texts.load_languages(&Files, &[language]).expect("a compiled-in catalogue loads");
    texts.set_use_isolating(false);
    texts
}

/// The texts of a language.
#[must_use]
pub fn texts(language: Language) -> &'static Texts {
    match language {
        Language::ZhCn => &ZH_CN_TEXTS,
        Language::En => &EN_TEXTS,
    }
}

/// The text under a key made at run time, or `None` when there is none. A key that needs arguments is
/// not for this function: use [`fl!`](crate::fl).
#[must_use]
pub fn lookup(language: Language, key: &str) -> Option<String> {
    let texts = texts(language);
    texts.has(key).then(|| texts.get(key))
}

/// An attribute of the text under a key made at run time.
pub(crate) fn attribute(language: Language, key: &str, name: &str) -> Option<String> {
    let texts = texts(language);
    texts.has_attr(key, name).then(|| texts.get_attr(key, name))
}
