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
