//! The virtual terminal: device keys, screens, journal, faults. Speaks only the wire protocols.
