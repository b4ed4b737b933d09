"""The stage notify: has people told of alerts, once each, by webhook, Slack or mail."""
