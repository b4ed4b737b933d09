"""The evaluation stage: a judge model scores a sample of the answers, and somebody is told when they get worse."""
