"""What the commands of redaction do: redact lines, score labelled texts."""
