"""How records become bytes and back: schemas, registry, codec, compatibility."""
