//! The message catalogue, zh-CN and English (Fluent), keys checked at compile time.
