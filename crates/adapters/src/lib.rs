//! What fulfils the ports of `starpay_app::port`: labelled sandboxes that answer by a documented
//! table, and the real counterparts.
//!
//! Nothing here decides about the business, opens a transaction or sees a clear key. An adapter
//! translates, waits no longer than it said it would, and sorts every failure into the three ways
//! a call can end. Start at [`sandbox`] for the simulated world, [`mail`] for SMTP, [`files`] for
//! the object store, [`clock`] for time.

pub mod clock;
pub mod files;
pub mod mail;
pub mod sandbox;
