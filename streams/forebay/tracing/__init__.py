"""Where did a request spend its time, as tools for traces see it? Spans of stages and calls, if wanted."""
