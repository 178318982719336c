//! libFuzzer's door to [`starpay_fuzz::key_block`].
#![cfg_attr(fuzzing, no_main)]

starpay_fuzz::target!(starpay_fuzz::key_block::holds);
