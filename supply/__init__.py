"""What Forebay is made of, for a release: files by hash, images by digest, a bill of materials, known weaknesses."""
