//! libFuzzer's door to [`starpay_fuzz::frame`].
#![cfg_attr(fuzzing, no_main)]

starpay_fuzz::target!(starpay_fuzz::frame::holds);
