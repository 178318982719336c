//! JSON API, pages, health and metrics. Thin over app.
