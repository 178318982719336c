-- What a terminal and the platform told each other in a step, sealed: the answer to a repeated
-- question is the same answer, also after a crash on either side.
CREATE TABLE activation_exchange (
    activation_id {bytes} NOT NULL,
    merchant_id {bytes} NOT NULL,
    step TEXT NOT NULL,
    body {bytes} NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT activation_exchange_pk PRIMARY KEY (activation_id, step, merchant_id),
    CONSTRAINT activation_exchange_activation FOREIGN KEY (activation_id, merchant_id)
        REFERENCES activation (id, merchant_id)
) {keyed};
