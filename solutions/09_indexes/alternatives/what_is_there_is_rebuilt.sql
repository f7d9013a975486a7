-- The names stay, so that the notes of whoever looks after the school still hold.
ALTER INDEX attempts_user RENAME TO attempts_user_old;
CREATE INDEX attempts_user ON public.attempts USING btree
    (user_id ASC NULLS LAST, handed_in ASC NULLS LAST) INCLUDE (minutes) WITH (fillfactor = 95);
DROP INDEX public.attempts_user_old;

ALTER INDEX attempts_graded RENAME TO attempts_graded_old;
CREATE INDEX attempts_graded ON public.attempts (handed_in ASC) WHERE graded IN (false);
DROP INDEX public.attempts_graded_old;

-- The score is NULL where nobody has graded, and a report reads only scores.
CREATE INDEX attempts_report ON public.attempts (lesson_id, handed_in) INCLUDE (score)
    WITH (deduplicate_items = off);
CREATE INDEX users_sign_in ON public.users (lower(email) text_pattern_ops, id) INCLUDE (name);
VACUUM ANALYZE public.users, public.attempts;
