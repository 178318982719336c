//! Every page in every shape and language, as a visitor's browser gets it.

