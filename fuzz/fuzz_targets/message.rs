//! libFuzzer's door to [`starpay_fuzz::message`].
#![cfg_attr(fuzzing, no_main)]

starpay_fuzz::target!(starpay_fuzz::message::holds);
