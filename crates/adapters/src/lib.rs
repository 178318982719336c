//! What fulfils the ports: labelled sandboxes, SMTP, sealed files in an object store.
