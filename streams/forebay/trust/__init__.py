"""Who is believed: proofs of what comes back into the chain, of stages' retries and of operators' replays."""
