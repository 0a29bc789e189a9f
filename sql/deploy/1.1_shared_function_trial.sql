-- The function that was there before is kept: an update of one new row shows that it works on the new tables. The
-- inner block always ends in an error, so whatever the update and the function did, here or in other tables, is undone.
-- Only what no transaction undoes stays: a sequence that the function asks for a number has moved on.
DO $trial$
DECLARE
    updated integer;
    tried boolean := false;
BEGIN
    BEGIN
        -- Where an application finds its functions; the function may name some of them without their schema.
        PERFORM set_config('search_path', quote_ident(current_schema()) || ', public, extensions, pg_temp', true);
        UPDATE domains SET expert_names = ARRAY['trial'] WHERE domain_name = 'other';
        GET DIAGNOSTICS updated = ROW_COUNT;
        IF updated <> 1 OR NOT EXISTS (SELECT FROM domains WHERE expert_names = ARRAY['trial']) THEN
            RAISE EXCEPTION 'it lost the update without a word';
        END IF;
        tried := true;
        RAISE EXCEPTION 'undo';
    EXCEPTION
        WHEN lock_not_available OR deadlock_detected THEN
            RAISE;
        WHEN assert_failure OR OTHERS THEN
            IF NOT tried THEN
                RAISE EXCEPTION 'the update_updated_at_column() that is here does not work on the new tables: %', SQLERRM
                    USING DETAIL = format('An update of one row of domains was tried and failed in it (SQLSTATE %s).', SQLSTATE),
                        HINT = 'Correct the function and run again. Or roll back, and run with --decide shared_function=replace'
                            ' as its owner: the guide''s takes its place until a rollback puts the old one back.';
            END IF;
    END;
END
$trial$;
