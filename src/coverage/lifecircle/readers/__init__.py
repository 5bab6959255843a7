"""From files to plain tables: the only code that opens an input.

``study_file`` reads study.toml, key by key with ``keys``. ``files`` tells what a file is, ``tables`` and ``osm`` read
it. Of tables, ``features``, ``delimited`` and ``workbook`` know the formats, ``encodings`` and ``archives`` what they
are wrapped in, ``grids``, ``aliases`` and ``cells`` how offices fill them in. ``osm_layers`` and ``rings`` make layers
of OpenStreetMap objects. ``layers`` gathers every input, each checked on its own; ``assembly`` brings them together,
with ``metric``, ``streets`` and ``residents``.
"""
