//! Keys and what is done with them: sealing, key blocks, envelopes, certificates, the Hsm port. The only crate that sees a clear key.
