"""Response: pseudonyms become the originals again, and the requester gets exactly one terminal answer."""
