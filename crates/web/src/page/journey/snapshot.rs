//! The journey at one moment, shared by all who look at it.

use super::{Journey, JourneyParts, JourneyView};
use askama::Template;
use starpay_text::{Language, texts};
use std::sync::OnceLock;

/// The journey at one moment. Strangers may watch, many at once: it is read once, and put into
/// words once for each language.
#[derive(Debug)]
pub struct Snapshot {
    version: u64,
    view: JourneyView,
    chinese: OnceLock<Option<String>>,
    english: OnceLock<Option<String>>,
}

impl Snapshot {
    /// The journey, and a number that grows with every change.
    #[must_use]
    pub const fn new(version: u64, view: JourneyView) -> Self {
        Self { version, view, chinese: OnceLock::new(), english: OnceLock::new() }
    }

    /// The number that grows with every change.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The journey.
    #[must_use]
    pub const fn view(&self) -> &JourneyView {
        &self.view
    }

    /// The parts of the first page that change, as HTML; `None` when they cannot be rendered.
    pub(in crate::page) fn parts(&self, language: Language) -> Option<&str> {
        let parts = match language {
            Language::ZhCn => &self.chinese,
            Language::En => &self.english,
        };
        parts.get_or_init(|| self.render(language)).as_deref()
    }

    fn render(&self, language: Language) -> Option<String> {
        let parts = JourneyParts { texts: texts(language), journey: Journey::in_words(&self.view, language) };
        parts.render().inspect_err(|error| tracing::error!(%error, "the journey could not be rendered")).ok()
    }
}
