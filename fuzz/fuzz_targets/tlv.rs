//! libFuzzer's door to [`starpay_fuzz::tlv`].
#![cfg_attr(fuzzing, no_main)]

starpay_fuzz::target!(starpay_fuzz::tlv::holds);
