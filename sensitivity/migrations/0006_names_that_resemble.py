"""What names need to be found by others that resemble them: plain words, and blocks that differ from version to version."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.db import migrations, models

# The same blocks in another version are other numbers (sensitivity.resemblance.in_version). A copy of a row into the
# next version needs no other blocks: the index makes them from the version.
_BLOCKS_IN = """
    CREATE FUNCTION sensitivity_blocks_in(version bigint, blocks integer[]) RETURNS integer[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
        SELECT coalesce(array_agg(block # ((version * 2654435761)::bit(32))::integer), '{}') FROM unnest(blocks) AS block
    $$;
"""

# Planned once for a connection, always with a bitmap of the index of blocks. Planned for each search it would take
# longer than the search; and the planner cannot know that blocks are rare: it would rather read the table, or another
# index, until it has met enough names, with helpers that take longer to start than all of the search.
# Of the names that differ in a word the trigrams keep the most similar. A short form and what it is short for share no
# trigram, and need none. 500 bounds what a name can cost that is made of words that thousands have; names of ordinary
# words have some dozen candidates.
_RESEMBLING = """
    CREATE FUNCTION sensitivity_resembling(
        asked_form text, asked_key text, by_words integer[], by_initials integer[], at_least real, at_most integer
    ) RETURNS TABLE (entry_id bigint, name text, form text, initials boolean)
    LANGUAGE plpgsql STABLE
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_indexscan = off
    SET max_parallel_workers_per_gather = 0 SET jit = off AS $$
    BEGIN
        RETURN QUERY
        SELECT k.entry_id, k.name, k.form, k.initials FROM (
            (
                SELECT m.entry_id, m.name, m.form, FALSE AS initials FROM (
                    SELECT n.*, similarity(n.form, asked_form) AS alike FROM sensitivity_entryname n
                    WHERE sensitivity_blocks_in(n.version_id, n.blocks) && by_words
                    LIMIT 500
                ) m
                WHERE m.alike >= at_least
                ORDER BY m.alike DESC, m.entry_id, m.key LIMIT at_most
            )
            UNION ALL
            (
                SELECT n.entry_id, n.name, n.form, TRUE FROM sensitivity_entryname n
                WHERE sensitivity_blocks_in(n.version_id, n.blocks) && by_initials
                ORDER BY n.entry_id, n.key LIMIT at_most
            )
        ) k
        WHERE NOT EXISTS (
            SELECT FROM sensitivity_entryname s WHERE s.entry_id = k.entry_id AND s.key = asked_key
        );
    END
    $$;
"""
_NOT_RESEMBLING = "DROP FUNCTION sensitivity_resembling(text, text, integer[], integer[], real, integer)"


class Migration(migrations.Migration):
    dependencies = [("sensitivity", "0005_published_is_fixed")]

    operations = [
        migrations.AddField("entryname", "name", models.TextField(default="", verbose_name="name as it is written")),
        migrations.AddField("entryname", "form", models.TextField(default="", verbose_name="name in plain letters")),
        migrations.AddField(
            "entryname",
            "blocks",
            django.contrib.postgres.fields.ArrayField(
                base_field=models.IntegerField(), default=list, size=None, verbose_name="blocks"
            ),
        ),
        migrations.RunSQL(_BLOCKS_IN, "DROP FUNCTION sensitivity_blocks_in(bigint, integer[])"),
        migrations.RunSQL(_RESEMBLING, _NOT_RESEMBLING),
        migrations.AddIndex(
            "entryname",
            django.contrib.postgres.indexes.GinIndex(
                models.Func("version", "blocks", function="sensitivity_blocks_in"),
                name="sensitivity_name_blocks",
                fastupdate=True,
                gin_pending_list_limit=128,
            ),
        ),
    ]
