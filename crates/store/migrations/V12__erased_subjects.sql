-- Applications of merchants that were erased stand in nobody's way any more.
UPDATE application SET subject_index = NULL WHERE merchant_id IN (
    SELECT merchant_id FROM data_key GROUP BY merchant_id HAVING count(*) = count(destroyed_at)
);
